/*
 * encode.c - blocks of progress → how an encode stands and how fast it is.
 *
 * ffmpeg tells means since the start, which hide that an encode has become slow. What is
 * told as fps and speed is taken from the last seconds: frames and time of content between
 * two blocks, over the time between their arrivals.
 */
#include "modules/live/encode.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

enum { PACE = 16 }; /* blocks that are remembered */

static const double pace_s = 5;       /* over so much the present speed is taken */
static const double pace_least_s = 1; /* less tells nothing */

struct beat {
    double at_s, frames, out_time_s;
};

struct encode_pace {
    struct beat beats[PACE];
    size_t next, count;
    uint64_t run; /* of the last block */
};

struct encode *encode_new(struct view name, double now_s)
{
    struct encode *e = mem_zalloc(sizeof *e);

    e->name = mem_alloc(name.n + 1);
    memcpy(e->name, name.p, name.n);
    e->name[name.n] = '\0';
    e->name_n = name.n;
    e->pace = mem_zalloc(sizeof *e->pace);
    e->length_s = e->told_length_s = e->quality_s = NAN;
    e->scored_width = e->scored_height = NAN;
    encode_restart(e, now_s);
    e->state = SCENARIO_TOLD;
    return e;
}

void encode_free(struct encode *e)
{
    if (!e)
        return;
    for (int i = 0; i < ENCODE_LOGS; i++)
        encode_set_log(e, (enum encode_log)i, NULL);
    free(e->pace);
    free(e->name);
    free(e);
}

/* ---- progress --------------------------------------------------------------------------- */

static void set_state(struct encode *e, enum scenario_state state)
{
    if (e->state == state)
        return;
    e->state = state;
    e->version++;
    e->told++;
}

void encode_restart(struct encode *e, double now_s)
{
    e->start_s = now_s;
    e->last_s = e->end_s = NAN;
    e->frames = e->out_time_s = e->output_bytes = NAN;
    e->dropped_frames = e->duplicated_frames = NAN;
    e->bitrate_bps = e->fps = e->speed_ratio = NAN;
    e->quantizer_count = 0;
    *e->pace = (struct encode_pace){ 0 };
    e->version++;
    e->told++;
}

void encode_begin(struct encode *e, double now_s)
{
    encode_restart(e, now_s);
    set_state(e, SCENARIO_RUNNING);
}

static void take_quantizers(struct encode *e, const struct progress_block *b)
{
    e->quantizer_count = 0;
    for (size_t i = 0; i < b->stream_count; i++) {
        const struct progress_stream *s = &b->streams[i];

        if (!isnan(s->q))
            e->quantizers[e->quantizer_count++] =
                (struct encode_quantizer){ s->file, s->stream, s->q };
    }
}

/* The oldest beat that is not older than pace_s, of those before the last. */
static const struct beat *long_ago(const struct encode_pace *p, double now_s)
{
    const struct beat *found = NULL;

    for (size_t i = 1; i < p->count; i++) {
        const struct beat *b = &p->beats[(p->next + PACE - 1 - i) % PACE];

        if (now_s - b->at_s > pace_s && found)
            break;
        found = b;
    }
    return found;
}

static double rate(double now, double before, double in_s)
{
    return now >= before ? (now - before) / in_s : NAN;
}

static void take_pace(struct encode *e, const struct progress_block *b, double now_s)
{
    struct encode_pace *p = e->pace;
    const struct beat *before;
    double in_s;

    p->beats[p->next] = (struct beat){ now_s, b->frames, b->out_time_s };
    p->next = (p->next + 1) % PACE;
    p->count += p->count < PACE;
    before = long_ago(p, now_s);
    e->fps = b->fps;
    e->speed_ratio = b->speed;
    if (!before || !(now_s - before->at_s >= pace_least_s))
        return;
    in_s = now_s - before->at_s;
    e->fps = rate(b->frames, before->frames, in_s);
    e->speed_ratio = rate(b->out_time_s, before->out_time_s, in_s);
}

static double at_least_0(double v)
{
    return v < 0 ? 0 : v; /* NaN stays */
}

