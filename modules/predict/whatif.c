/*
 * whatif.c - the file of --predict.configs → encodes to predict.
 *
 * A file that says something wrong is refused as a whole: half of a list would look like a
 * whole one. A key that we do not know is wrong, too, because "bitrates" for "bitrate"
 * would otherwise be found out by nobody.
 *
 * The list is one block of memory: the array, then the bytes of its texts.
 */
#include "modules/predict/outlook.h"

#include "core/json.h"
#include "core/mem.h"
#include "core/notation.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

enum { CONFIGS_MAX = 1000, TEXT_MAX = 200 };

/* What the predecessor predicted. */
static const struct whatif defaults[] = {
    { VIEW("720p30_2mbps"), 2000, 1280, 720, 30, { NULL, 0 }, { NULL, 0 } },
    { VIEW("1080p30_4mbps"), 4000, 1920, 1080, 30, { NULL, 0 }, { NULL, 0 } },
    { VIEW("1080p60_6mbps"), 6000, 1920, 1080, 60, { NULL, 0 }, { NULL, 0 } },
    { VIEW("4k30_15mbps"), 15000, 3840, 2160, 30, { NULL, 0 }, { NULL, 0 } },
};

struct reader {
    const char *file;
    size_t index; /* of the configuration that is being read */
    struct err *e;
};

static int refuse(const struct reader *r, const char *key, const char *why)
{
    return err_set(r->e, -EINVAL, "%s: configs[%zu].%s: %s", r->file, r->index, key,
                   why);
}

/* ---- values ----------------------------------------------------------------------- */

/* null is the same as leaving the key out. */
static const struct json_value *given(const struct json_value *object, struct view key)
{
    const struct json_value *v = json_member(object, key);

    return v && v->type != JSON_NULL ? v : NULL;
}

/* Optional. */
static int read_text(const struct reader *r, const struct json_value *object,
                     const char *key, struct view *out)
{
    const struct json_value *v = given(object, view_of(key));

    if (!v)
        return 0;
    if (v->type != JSON_STRING)
        return refuse(r, key, "is no text");
    if (v->n > TEXT_MAX)
        return refuse(r, key, "has more than 200 bytes");
    *out = json_text(v);
    return 0;
}

static int read_name(const struct reader *r, const struct json_value *object,
                     const struct whatif before[], struct view *out)
{
    int rc = read_text(r, object, "name", out);

    if (rc < 0)
        return rc;
    if (out->n == 0)
        return refuse(r, "name", "is missing");
    for (size_t i = 0; i < r->index; i++)
        if (view_eq(before[i].name, *out))
            return refuse(r, "name", "appears twice");
    return 0;
}

static int read_bitrate(const struct reader *r, const struct json_value *object,
                        double *kbps)
{
    const struct json_value *v = given(object, VIEW("bitrate"));
    double bps = NAN;

    if (!v)
        return refuse(r, "bitrate", "is missing");
    if (v->type == JSON_STRING)
        bps = notation_bitrate_bps(json_text(v));
    else if (v->type == JSON_NUMBER)
        bps = notation_bare_bitrate_bps(v->number);
    if (!(bps > 0) || !isfinite(bps))
        return refuse(r, "bitrate", "is no bit rate above 0, as \"4M\"");
    *kbps = bps / 1000;
    return 0;
}

static int read_resolution(const struct reader *r, const struct json_value *object,
                           struct whatif *out)
{
    const struct json_value *v = given(object, VIEW("resolution"));

    if (!v)
        return refuse(r, "resolution", "is missing");
    if (v->type != JSON_STRING ||
        !notation_resolution(json_text(v), &out->width, &out->height) ||
        !(out->width > 0) || !(out->height > 0))
        return refuse(r, "resolution", "is no size above 0, as \"1920x1080\"");
    return 0;
}

static int read_fps(const struct reader *r, const struct json_value *object,
                    double *out)
{
    const struct json_value *v = given(object, VIEW("fps"));

    if (!v)
        return refuse(r, "fps", "is missing");
    if (v->type != JSON_NUMBER || !(v->number > 0) || v->number > 1000)
        return refuse(r, "fps", "is no number above 0 and up to 1000");
    *out = v->number;
    return 0;
}

