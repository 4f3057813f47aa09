/*
 * tell_json.c - the answer as one JSON object (docs/predictions.md has its schema).
 *
 * What is not known is no member: a reader sees at once whether there is a figure.
 */
#include "modules/predict/tell_inner.h"

#include "core/json_text.h"
#include "core/utf8.h"

#include <math.h>

struct out { /* puts the commas */
    struct buf *to;
    bool begun; /* the innermost object or list has a member */
};

static void add_text(struct buf *to, struct view v)
{
    struct buf good = { 0 };

    utf8_repair(v, &good);
    json_text_string(to, buf_as_view(&good));
    buf_deinit(&good);
}

static void next(struct out *o, const char *key)
{
    if (o->begun)
        buf_char(o->to, ',');
    o->begun = true;
    if (key)
        buf_fmt(o->to, "\"%s\":", key);
}

static void open_as(struct out *o, const char *key, char bracket)
{
    next(o, key);
    buf_char(o->to, bracket);
    o->begun = false;
}

static void close_as(struct out *o, char bracket)
{
    buf_char(o->to, bracket);
    o->begun = true;
}

static void add_number(struct out *o, const char *key, double v)
{
    if (!isfinite(v))
        return;
    next(o, key);
    buf_double(o->to, v);
}

static void add_string(struct out *o, const char *key, struct view v)
{
    if (v.n == 0)
        return;
    next(o, key);
    add_text(o->to, v);
}

static void add_ends(struct out *o, const struct estimate *e)
{
    add_number(o, "value", e->value);
    add_number(o, "low", e->low);
    add_number(o, "high", e->high);
}

static void add_estimate(struct out *o, const char *key, const struct estimate *e,
                         double confidence)
{
    if (isnan(e->value))
        return;
    open_as(o, key, '{');
    add_ends(o, e);
    add_number(o, "confidence", confidence);
    close_as(o, '}');
}

static void add_cost(struct out *o, const char *currency,
                     const struct whatif_outlook *w, const struct estimate *e)
{
    open_as(o, NULL, '{');
    add_string(o, "currency", view_of(currency));
    add_string(o, "parts", view_of(cost_parts(w)));
    add_ends(o, e);
    close_as(o, '}');
}

static void add_prices(struct out *o, const struct answer *a,
                       const struct whatif_outlook *w)
{
    struct estimate e;
    bool any = false;

    if (!a->priced)
        return;
    for (size_t i = 0; i < a->t.count; i++) {
        e = tell_hourly_cost(w, &a->t.in[i]);
        if (isnan(e.value))
            continue;
        if (!any)
            open_as(o, "cost_per_hour", '[');
        any = true;
        add_cost(o, a->t.in[i].currency, w, &e);
    }
    if (any)
        close_as(o, ']');
    e = tell_hourly_co2_kg(w, &a->t);
    add_estimate(o, "co2_kg_per_hour", &e, NAN);
}

static void add_figures(struct out *o, const struct answer *a,
                        const struct whatif_outlook *w)
{
    for (size_t i = 0; i < TARGET_COUNT; i++) {
        const struct answer_figure *f = &answer_figures[i];

        add_estimate(o, f->key, answer_estimate(f, w), w->confidence[f->target]);
    }
    add_prices(o, a, w);
}

static void add_asked(struct out *o, const struct answer *a)
{
    const struct whatif *w = &a->asked.what;

    open_as(o, "asked", '{');
    add_number(o, "bitrate_kbps", w->bitrate_kbps);
    add_number(o, "width", w->width);
    add_number(o, "height", w->height);
    add_number(o, "fps", w->fps);
    add_string(o, "encoder", w->encoder);
    add_string(o, "preset", w->preset);
    add_number(o, "target_vmaf", a->asked.target_vmaf);
    close_as(o, '}');
}

static void add_models(struct out *o, const struct answer *a)
{
    uint32_t sources;
    bool holds = answer_holds_for_new(a, &sources);

    open_as(o, "models", '{');
    add_string(o, "version", view_of(outlook_version(a->o)));
    add_number(o, "encodes", (double)outlook_lessons(a->o));
    add_string(o, "scope", view_of(scope_name(holds ? SCOPE_NEW : SCOPE_KNOWN)));
    close_as(o, '}');
}

static void add_reason(struct out *o, const char *what, const char *reason)
{
    if (!*reason)
        return;
    open_as(o, NULL, '{');
    add_string(o, "what", view_of(what));
    add_string(o, "reason", view_of(reason));
    close_as(o, '}');
}

void answer_as_json(const struct answer *a, struct buf *out)
{
    struct out o = { out, false };

    open_as(&o, NULL, '{');
    add_asked(&o, a);
    add_models(&o, a);
    open_as(&o, "predicted", '{');
    add_figures(&o, a, &a->asked);
    close_as(&o, '}');
    add_estimate(&o, "recommended_bitrate_kbps", &a->asked.recommended_kbps, NAN);
    open_as(&o, "bitrates", '[');
    for (size_t i = 0; i < a->rows; i++) {
        open_as(&o, NULL, '{');
        add_number(&o, "bitrate_kbps", a->row[i].what.bitrate_kbps);
        add_figures(&o, a, &a->row[i]);
        close_as(&o, '}');
    }
    close_as(&o, ']');
    open_as(&o, "unsaid", '[');
    for (size_t i = 0; i < TARGET_COUNT; i++)
        add_reason(&o, answer_figures[i].key, a->why[answer_figures[i].target]);
    add_reason(&o, "recommended_bitrate_kbps", a->why_bitrate);
    close_as(&o, ']');
    close_as(&o, '}');
    buf_char(out, '\n');
}