void encode_hear(struct encode *e, const struct progress_block *b, double now_s)
{
    bool first = isnan(e->last_s);

    if (!first && b->run != e->pace->run) {
        encode_restart(e, now_s);
        first = true;
    }
    e->pace->run = b->run;
    e->frames = b->frames;
    e->out_time_s = at_least_0(b->out_time_s);
    e->output_bytes = b->total_bytes;
    e->dropped_frames = b->drop_frames;
    e->duplicated_frames = b->dup_frames;
    e->bitrate_bps = b->bitrate_bps;
    take_quantizers(e, b);
    take_pace(e, b, now_s);
    e->last_s = now_s;
    e->end_s = b->end ? now_s : NAN;
    e->version++;
    e->told += first;
    set_state(e, b->end ? SCENARIO_ENDED : SCENARIO_RUNNING);
}

void encode_found(struct encode *e)
{
    double ran_s = e->frames / e->fps;

    if (!(ran_s >= 0) || isinf(ran_s))
        ran_s = e->out_time_s / e->speed_ratio;
    if (!(ran_s >= 0) || isinf(ran_s) || isnan(e->last_s))
        return;
    e->start_s = e->last_s - ran_s;
    e->version++;
    e->told++;
}

double encode_look(struct encode *e, double now_s, double stalled_s, double given_up_s)
{
    double heard_s = isnan(e->last_s) ? e->start_s : e->last_s;

    if (!scenario_runs(e->state))
        return INFINITY;
    /* A clock that was set back: what was heard was heard now. */
    if (heard_s > now_s)
        return now_s + stalled_s;
    if (now_s - heard_s < stalled_s)
        return heard_s + stalled_s;
    if (now_s - heard_s < given_up_s) {
        set_state(e, SCENARIO_STALLED);
        return heard_s + given_up_s;
    }
    e->end_s = heard_s;
    set_state(e, SCENARIO_ABORTED);
    return INFINITY;
}

void encode_cut(struct encode *e, double now_s)
{
    if (!scenario_runs(e->state))
        return;
    e->end_s = now_s;
    set_state(e, SCENARIO_ABORTED);
}

static double length_s(const struct encode *e)
{
    return e->length_s > 0 ? e->length_s : e->told_length_s;
}

double encode_progress_ratio(const struct encode *e)
{
    double ratio = e->out_time_s / length_s(e);

    if (!(length_s(e) > 0) || isnan(ratio))
        return NAN;
    return ratio < 1 ? ratio : 1;
}

double encode_eta_s(const struct encode *e)
{
    double left_s = length_s(e) - e->out_time_s;

    if (e->state == SCENARIO_ENDED || e->state == SCENARIO_ABORTED)
        return length_s(e) > 0 ? 0 : NAN;
    if (!(length_s(e) > 0) || isnan(left_s) || !(e->speed_ratio > 0))
        return NAN;
    return left_s > 0 ? left_s / e->speed_ratio : 0;
}

/* ---- scores ------------------------------------------------------------------------------ */

static void forget_figures(struct encode_scores *s)
{
    for (size_t i = 0; i < FRAME_COLUMNS_MAX; i++) {
        free(s->figures[i].below);
        s->figures[i] = (struct encode_figures){ 0 };
    }
}

void encode_set_log(struct encode *e, enum encode_log which,
                    const struct frame_table *table)
{
    struct encode_scores *s = e->logs[which];

    if (!table) {
        if (s)
            forget_figures(s);
        free(s);
        e->logs[which] = NULL;
    } else if (!s) {
        e->logs[which] = s = mem_zalloc(sizeof *s);
    } else {
        forget_figures(s);
    }
    if (table)
        s->table = table;
    if (which == ENCODE_LOG_VMAF) /* a log does not tell */
        e->scored_width = e->scored_height = NAN;
    encode_log_grown(e, which);
}

void encode_log_grown(struct encode *e, enum encode_log which)
{
    (void)which;
    e->version++;
    e->told++;
}

static void count_below(struct encode_figures *f, const struct frame_column *c,
                        const struct live_threshold *thresholds, size_t threshold_count)
{
    f->below_count = f->count;
    f->below = mem_resize(f->below, threshold_count + 1, sizeof *f->below);
    for (size_t i = 0; i < threshold_count; i++)
        if (view_eq(c->metric.metric, view_of(thresholds[i].metric)))
            frame_scores_below(&c->scores, &thresholds[i].score, 1, &f->below[i]);
}

