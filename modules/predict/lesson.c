/*
 * lesson.c - run → lessons.
 *
 * What a figure rests on decides whether it teaches: a series that covers less than 90 %
 * of an encode says too little of its sum, and an estimate is somebody's formula, which a
 * model would only repeat. The length of content falls back to the duration (core/derive.h),
 * which is right for encodes in real time.
 *
 * Lessons are one block of memory: the struct, the lessons, the views of the texts, their
 * bytes. All of it is filled in place over zeros, so that its bytes can be hashed.
 */
#include "modules/predict/lesson.h"

#include "core/conditions.h"
#include "core/hash.h"
#include "core/mem.h"

#include <math.h>
#include <stdlib.h>

/* How much longer or shorter than its content an encode in real time may take. */
#define REAL_TIME_SHARE 0.1

enum { TEXTS_MAX = UINT16_MAX };

struct builder {
    struct lesson *of;
    uint32_t count;
    struct buf bytes; /* of the texts, one behind the other */
    size_t *ends;     /* of each in bytes; the first is the empty one */
    uint32_t texts, texts_room;
    struct hash_index known; /* text → its number */
    bool full;               /* more texts than a lesson can number */
    struct buf scratch;
};

const char *target_name(enum target t)
{
    static const char *const names[TARGET_COUNT] = {
        "core_seconds", "energy", "power", "vmaf", "psnr", "ssim",
    };

    return names[t];
}

/* NaN of one kind: equal lessons are equal bytes. */
static double plain(double v)
{
    return isfinite(v) ? v : (double)NAN;
}

static double positive(double v)
{
    return isfinite(v) && v > 0 ? v : (double)NAN;
}

static uint16_t text_number(struct builder *b, struct view v)
{
    struct hash h;
    uint32_t *number;
    bool added;

    if (v.n == 0)
        return 0;
    h = hash_of(v, 0);
    number = hash_index_find(&b->known, h.part);
    if (number)
        return (uint16_t)*number;
    if (b->texts == TEXTS_MAX) {
        b->full = true;
        return 0;
    }
    if (b->texts == b->texts_room) {
        b->texts_room *= 2;
        b->ends = mem_resize(b->ends, b->texts_room, sizeof *b->ends);
    }
    buf_view(&b->bytes, v);
    b->ends[b->texts] = b->bytes.n;
    *hash_index_at(&b->known, h.part, &added) = b->texts;
    return (uint16_t)b->texts++;
}

/* ---- groups ----------------------------------------------------------------------- */

static uint16_t quality_group(struct builder *b, const struct scenario *s)
{
    buf_release(&b->scratch);
    conditions_add_scores(&b->scratch, s);
    conditions_add_encode(&b->scratch, s);
    return text_number(b, buf_as_view(&b->scratch));
}

static uint16_t compute_group(struct builder *b, const struct scenario *s)
{
    buf_release(&b->scratch);
    conditions_add(&b->scratch, "cpu_model", s->cpu_model);
    if (view_eq(s->encoder_type, VIEW("gpu")))
        conditions_add(&b->scratch, "gpu_model", s->gpu_model);
    conditions_add_encode(&b->scratch, s);
    return text_number(b, buf_as_view(&b->scratch));
}

/* ---- one lesson ------------------------------------------------------------------- */

static bool teaches_compute(enum compute_basis b)
{
    return b == COMPUTE_USAGE || b == COMPUTE_REPORTED || b == COMPUTE_UPSTREAM ||
           b == COMPUTE_SAMPLER;
}

static void measure(struct lesson *l, const struct facts *f)
{
    bool estimated = f->energy_basis == ENERGY_ESTIMATED;
    double content_s = positive(f->content_s);

    if (teaches_compute(f->compute_basis))
        l->y[TARGET_CORE_SECONDS] = positive(f->core_seconds / content_s);
    if (!estimated && f->energy_basis != ENERGY_SAMPLES_PARTIAL)
        l->y[TARGET_ENERGY] = positive(f->energy_j / content_s);
    if (!estimated)
        l->y[TARGET_POWER] = positive(f->mean_power_w);
    l->y[TARGET_VMAF] = plain(f->vmaf);
    l->y[TARGET_PSNR] = plain(f->psnr_db); /* of identical frames: no number to learn */
    l->y[TARGET_SSIM] = plain(f->ssim);
}

/* Sizes in a ladder label are separated by commas. */
static float output_count(const struct scenario *s)
{
    float n = 1;

    for (size_t i = 0; i < s->output_ladder.n; i++)
        n += s->output_ladder.p[i] == ',';
    return n;
}

static void features(struct lesson *l, const struct facts *f)
{
    double asked = positive(f->bitrate_bps), came = positive(f->actual_bitrate_bps);

    l->streams = f->streams >= 1 && f->streams < 1e9 ? (float)f->streams : 1;
    l->width = positive(f->width);
    l->height = positive(f->height);
    l->fps = positive(f->fps);
    l->content_s = positive(f->content_s);
    l->pixel_rate = positive(f->pixels / f->content_s);
    if (isnan(l->pixel_rate))
        l->pixel_rate = positive(f->pixels_per_s);
    l->asked_bps = asked;
    l->came_bps = isnan(came) ? asked : came;
    l->crf = plain(f->crf);
    l->real_time = fabs(f->duration_s - f->content_s) <= REAL_TIME_SHARE * f->content_s;
}

