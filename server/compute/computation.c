/*
 * computation.c - one measurement at a time: what is next, what came of it, who is told.
 *
 *   idle → (which filters has ffmpeg?) → open both files on the pool → measure → idle
 *
 * Files are looked at when their scenario is new or another, and once a round (AGAIN_MS): one
 * that was missing may be there by now, one that was measured may be another.
 */
#include "server/compute/computation.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/mem.h"
#include "server/compute/worker.h"
#include "server/compute/measurement.h"
#include "server/compute/pairs.h"
#include "server/compute/tools.h"
#include "server/log.h"

enum {
    PAUSE_MS = 1000, /* logs of frames that came with it are read by then */
    AGAIN_MS = 60000,
    ASK_MS = 30000,
    ASK_BYTES = 1 << 20,
};

struct computation {
    struct computation_host h;
    const struct compute_config *c;
    struct tools tools;
    struct pairs pairs;
    uv_timer_t timer;
    bool due;                        /* the timer waits for PAUSE_MS, not for a round */
    uint64_t round_ms;               /* uv_now() at which the next one begins */
    bool looking;                    /* files are being opened */
    struct worker *asking;           /* which filters there are */
    struct measurement *measurement; /* of now, whose files are: */
    struct pair *now;
    struct look_result files;
    bool full;        /* there is no room for what would be measured of this run */
    struct buf text;  /* of filters */
    char failed[480]; /* what the log says of ffmpeg as a whole */
    uint64_t counts[MEASUREMENT_OUTCOMES];
    bool stopped;
};

static void go_on(struct computation *c);

/* ---- time ----------------------------------------------------------------------------- */

static void on_timer(uv_timer_t *timer)
{
    struct computation *c = timer->data;

    c->due = false;
    if (uv_now(c->h.loop) >= c->round_ms) {
        c->pairs.round++;
        c->round_ms = uv_now(c->h.loop) + AGAIN_MS;
    }
    go_on(c);
}

static bool is_busy(const struct computation *c)
{
    return c->asking || c->looking || c->measurement;
}

static void wait_for_round(struct computation *c)
{
    uint64_t now_ms = uv_now(c->h.loop);

    if (!c->stopped && !c->due)
        uv_timer_start(&c->timer, on_timer,
                       c->round_ms > now_ms ? c->round_ms - now_ms : 1, 0);
}

/* ---- what came of it -------------------------------------------------------------------- */

static const char *const outcome_names[] = { "done", "failed", "timeout", "refused" };

static void say_failure(const struct computation *c, const struct measurement_result *r)
{
    char output[256];

    snprintf(output, sizeof output, "%.*s", VIEW_ARG(c->now->output));
    log_line(LOG_WARN, "the quality of an encode is not measured", "file", output,
             "reason", r->e.text, "ffmpeg", r->said && *r->said ? r->said : "-", NULL);
}

static void say_success(const struct computation *c, const struct measurement_result *r)
{
    char output[256], size[32], took[32], frames[32];

    snprintf(output, sizeof output, "%.*s", VIEW_ARG(c->now->output));
    snprintf(size, sizeof size, "%ux%u", r->width, r->height);
    snprintf(took, sizeof took, "%.3f", r->took_s);
    snprintf(frames, sizeof frames, "%zu", r->psnr->rows);
    log_line(LOG_INFO, "the quality of an encode was measured", "file", output, "size",
             size, "model", r->model ? r->model : "-", "frames", frames, "seconds",
             took, NULL);
}

/* Once for a pair, as long as its files stay what they are. */
static void settle(struct computation *c, const struct measurement_result *r)
{
    c->now->settled = true;
    c->now->done = r->outcome == MEASUREMENT_DONE;
    c->counts[r->outcome]++;
    if (r->outcome != MEASUREMENT_DONE)
        say_failure(c, r);
}

static void refuse(struct computation *c, const char *reason)
{
    struct measurement_result r = { .outcome = MEASUREMENT_REFUSED };

    err_set(&r.e, -EINVAL, "%s", reason);
    settle(c, &r);
}

static const struct run *newest(const struct computation *c)
{
    int64_t mtime_ns;

    return store_newest_run(c->h.store, &mtime_ns);
}

/* Hands scores over; false: there is no room for them. */
static bool hand_over(struct computation *c, struct measurement_result *r)
{
    const struct live_scores scores = {
        .run = newest(c)->id,
        .name = c->now->name,
        .output = c->now->output,
        .reference = c->now->reference,
        .psnr = r->psnr,
        .ssim = r->ssim,
        .vmaf = r->vmaf,
        .took_s = r->took_s,
        .width = r->width,
        .height = r->height,
    };

    r->psnr = r->ssim = r->vmaf = NULL;
    return live_measured(c->h.live, &scores);
}

/* What was compared is what lies there now. */
static bool files_stayed(const struct computation *c)
{
    for (size_t i = 0; i < LOOK_FILES; i++) {
        struct stamp now;

        if (!look_stamp(c->files.fds[i], &now) || !look_same(&now, &c->files.stamps[i]))
            return false;
    }
    return true;
}

