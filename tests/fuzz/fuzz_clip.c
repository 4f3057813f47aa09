/*
 * fuzz_clip.c - the first line and what follows it as ffprobe's answers about two files, and
 * all of it as ffmpeg's list of filters: clips whose figures are within their limits, and
 * where they can be compared a command of our own words, in which nothing of theirs stands
 * but numbers.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "server/compute/recipe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void is_sound(const struct clip *c)
{
    require((c->mean.num == 0) == (c->mean.den == 0));
    require((c->base.num == 0) == (c->base.den == 0));
    require(isnan(c->duration_s) || (c->duration_s > 0 && isfinite(c->duration_s)));
    require(c->width <= 1000000 && c->height <= 1000000);
}

/* Letters, digits and what our own filters are written with. */
static void are_our_words(const char *filters)
{
    static const char known[] = "abcdefghijklmnopqrstuvwxyz"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789[]:;=,._-/|\\";

    require(strspn(filters, known) == strlen(filters));
    require(strlen(filters) > 0 && strstr(filters, "psnr"));
}

static void compare(const struct clip *output, const struct clip *reference,
                    bool can_vmaf)
{
    struct recipe_command command = { 0 };
    struct recipe r = { 0 };
    struct err e = { 0 };

    if (recipe_make(output, reference, can_vmaf, 2, &r, &e) < 0) {
        require(*e.text);
        return;
    }
    are_our_words(r.filters);
    require(r.width > 0 && r.height > 0);
    require((uint64_t)r.width * r.height <= RECIPE_PIXELS_MAX);
    require(!r.model || (can_vmaf && !output->wide_range && !reference->wide_range));
    require(r.peak >= 255 && (isnan(r.frames) || r.frames >= 0));
    recipe_compare(&r, "ffmpeg", 2, &command);
    require(command.count < RECIPE_ARGUMENTS_MAX && !command.argv[command.count]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct view rest = { (const char *)data, size }, first;
    struct clip output, reference;

    recipe_lists_vmaf(rest);
    view_split(&rest, '\n', &first);
    if (!clip_parse(first, &output))
        return 0;
    is_sound(&output);
    compare(&output, &output, true);
    if (!clip_parse(rest, &reference))
        return 0;
    is_sound(&reference);
    compare(&output, &reference, true);
    compare(&reference, &output, false);
    return 0;
}
