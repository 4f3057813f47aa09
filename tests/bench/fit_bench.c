/*
 * fit_bench.c - how long an outlook of made-up lessons takes.
 *
 * Usage: fit_bench [LESSONS [SOURCES [ENCODERS]]]; one line: lessons, targets, seconds.
 */
#include "core/mem.h"
#include "modules/predict/outlook.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { PRESETS = 6 };

static uint64_t seed = 1;

/* 0 to 1: the same in every run. */
static double chance(void)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (double)(seed >> 11) / 9007199254740992.0;
}

static double noise(void)
{
    return chance() + chance() + chance() + chance() - 2;
}

static struct view text(const char *fmt, long n)
{
    char *p = mem_alloc(32);
    int length = snprintf(p, 32, fmt, n);

    return (struct view){ p, (size_t)length };
}

static void fill(struct lesson *l, uint32_t i, long sources, long encoders)
{
    static const double heights[] = { 360, 720, 1080 };
    long source = (long)(i % (uint32_t)sources);
    long encoder = (long)(chance() * (double)encoders);
    long preset = (long)(chance() * PRESETS);
    double u, size = heights[source % 3];

    *l = (struct lesson){ .index = i, .streams = 1, .outputs = 1, .crf = NAN };
    l->source = (uint16_t)(1 + source);
    l->encoder = (uint16_t)(1 + sources + encoder);
    l->preset = (uint16_t)(1 + sources + encoders + preset);
    l->width = size * 16 / 9;
    l->height = size;
    l->fps = 25;
    l->content_s = 10;
    l->pixel_rate = l->width * l->height * l->fps;
    l->asked_bps = l->pixel_rate * 0.1 * exp(3 * chance() - 1.5);
    l->came_bps = l->asked_bps * exp(0.1 * noise());
    u = log(l->came_bps / l->pixel_rate / 0.1);
    for (size_t t = 0; t < TARGET_COUNT; t++)
        l->y[t] = NAN;
    l->y[TARGET_CORE_SECONDS] =
        l->pixel_rate * 1e-8 *
        exp(0.3 * u + 0.2 * (double)encoder + 0.3 * (double)preset + 0.1 * noise() +
            0.2 * sin((double)source));
    l->y[TARGET_VMAF] =
        100 /
        (1 + exp(-2 - u - 0.3 * (double)encoder - sin((double)source) - 0.2 * noise()));
}

int main(int argc, char **argv)
{
    long count = argc > 1 ? strtol(argv[1], NULL, 10) : 10000;
    long sources = argc > 2 ? strtol(argv[2], NULL, 10) : 100;
    long encoders = argc > 3 ? strtol(argv[3], NULL, 10) : 4;
    uint32_t texts = (uint32_t)(1 + sources + encoders + PRESETS);
    struct view *names = mem_zalloc(texts * sizeof *names);
    static const char *const presets[PRESETS] = { "ultrafast", "veryfast", "fast",
                                                  "medium",    "slow",     "veryslow" };
    struct lessons l = { .count = (uint32_t)count,
                         .scenario_count = (uint32_t)count,
                         .texts = names,
                         .text_count = texts,
                         .id = VIEW("bench") };
    const struct lessons *all = &l;
    struct whatif_list none;
    struct timespec from, to;
    struct outlook *o;

    for (long i = 0; i < sources; i++)
        names[1 + i] = text("source%ld", i);
    for (long i = 0; i < encoders; i++)
        names[1 + sources + i] = text("x264-%ld", i);
    for (long i = 0; i < PRESETS; i++)
        names[1 + sources + encoders + i] = view_of(presets[i]);
    l.of = mem_zalloc((size_t)count * sizeof *l.of);
    for (long i = 0; i < count; i++)
        fill(&l.of[i], (uint32_t)i, sources, encoders);
    if (whatif_read((struct view){ NULL, 0 }, "", 93, &none, NULL) < 0)
        return 1;
    clock_gettime(CLOCK_MONOTONIC, &from);
    o = outlook_new(&all, 1, &none);
    clock_gettime(CLOCK_MONOTONIC, &to);
    printf("%ld lessons, 2 targets: %.3f s\n", count,
           (double)(to.tv_sec - from.tv_sec) +
               (double)(to.tv_nsec - from.tv_nsec) / 1e9);
    outlook_free(o);
    whatif_deinit(&none);
    return 0;
}