static int known_keys(const struct reader *r, const struct json_value *object)
{
    static const char *const keys[] = { "name", "bitrate", "resolution",
                                        "fps",  "encoder", "preset" };

    for (uint32_t i = 0; i < object->n; i++) {
        size_t k = 0, seen = 0;

        while (k < sizeof keys / sizeof *keys &&
               !view_eq(object->members[i].key, view_of(keys[k])))
            k++;
        if (k == sizeof keys / sizeof *keys)
            return err_set(r->e, -EINVAL,
                           "%s: configs[%zu]: a key is none of name, bitrate, "
                           "resolution, fps, encoder, preset",
                           r->file, r->index);
        for (uint32_t j = 0; j < object->n; j++)
            seen += view_eq(object->members[j].key, view_of(keys[k]));
        if (seen > 1)
            return refuse(r, keys[k], "appears twice");
    }
    return 0;
}

static int read_one(const struct reader *r, const struct json_value *v,
                    struct whatif all[])
{
    struct whatif *out = &all[r->index];
    int rc;

    if (v->type != JSON_OBJECT)
        return err_set(r->e, -EINVAL, "%s: configs[%zu]: is no object", r->file,
                       r->index);
    if ((rc = known_keys(r, v)) < 0 || (rc = read_name(r, v, all, &out->name)) < 0 ||
        (rc = read_bitrate(r, v, &out->bitrate_kbps)) < 0 ||
        (rc = read_resolution(r, v, out)) < 0 || (rc = read_fps(r, v, &out->fps)) < 0 ||
        (rc = read_text(r, v, "encoder", &out->encoder)) < 0)
        return rc;
    return read_text(r, v, "preset", &out->preset);
}

/* ---- the list --------------------------------------------------------------------- */

static struct view take(char **at, struct view v)
{
    struct view copy = { *at, v.n };

    if (v.n == 0)
        return (struct view){ NULL, 0 };
    memcpy(*at, v.p, v.n);
    *at += v.n;
    return copy;
}

static void keep(const struct whatif from[], size_t count, double target_vmaf,
                 struct whatif_list *out)
{
    size_t bytes = 0;
    char *text;

    for (size_t i = 0; i < count; i++)
        bytes += from[i].name.n + from[i].encoder.n + from[i].preset.n;
    out->all = mem_alloc(count * sizeof *from + bytes + 1);
    out->count = count;
    out->target_vmaf = target_vmaf;
    text = (char *)(out->all + count);
    for (size_t i = 0; i < count; i++) {
        out->all[i] = from[i];
        out->all[i].name = take(&text, from[i].name);
        out->all[i].encoder = take(&text, from[i].encoder);
        out->all[i].preset = take(&text, from[i].preset);
    }
}

static int read_list(const struct json_value *doc, struct reader *r, double target_vmaf,
                     struct arena *mem, struct whatif_list *out)
{
    const struct json_value *list =
        doc->type == JSON_OBJECT ? given(doc, VIEW("configs")) : NULL;
    struct whatif *all;

    if (!list || list->type != JSON_ARRAY)
        return err_set(r->e, -EINVAL, "%s: holds no array \"configs\"", r->file);
    if (list->n > CONFIGS_MAX)
        return err_set(r->e, -EINVAL, "%s: configs: more than %d", r->file,
                       CONFIGS_MAX);
    all = arena_new(mem, struct whatif, list->n + 1);
    for (r->index = 0; r->index < list->n; r->index++) {
        int rc = read_one(r, &list->items[r->index], all);

        if (rc < 0)
            return rc;
    }
    keep(all, list->n, target_vmaf, out);
    return 0;
}

int whatif_read(struct view text, const char *file, double target_vmaf,
                struct whatif_list *out, struct err *e)
{
    struct reader r = { .file = file, .e = e };
    const struct json_value *doc;
    struct json_parser *p;
    struct arena mem = { 0 };
    struct err why = { 0 };
    int rc;

    if (!text.p) {
        keep(defaults, sizeof defaults / sizeof *defaults, target_vmaf, out);
        return 0;
    }
    p = json_parser_new();
    if (json_parse(p, text, &mem, &doc, &why) < 0)
        rc = err_set(e, -EINVAL, "%s: %s", file, why.text);
    else
        rc = read_list(doc, &r, target_vmaf, &mem, out);
    arena_deinit(&mem);
    json_parser_free(p);
    return rc;
}

void whatif_deinit(struct whatif_list *l)
{
    free(l->all);
    *l = (struct whatif_list){ 0 };
}