static void take_result(struct computation *c, struct measurement_result *r)
{
    if (r->outcome == MEASUREMENT_DONE && !files_stayed(c)) {
        r->outcome = MEASUREMENT_FAILED;
        err_set(&r->e, -EAGAIN, "a file changed while it was measured");
    }
    if (r->outcome == MEASUREMENT_DONE) {
        say_success(c, r);
        if (!hand_over(c, r)) {
            r->outcome = MEASUREMENT_FAILED;
            c->full = true;
            err_set(&r->e, -ENOSPC,
                    "there is no room for more encodes (--live.max-encodes) or scores "
                    "of frames; no more of this run are measured");
        }
    }
    settle(c, r);
}

static void on_measured(void *ctx, struct measurement_result *r)
{
    struct computation *c = ctx;
    bool wanted =
        !c->stopped && pairs_wants(&c->pairs, c->now, newest(c), c->tools.vmaf);

    c->measurement = NULL;
    if (wanted && r->outcome != MEASUREMENT_STOPPED)
        take_result(c, r);
    else
        c->now->round = 0; /* it may be wanted again */
    look_close(&c->files);
    c->now = NULL;
    go_on(c);
}

/* ---- one after the other ------------------------------------------------------------------ */

static bool same_files(const struct pair *one, const struct look_result *r)
{
    return look_same(&one->stamps[LOOK_OUTPUT], &r->stamps[LOOK_OUTPUT]) &&
           look_same(&one->stamps[LOOK_REFERENCE], &r->stamps[LOOK_REFERENCE]);
}

static const struct scenario *scenario_of(const struct run *run, const struct pair *one)
{
    for (uint32_t i = 0; i < run->count; i++)
        if (view_eq(run->scenarios[i]->name, one->name))
            return run->scenarios[i];
    return NULL;
}

static void start_measuring(struct computation *c, const struct scenario *s)
{
    const struct facts *told = &scenario_told(s)->facts;
    const struct measurement_order order = {
        .loop = c->h.loop,
        .ffmpeg = c->tools.ffmpeg,
        .ffprobe = c->tools.ffprobe,
        .output = c->files.fds[LOOK_OUTPUT],
        .reference = c->files.fds[LOOK_REFERENCE],
        .can_vmaf = c->tools.vmaf,
        .vmaf_only = !isnan(told->psnr_db) && !isnan(told->ssim),
        .threads = c->c->threads,
        .limit_ms = c->c->timeout_ms,
    };
    struct measurement_result r = { .outcome = MEASUREMENT_FAILED };

    c->measurement = measurement_start(&order, on_measured, c, &r.e);
    if (c->measurement)
        return;
    settle(c, &r);
    c->now->settled = false; /* it was no fault of theirs */
}

/* Both files are open, or it is known why they are not. */
static void judge(struct computation *c, const struct look_result *files)
{
    const struct run *run = newest(c);
    struct pair *one = c->now;

    if (!pairs_wants(&c->pairs, one, run, c->tools.vmaf))
        return;
    if (one->settled && same_files(one, files))
        return;
    if (one->done)
        live_unmeasured(c->h.live, one->name);
    memcpy(one->stamps, files->stamps, sizeof one->stamps);
    if (files->e.code < 0)
        refuse(c, files->e.text);
    else if (one->name.n > PAIRS_NAME_MAX)
        refuse(c, "the name of its scenario is longer than 256 bytes");
    else if (pairs_ambiguous(run, one->name))
        refuse(c, "the run has several scenarios of its name");
    else
        start_measuring(c, scenario_of(run, one));
}

static void on_looked(void *ctx, struct look_result *r)
{
    struct computation *c = ctx;

    c->looking = false;
    c->files = *r;
    if (!c->stopped)
        judge(c, &c->files);
    if (c->measurement)
        return;
    look_close(&c->files);
    c->now = NULL;
    go_on(c);
}

/* ---- ffmpeg ---------------------------------------------------------------------------------- */

static void complain(struct computation *c, const char *reason, const char *said)
{
    if (strcmp(reason, c->failed) != 0)
        log_line(LOG_WARN, "no quality is measured", "reason", reason, "ffmpeg",
                 *said ? said : "-", NULL);
    snprintf(c->failed, sizeof c->failed, "%s", reason);
    wait_for_round(c);
}

static void on_asked(void *ctx, const struct worker_end *end)
{
    struct computation *c = ctx;

    c->asking = NULL;
    if (c->stopped)
        return;
    if (end->fate != WORKER_EXITED || !WIFEXITED(end->status) ||
        WEXITSTATUS(end->status) != 0) {
        complain(c, "ffmpeg does not tell which filters it has", end->said);
        return;
    }
    c->tools.asked = true;
    c->tools.vmaf = recipe_lists_vmaf(buf_as_view(&c->text));
    c->failed[0] = '\0';
    log_line(LOG_INFO, "quality is measured here", "ffmpeg", c->tools.ffmpeg, "scores",
             c->tools.vmaf ? "VMAF, PSNR, SSIM" : "PSNR, SSIM (it has no libvmaf)",
             NULL);
    go_on(c);
}

