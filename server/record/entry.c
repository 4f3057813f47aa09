#include "server/record/entry.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/json_text.h"
#include "core/utf8.h"

static void add_text(struct buf *out, struct view text)
{
    struct buf good = { 0 };

    utf8_repair(text, &good);
    json_text_string(out, buf_as_view(&good));
    buf_deinit(&good);
}

/* ---- members: nothing where the user sets the same field -------------------------- */

static bool is_set(const struct entry *t, struct view key)
{
    for (size_t i = 0; i < t->config->field_count; i++)
        if (view_eq(t->config->fields[i].key, key))
            return true;
    return false;
}

static void add_key(struct buf *out, struct view key)
{
    buf_str(out, out->p[out->n - 1] == '{' ? "" : ", ");
    add_text(out, key);
    buf_str(out, ": ");
}

static void put_text(const struct entry *t, struct buf *out, const char *key,
                     struct view value)
{
    if (value.n == 0 || is_set(t, view_of(key)))
        return;
    add_key(out, view_of(key));
    add_text(out, value);
}

/* With at most this many decimals. */
static void put_number(const struct entry *t, struct buf *out, const char *key,
                       double value, int decimals)
{
    char digits[64];
    int n;

    if (isnan(value) || is_set(t, view_of(key)))
        return;
    n = snprintf(digits, sizeof digits, "%.*f", decimals, value);
    while (decimals && digits[n - 1] == '0')
        n--;
    if (digits[n - 1] == '.')
        n--;
    add_key(out, view_of(key));
    buf_add(out, digits, (size_t)n);
}

/* ---- what it is --------------------------------------------------------------------- */

static void add_set(const struct entry *t, struct buf *out)
{
    for (size_t i = 0; i < t->config->field_count; i++) {
        const struct record_pair *p = &t->config->fields[i];

        add_key(out, p->key);
        if (record_field_kind(p->key) == RECORD_NUMBER)
            buf_double(out, strtod(p->value.p, NULL));
        else
            add_text(out, p->value);
    }
}

static bool is_param(const struct record_config *c, const char *key)
{
    for (size_t i = 0; i < c->param_count; i++)
        if (view_eq(c->params[i].key, view_of(key)))
            return true;
    return false;
}

static void add_params(const struct entry *t, const struct argument_output *o,
                       struct buf *out)
{
    const struct record_config *c = t->config;
    struct buf inner = { 0 };

    buf_char(&inner, '{');
    for (size_t i = 0; i < c->param_count; i++) {
        add_key(&inner, c->params[i].key);
        add_text(&inner, c->params[i].value);
    }
    for (size_t i = 0; o && i < o->param_count; i++)
        if (!is_param(c, o->params[i].name)) {
            add_key(&inner, view_of(o->params[i].name));
            add_text(&inner, o->params[i].value);
        }
    if (inner.n > 1) {
        add_key(out, VIEW("params"));
        buf_view(out, buf_as_view(&inner));
        buf_char(out, '}');
    }
    buf_deinit(&inner);
}

static void add_settings(const struct entry *t, const struct argument_output *o,
                         struct buf *out)
{
    put_text(t, out, "encoder", o->encoder);
    put_text(t, out, "codec", view_of(o->codec));
    put_text(t, out, "preset", o->preset);
    put_text(t, out, "bitrate", view_of(o->bitrate));
    put_number(t, out, "crf", o->crf, 3);
    put_text(t, out, "rate_control", view_of(o->rate_control));
    if (o->two_passes)
        put_number(t, out, "passes", 2, 0);
    put_text(t, out, "resolution", view_of(o->resolution));
    put_number(t, out, "fps", o->fps, 6);
}

/* What all outputs share stays; what differs is told of each as far as there is a field. */
static struct argument_output shared_settings(const struct arguments *a)
{
    struct argument_output all = a->outputs[0];

    for (size_t i = 1; i < a->output_count && i < ARGUMENTS_OUTPUTS_MAX; i++) {
        if (!view_eq(all.encoder, a->outputs[i].encoder)) {
            all.encoder = (struct view){ NULL, 0 };
            all.codec = "";
        }
        if (!view_eq(all.preset, a->outputs[i].preset))
            all.preset = (struct view){ NULL, 0 };
    }
    all.bitrate[0] = all.resolution[0] = '\0';
    all.rate_control = "";
    all.crf = all.fps = NAN;
    all.two_passes = false;
    all.param_count = 0;
    return all;
}

/* The ladder, as far as every rung of it has a size. */
static void add_outputs(const struct entry *t, struct buf *out)
{
    const struct arguments *a = t->arguments;

    if (a->output_count > ARGUMENTS_OUTPUTS_MAX || is_set(t, VIEW("outputs")))
        return;
    for (size_t i = 0; i < a->output_count; i++)
        if (!a->outputs[i].resolution[0])
            return;
    add_key(out, VIEW("outputs"));
    for (size_t i = 0; i < a->output_count; i++) {
        const struct argument_output *o = &a->outputs[i];

        buf_str(out, i ? ", {" : "[{");
        put_text(t, out, "resolution", view_of(o->resolution));
        put_number(t, out, "fps", o->fps, 6);
        put_text(t, out, "bitrate", view_of(o->bitrate));
        buf_char(out, '}');
    }
    buf_char(out, ']');
}

static void add_description(const struct entry *t, struct buf *out)
{
    const struct arguments *a = t->arguments;
    struct argument_output shared;

    put_text(t, out, "source", t->source);
    put_text(t, out, "reference", t->reference);
    put_text(t, out, "output", t->output);
    if (a && a->output_count == 1) {
        add_settings(t, &a->outputs[0], out);
    } else if (a) {
        shared = shared_settings(a);
        add_settings(t, &shared, out);
        add_outputs(t, out);
    }
    add_set(t, out);
    add_params(t, a && a->output_count == 1 ? &a->outputs[0] : NULL, out);
}

/* ---- what it took ------------------------------------------------------------------ */

static void add_figures(const struct entry *t, struct buf *out)
{
    put_number(t, out, "media_seconds", t->media_s, 6);
    put_number(t, out, "total_frames", t->frames, 0);
    put_number(t, out, "dropped_frames", t->dropped_frames, 0);
    put_number(t, out, "actual_bitrate_kbps", t->bitrate_kbps, 3);
    put_number(t, out, "cpu_core_seconds", t->cpu_core_s, 6);
    if (t->core_count == 0)
        return;
    put_text(t, out, "series_kind", VIEW("mean"));
    put_number(t, out, "step_seconds", t->step_s, 6);
    add_key(out, VIEW("cpu_usage_cores"));
    for (size_t i = 0; i < t->core_count; i++)
        buf_fmt(out, "%s%.3f", i ? ", " : "[", t->cores[i]);
    buf_char(out, ']');
}

void entry_write(const struct entry *t, struct buf *out)
{
    buf_char(out, '{');
    add_key(out, VIEW("name"));
    add_text(out, t->name);
    add_description(t, out);
    put_number(t, out, "start_time", t->start_s, 6);
    if (t->recorder.n) {
        add_key(out, VIEW(ENTRY_RECORDING));
        buf_char(out, '{');
        put_text(t, out, "by", t->recorder);
        put_number(t, out, "at", t->now_s, 3);
        buf_char(out, '}');
    } else {
        put_number(t, out, "end_time", t->end_s, 6);
        put_number(t, out, "duration", t->duration_s, 6);
        put_number(t, out, "exit_status", t->exit_status, 0);
        add_figures(t, out);
    }
    buf_char(out, '}');
}
