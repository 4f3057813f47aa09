#include "server/page/row.h"

#include <inttypes.h>
#include <math.h>

#include "core/json_text.h"
#include "modules/compare/compare_set.h"

/* As keys of further ones do: "a#2". */
static bool ends_in_number(struct view name)
{
    size_t n = name.n;

    while (n > 0 && name.p[n - 1] >= '0' && name.p[n - 1] <= '9')
        n--;
    return n > 0 && n < name.n && name.p[n - 1] == '#';
}

void row_key(struct buf *out, struct view run, struct view name, uint32_t nth)
{
    buf_view(out, run);
    buf_char(out, '/');
    buf_view(out, name);
    if (nth > 1 || ends_in_number(name))
        buf_fmt(out, "#%" PRIu32, nth);
}

static void add_text(struct buf *out, const char *key, struct view v)
{
    if (v.n == 0)
        return;
    buf_fmt(out, ",\"%s\":", key);
    json_text_string(out, v);
}

/* A figure, to six digits. */
static void add_number(struct buf *out, const char *key, double v)
{
    if (isnan(v))
        return;
    buf_fmt(out, ",\"%s\":", key);
    json_text_number(out, v);
}

/* Seconds: a time needs more than six digits. */
static void add_seconds(struct buf *out, const char *key, double v)
{
    if (!isfinite(v))
        return;
    buf_fmt(out, ",\"%s\":", key);
    json_text_exact(out, v);
}

/* What is compared has to be told to the last digit. */
static void add_exact(struct buf *out, const char *key, double v)
{
    if (!isfinite(v))
        return;
    buf_fmt(out, ",\"%s\":", key);
    buf_double(out, v);
}

static void add_labels(struct buf *out, const struct scenario *s)
{
    const char *state = scenario_state_name(scenario_stands(s));
    const struct view none = VIEW("");

    if (state)
        add_text(out, "state", view_of(state));
    add_text(out, "source", s->source);
    add_text(out, "encoder", s->encoder_given ? s->encoder : none);
    add_text(out, "preset", s->preset_given ? s->preset : none);
    add_text(out, "codec", s->codec);
    add_text(out, "resolution", s->resolution);
    add_number(out, "fps", s->facts.fps);
    add_text(out, "bitrate", s->bitrate);
}

void row_json(struct buf *out, struct view key, const struct place *at, double cost,
              const uint64_t set[2])
{
    const struct scenario *s = at->s;
    const struct facts *f = &s->facts;

    buf_str(out, "{\"kind\":\"scenario\",\"key\":");
    json_text_string(out, key);
    add_text(out, "run", at->run->id);
    add_text(out, "name", s->name);
    add_labels(out, s);
    add_seconds(out, "start", s->start_s);
    add_seconds(out, "end", s->end_s);
    add_seconds(out, "duration_s", f->duration_s);
    add_exact(out, "bitrate_bps", compare_rate_bps(f));
    add_number(out, "energy_j", f->energy_j);
    add_number(out, "power_w", f->mean_power_w);
    add_exact(out, "cost", compare_plain_cost(cost));
    add_exact(out, "vmaf", f->vmaf);
    add_number(out, "psnr_db", f->psnr_db);
    add_number(out, "ssim", f->ssim);
    if (set)
        buf_fmt(out, ",\"set\":\"%016" PRIx64 "%016" PRIx64 "\"", set[0], set[1]);
    buf_char(out, '}');
}