static bool over(const struct scenario *s)
{
    bool open = !isnan(s->start_s) && isnan(s->facts.duration_s);

    return s->state == SCENARIO_TOLD && s->watched != SCENARIO_ABORTED && !open;
}

static void add(struct builder *b, const struct scenario *s, uint32_t index)
{
    struct lesson *l = &b->of[b->count];

    if (s->is_baseline || !over(s))
        return;
    l->index = index;
    l->by_quality = conditions_by_quality(s);
    l->source = text_number(b, s->source);
    l->encoder = s->encoder_given ? text_number(b, s->encoder) : 0;
    l->preset = s->preset_given ? text_number(b, s->preset) : 0;
    l->quality_group = quality_group(b, s);
    l->compute_group = compute_group(b, s);
    if (b->full)
        return;
    for (size_t t = 0; t < TARGET_COUNT; t++)
        l->y[t] = NAN;
    l->outputs = output_count(s);
    features(l, &s->facts);
    measure(l, &s->facts);
    b->count++;
}

/* ---- all of them ------------------------------------------------------------------ */

static void hash_lessons(struct lessons *l, const struct builder *b)
{
    struct hash h =
        hash_of((struct view){ (const char *)l->of, l->count * sizeof *l->of }, 0);

    h = hash_of(buf_as_view(&b->bytes), h.part[0] ^ h.part[1]);
    h = hash_of((struct view){ (const char *)b->ends, b->texts * sizeof *b->ends },
                h.part[0] ^ h.part[1]);
    h = hash_of(l->id, h.part[0] ^ h.part[1]);
    l->hash[0] = h.part[0];
    l->hash[1] = h.part[1];
}

static struct lessons *pack(const struct builder *b, const struct run *run)
{
    size_t lessons_size = b->count * sizeof(struct lesson);
    size_t views_size = b->texts * sizeof(struct view);
    char *block = mem_zalloc(sizeof(struct lessons) + lessons_size + views_size +
                             b->bytes.n + run->id.n);
    struct lessons *l = (struct lessons *)(void *)block;
    struct view *texts =
        (struct view *)(void *)(block + sizeof(struct lessons) + lessons_size);
    char *bytes = (char *)texts + views_size;

    atomic_init(&l->refs, 1);
    l->count = b->count;
    l->scenario_count = run->count;
    l->of = (struct lesson *)(void *)(block + sizeof *l);
    memcpy(l->of, b->of, lessons_size);
    if (b->bytes.n)
        memcpy(bytes, b->bytes.p, b->bytes.n);
    if (run->id.n)
        memcpy(bytes + b->bytes.n, run->id.p, run->id.n);
    l->id = (struct view){ bytes + b->bytes.n, run->id.n };
    for (uint32_t i = 1; i < b->texts; i++)
        texts[i] = (struct view){ bytes + b->ends[i - 1], b->ends[i] - b->ends[i - 1] };
    l->texts = texts;
    l->text_count = b->texts;
    hash_lessons(l, b);
    return l;
}

const struct lessons *lessons_of(const struct run *run)
{
    struct builder b = { .texts = 1, .texts_room = 16 };
    struct lessons *l = NULL;

    b.of = mem_zalloc((run->count + 1) * sizeof *b.of);
    b.ends = mem_zalloc(b.texts_room * sizeof *b.ends);
    /* source, encoder, preset and two groups of each */
    hash_index_init(&b.known, (size_t)run->count * 5 < TEXTS_MAX
                                  ? (size_t)run->count * 5
                                  : TEXTS_MAX);
    for (uint32_t i = 0; i < run->count && !b.full; i++)
        add(&b, run->scenarios[i], i);
    if (b.count)
        l = pack(&b, run);
    hash_index_deinit(&b.known);
    buf_deinit(&b.bytes);
    buf_deinit(&b.scratch);
    free(b.ends);
    free(b.of);
    return l;
}

const struct lessons *lessons_ref(const struct lessons *l)
{
    atomic_fetch_add_explicit(&((struct lessons *)(uintptr_t)l)->refs, 1,
                              memory_order_relaxed);
    return l;
}

const struct lessons *lessons_first(const struct lessons *l, uint32_t limit)
{
    struct lessons *some = mem_zalloc(sizeof *some);

    atomic_init(&some->refs, 1);
    some->texts = l->texts;
    some->text_count = l->text_count;
    some->scenario_count = limit;
    some->id = l->id;
    some->of = l->of;
    while (some->count < l->count && l->of[some->count].index < limit)
        some->count++;
    some->hash[0] = l->hash[0] + some->count;
    some->hash[1] = l->hash[1] ^ limit;
    return some;
}

void lessons_unref(const struct lessons *l)
{
    struct lessons *mine = (struct lessons *)(uintptr_t)l;

    if (mine && atomic_fetch_sub_explicit(&mine->refs, 1, memory_order_acq_rel) == 1)
        free(mine);
}