static void add_text(void *ctx, struct view bytes)
{
    buf_view(ctx, bytes);
}

static void ask(struct computation *c)
{
    struct recipe_command command;
    const struct worker_order order = {
        .loop = c->h.loop,
        .program = c->tools.ffmpeg,
        .argv = command.argv,
        .pipes = { { STDOUT_FILENO, ASK_BYTES, add_text, &c->text } },
        .pipe_count = 1,
        .limit_ms = ASK_MS,
    };
    struct err e;

    buf_release(&c->text);
    recipe_list_filters(c->tools.ffmpeg, &command);
    c->asking = worker_start(&order, on_asked, c, &e);
    if (!c->asking)
        complain(c, e.text, "");
}

/* False: there is none that could be used now. */
static bool find_tools(struct computation *c)
{
    struct err e;

    if (tools_find(&c->tools, c->c->ffmpeg, &e) < 0) {
        complain(c, e.text, "");
        return false;
    }
    if (!c->tools.asked)
        ask(c);
    return c->tools.asked;
}

static void go_on(struct computation *c)
{
    const struct scenario *s = NULL;
    struct pair *one;

    if (c->stopped || c->due || is_busy(c) || !find_tools(c))
        return;
    if (!pairs_are_of(&c->pairs, newest(c)))
        c->full = false;
    if (c->full)
        return;
    one = pairs_next(&c->pairs, newest(c), c->tools.vmaf, &s);
    if (!one) {
        if (c->pairs.by_name.count > 0)
            wait_for_round(c);
        return;
    }
    one->round = c->pairs.round;
    memcpy(one->hash, s->hash, sizeof one->hash);
    c->now = one;
    c->looking = true;
    look_start(c->h.loop, c->h.config->results_dir, one->output, one->reference,
               on_looked, c);
}

void computation_served(struct computation *c)
{
    if (c->stopped)
        return;
    if (c->measurement) {
        if (!pairs_wants(&c->pairs, c->now, newest(c), c->tools.vmaf))
            measurement_stop(c->measurement);
        return;
    }
    if (is_busy(c) || c->due)
        return;
    c->due = true;
    uv_timer_start(&c->timer, on_timer, PAUSE_MS, 0);
}

/* ---- life --------------------------------------------------------------------------------------- */

enum { COMPUTATIONS, COMPUTING, FAMILIES };

static const struct family families[FAMILIES] = {
    [COMPUTATIONS] = { "encode_exporter_quality_computations_total",
                       "Encodes whose quality was to be measured here, by what came of "
                       "it",
                       COUNTER },
    [COMPUTING] = { "encode_exporter_quality_computing",
                    "1 while the quality of an encode is measured", GAUGE },
};

const struct family *computation_families(size_t *count)
{
    *count = FAMILIES;
    return families;
}

static void collect(void *ctx, struct series *out)
{
    const struct computation *c = ctx;

    for (int i = 0; i < MEASUREMENT_OUTCOMES; i++) {
        struct labels l = labels_open(out);

        labels_add(out, &l, "outcome", view_of(outcome_names[i]));
        series_add(out, COMPUTATIONS, l, (double)c->counts[i]);
    }
    series_add(out, COMPUTING, labels_open(out), c->measurement != NULL);
}

int computation_check(const struct config *c, struct err *e)
{
    struct tools t = { 0 };

    return tools_find(&t, c->compute.ffmpeg, e);
}

int computation_new(const struct computation_host *h, struct computation **out,
                    struct err *e)
{
    struct computation *c;
    int rc = computation_check(h->config, e);

    if (rc < 0)
        return rc;
    c = mem_zalloc(sizeof *c);
    c->h = *h;
    c->c = &h->config->compute;
    c->pairs.round = 1;
    c->round_ms = uv_now(h->loop) + AGAIN_MS;
    c->files.fds[LOOK_OUTPUT] = c->files.fds[LOOK_REFERENCE] = -1;
    uv_timer_init(h->loop, &c->timer);
    c->timer.data = c;

    const struct self_part part = { families, FAMILIES, collect, c };

    self_add(h->self, &part);
    *out = c;
    return 0;
}

void computation_stop(struct computation *c)
{
    if (c->stopped)
        return;
    c->stopped = true;
    if (c->asking)
        worker_stop(c->asking);
    if (c->measurement)
        measurement_stop(c->measurement);
    uv_close((uv_handle_t *)&c->timer, NULL);
}

void computation_free(struct computation *c)
{
    assert(c->stopped && !is_busy(c));
    pairs_deinit(&c->pairs);
    buf_deinit(&c->text);
    free(c);
}
