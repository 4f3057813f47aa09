/*
 * fuzz_recipe.c - the first line is what ffprobe writes of an encode, the rest of its
 * reference: whatever it says, a command for ffmpeg holds but words of our own and numbers.
 */
#include "server/compute/recipe.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void check_clip(const struct clip *c)
{
    require(isnan(c->duration_s) || c->duration_s > 0);
    require(!c->mean.num == !c->mean.den && !c->base.num == !c->base.den);
}

static void check_recipe(const struct recipe *r)
{
    static const char words[] = "abcdefghijklmnopqrstuvwxyzPTSAR0123456789[]:;,=/._-";
    struct recipe_command command;

    require(strspn(r->filters, words) == strlen(r->filters));
    require(strlen(r->filters) < sizeof r->filters - 1); /* not cut off */
    require(r->filters[strlen(r->filters) - 1] == ']');
    require((uint64_t)r->width * r->height <= RECIPE_PIXELS_MAX);
    require(isnan(r->frames) || r->frames >= 0);
    recipe_compare(r, "ffmpeg", 1, &command);
    require(command.count <= RECIPE_ARGUMENTS_MAX && !command.argv[command.count - 1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct view rest = { (const char *)data, size }, first;
    struct clip output, reference;
    struct recipe r;
    struct err e;

    if (!view_split(&rest, '\n', &first))
        return 0;
    recipe_lists_vmaf(rest);
    if (!clip_parse(first, &output))
        return 0;
    check_clip(&output);
    if (!rest.p || !clip_parse(rest, &reference))
        return 0;
    check_clip(&reference);
    if (recipe_make(&output, &reference, true, 1, &r, &e) == 0)
        check_recipe(&r);
    return 0;
}