const struct encode_figures *encode_figures(struct encode *e, enum encode_log which,
                                            size_t column, double now_s,
                                            const struct live_threshold *thresholds,
                                            size_t threshold_count)
{
    static const double cost_s = 3e-6; /* of a score: a thousand times what it takes */
    struct encode_figures *f = &e->logs[which]->figures[column];
    const struct frame_column *c = &e->logs[which]->table->columns[column];
    uint64_t restarts = e->logs[which]->table->restarts;
    bool soon;

    if (f->restarts != restarts) /* all of them are others */
        *f = (struct encode_figures){ .restarts = restarts, .below = f->below };
    soon = f->count && now_s >= f->at_s &&
           now_s - f->at_s < cost_s * (double)c->scores.count;
    if (f->count != c->scores.count && !soon) {
        f->count = c->scores.count;
        f->at_s = now_s;
        frame_scores_stats(&c->scores, &f->stats);
    }
    if (thresholds && f->below_count != f->count)
        count_below(f, c, thresholds, threshold_count);
    return f;
}

static bool same_metric(const struct frame_metric *a, const struct frame_metric *b)
{
    return view_eq(a->metric, b->metric) && view_eq(a->model, b->model);
}

bool encode_tells(const struct encode *e, enum encode_log which, size_t column)
{
    const struct frame_metric *m = &e->logs[which]->table->columns[column].metric;

    if (m->kind == FRAME_FEATURE)
        return false;
    for (int log = 0; log < (int)which; log++)
        for (size_t i = 0; e->logs[log] && i < e->logs[log]->table->column_count; i++)
            if (same_metric(&e->logs[log]->table->columns[i].metric, m))
                return false;
    return true;
}

/* The column that fills the score of a scenario: of this metric, and of no model that goes
 * beside the usual one, where there is such a column. */
static const struct encode_figures *figures_of(struct encode *e, enum encode_log which,
                                               struct view metric, double now_s)
{
    const struct encode_scores *s = e->logs[which];
    size_t found = SIZE_MAX;

    for (size_t i = 0; s && i < s->table->column_count; i++) {
        const struct frame_metric *m = &s->table->columns[i].metric;

        if (!view_eq(m->metric, metric) || !encode_tells(e, which, i))
            continue;
        if (found == SIZE_MAX || m->model.n == 0)
            found = i;
    }
    return found == SIZE_MAX ? NULL : encode_figures(e, which, found, now_s, NULL, 0);
}

static void watch_scores(struct encode *e, double now_s, struct watched *out)
{
    const struct encode_figures *f;

    if ((f = figures_of(e, ENCODE_LOG_VMAF, VIEW("vmaf"), now_s))) {
        out->vmaf = f->stats.mean;
        out->vmaf_harmonic_mean = f->stats.harmonic_mean;
        out->vmaf_min = f->stats.min;
        out->vmaf_p1 = f->stats.p1;
        out->vmaf_p5 = f->stats.p5;
        out->vmaf_width = e->scored_width;
        out->vmaf_height = e->scored_height;
    }
    if ((f = figures_of(e, ENCODE_LOG_PSNR, VIEW("psnr"), now_s))) {
        const struct frame_table *t = e->logs[ENCODE_LOG_PSNR]->table;

        out->psnr_db = frame_table_psnr_of_mean_mse(
            t, frame_table_metric(t, VIEW("psnr"), VIEW("")));
        out->psnr_min_db = f->stats.min;
    }
    f = figures_of(e, ENCODE_LOG_SSIM, VIEW("ssim"), now_s);
    if (!f)
        f = figures_of(e, ENCODE_LOG_VMAF, VIEW("ssim"), now_s);
    if (f)
        out->ssim = f->stats.mean;
}

void encode_watched(struct encode *e, double now_s, struct watched *out)
{
    double took_s = e->end_s - e->start_s;

    *out = watched_nothing();
    out->content_s = e->out_time_s;
    out->frames = e->frames;
    out->dropped_frames = e->dropped_frames;
    out->quality_s = e->quality_s;
    if (took_s > 0)
        out->avg_fps = e->frames / took_s;
    if (e->out_time_s > 0)
        out->actual_bitrate_bps = e->output_bytes * 8 / e->out_time_s;
    watch_scores(e, now_s, out);
}
