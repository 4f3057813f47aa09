#include "modules/live/encode_json.h"

#include <math.h>

#include "core/json_text.h"
#include "modules/live/scores.h"

static void add_key(struct buf *out, const char *key)
{
    buf_str(out, ",\"");
    buf_str(out, key);
    buf_str(out, "\":");
}

static void add_number(struct buf *out, const char *key, double v)
{
    if (isnan(v))
        return;
    add_key(out, key);
    json_text_number(out, v);
}

static void add_exact(struct buf *out, const char *key, double v)
{
    if (isnan(v))
        return;
    add_key(out, key);
    json_text_exact(out, v);
}

static void add_score(struct buf *out, const struct encode *e,
                      const struct score_column *c)
{
    const struct frame_scores *s = &c->column->scores;
    struct buf name = { 0 };

    score_name(e, c, &name);
    json_text_string(out, buf_as_view(&name));
    buf_deinit(&name);
    buf_str(out, ":{\"frames\":");
    buf_u64(out, s->finite + s->infinite);
    add_number(out, "mean", s->finite ? s->mean : NAN);
    add_number(out, "min", s->finite ? s->min : INFINITY);
    buf_char(out, '}');
}

static void add_scores(struct buf *out, const struct encode *e)
{
    struct score_column c = { 0 };
    bool any = false;

    while (score_next(e, &c)) {
        if (any)
            buf_char(out, ',');
        else
            buf_str(out, ",\"metrics\":{");
        any = true;
        add_score(out, e, &c);
    }
    if (any)
        buf_char(out, '}');
}

void encode_json(const struct encode *e, struct buf *out)
{
    if (e->state != SCENARIO_TOLD) {
        add_key(out, "state");
        json_text_string(out, view_of(scenario_state_name(e->state)));
        add_exact(out, "start", e->start_s);
    }
    add_exact(out, "last", e->last_s);
    add_exact(out, "end", e->end_s);
    add_exact(out, "frames", e->frames);
    add_number(out, "fps", e->fps);
    add_number(out, "speed", e->speed_ratio);
    add_number(out, "bitrate_bps", e->bitrate_bps);
    add_exact(out, "output_bytes", e->output_bytes);
    add_exact(out, "out_time_s", e->out_time_s);
    add_exact(out, "dropped_frames", e->dropped_frames);
    add_exact(out, "duplicated_frames", e->duplicated_frames);
    add_number(out, "progress", encode_progress_ratio(e));
    add_number(out, "eta_s", encode_eta_s(e));
    if (e->quantizer_count)
        add_number(out, "quantizer", e->quantizers[0].q);
    add_scores(out, e);
}
