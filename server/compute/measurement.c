/*
 * measurement.c - ffprobe on the encode, ffprobe on the reference, ffmpeg on both.
 */
#include "server/compute/measurement.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/frame_log.h"
#include "core/mem.h"
#include "core/vmaf_log.h"
#include "server/compute/worker.h"

enum {
    PROBE_MS = 60000,
    PROBE_BYTES = 64 * 1024,
    COLUMNS_MAX = 16,
    FRAME_BYTES = 4096, /* of a log, by frame: some times what is usual */
};

/* Of logs whose files do not tell how long they are: a day at 60 frames a second. */
static const double frames_if_unknown = 24 * 3600 * 60.0;

struct measurement {
    struct measurement_order o;
    void (*done)(void *ctx, struct measurement_result *r);
    void *ctx;
    struct worker *worker; /* NULL: none runs, and m is about to go */
    struct clip clips[2];  /* the encode, the reference */
    size_t looked;         /* at so many of them */
    struct buf text;       /* what ffprobe says */
    struct recipe recipe;
    struct recipe_command command;
    bool comparing; /* logs are initialised */
    bool stopped;
    struct frame_log psnr, ssim;
    struct vmaf_log vmaf;
    struct measurement_result result;
};

static void go_on(struct measurement *m);

/* ---- the end ------------------------------------------------------------------------ */

static void table_free(struct frame_table *t)
{
    if (t)
        frame_table_deinit(t);
    free(t);
}

static void finish(struct measurement *m, enum measurement_outcome outcome)
{
    struct measurement_result *r = &m->result;

    r->outcome = outcome;
    if (!r->said)
        r->said = "";
    m->done(m->ctx, r);
    table_free(r->psnr);
    table_free(r->ssim);
    table_free(r->vmaf);
    if (m->comparing) {
        frame_log_deinit(&m->psnr);
        frame_log_deinit(&m->ssim);
        vmaf_log_deinit(&m->vmaf);
    }
    buf_deinit(&m->text);
    free(m);
}

/* What a child that gave nothing comes to. */
static enum measurement_outcome judge(const struct worker_end *end, const char *program,
                                      struct err *e)
{
    switch (end->fate) {
    case WORKER_STOPPED:
        return MEASUREMENT_STOPPED;
    case WORKER_TIMEOUT:
        err_set(e, -ETIMEDOUT, "%s was ended after %.0f s", program, end->took_s);
        return MEASUREMENT_TIMEOUT;
    case WORKER_OVERFLOW:
        err_set(e, -EFBIG, "%s wrote more than such files give", program);
        return MEASUREMENT_FAILED;
    case WORKER_EXITED:
        break;
    }
    if (WIFSIGNALED(end->status))
        err_set(e, -EIO, "%s was ended by signal %d", program, WTERMSIG(end->status));
    else if (WEXITSTATUS(end->status) != 0)
        err_set(e, -EIO, "%s ended with status %d", program, WEXITSTATUS(end->status));
    else
        err_set(e, -EIO, "%s told nothing of use", program);
    return MEASUREMENT_FAILED;
}

static bool ended_well(const struct worker_end *end)
{
    return end->fate == WORKER_EXITED && WIFEXITED(end->status) &&
           WEXITSTATUS(end->status) == 0;
}

/* ---- comparing -------------------------------------------------------------------------- */

/* The table leaves the log, which is let go without it. */
static struct frame_table *take_table(struct frame_table *from)
{
    struct frame_table *t = mem_alloc(sizeof *t);

    *t = *from;
    frame_table_init(from, from->limits, from->naming);
    return t;
}

/* Logs of newer releases do not say which model it was. */
static void name_model(struct frame_table *t, const char *model)
{
    struct frame_column *c = frame_table_find(t, VIEW("vmaf"));

    if (c && c->metric.model.n == 0 && !t->model)
        frame_table_name_model(t, c, view_of(model));
}

static void take_scores(struct measurement *m, const struct worker_end *end)
{
    struct measurement_result *r = &m->result;

    frame_log_end(&m->psnr);
    frame_log_end(&m->ssim);
    if (m->psnr.table.rows == 0 || m->ssim.table.rows == 0 ||
        (m->recipe.model && (!vmaf_log_end(&m->vmaf) || m->vmaf.table.rows == 0))) {
        err_set(&r->e, -EIO, "ffmpeg gave no scores, or part of them");
        finish(m, MEASUREMENT_FAILED);
        return;
    }
    r->psnr = take_table(&m->psnr.table);
    r->psnr->peak = m->recipe.peak; /* a log of good frames does not tell */
    r->ssim = take_table(&m->ssim.table);
    if (m->recipe.model) {
        r->vmaf = take_table(&m->vmaf.table);
        name_model(r->vmaf, m->recipe.model);
    }
    r->took_s = end->took_s;
    finish(m, MEASUREMENT_DONE);
}

static void on_compared(void *ctx, const struct worker_end *end)
{
    struct measurement *m = ctx;

    m->worker = NULL;
    m->result.said = end->said;
    if (m->stopped)
        finish(m, MEASUREMENT_STOPPED);
    else if (ended_well(end))
        take_scores(m, end);
    else
        finish(m, judge(end, "ffmpeg", &m->result.e));
}

static void add_frames(void *ctx, struct view bytes)
{
    frame_log_add(ctx, bytes);
}

static void add_vmaf(void *ctx, struct view bytes)
{
    vmaf_log_add(ctx, bytes);
}

static void init_logs(struct measurement *m)
{
    const struct frame_limits limits = { .columns = COLUMNS_MAX, .scores_only = true };

    frame_log_init(&m->psnr, limits);
    frame_log_init(&m->ssim, limits);
    vmaf_log_init(&m->vmaf, limits);
    m->comparing = true;
}

static void start_comparing(struct measurement *m)
{
    double frames =
        isnan(m->recipe.frames) ? frames_if_unknown : 2 * m->recipe.frames + 1000;
    uint64_t most = (uint64_t)fmin(frames, FRAME_ROWS_MAX) * FRAME_BYTES;
    const struct worker_order order = {
        .loop = m->o.loop,
        .program = m->o.ffmpeg,
        .argv = m->command.argv,
        .files = { m->o.output, m->o.reference },
        .file_count = 2,
        .pipes = { { RECIPE_PSNR_FD, most, add_frames, &m->psnr },
                   { RECIPE_SSIM_FD, most, add_frames, &m->ssim },
                   { RECIPE_VMAF_FD, most, add_vmaf, &m->vmaf } },
        .pipe_count = m->recipe.model ? 3 : 2,
        .limit_ms = m->o.limit_ms,
    };

    init_logs(m);
    m->result.width = m->recipe.width;
    m->result.height = m->recipe.height;
    m->result.model = m->recipe.model;
    m->worker = worker_start(&order, on_compared, m, &m->result.e);
    if (!m->worker)
        finish(m, MEASUREMENT_FAILED);
}

static void compare(struct measurement *m)
{
    if (recipe_make(&m->clips[0], &m->clips[1], m->o.can_vmaf, m->o.threads, &m->recipe,
                    &m->result.e) < 0) {
        finish(m, MEASUREMENT_REFUSED);
        return;
    }
    if (m->o.vmaf_only && !m->recipe.model) {
        err_set(&m->result.e, -EINVAL,
                "PSNR and SSIM are known, and for such pictures VMAF has no model");
        finish(m, MEASUREMENT_REFUSED);
        return;
    }
    recipe_compare(&m->recipe, m->o.ffmpeg, m->o.threads, &m->command);
    start_comparing(m);
}

/* ---- looking ------------------------------------------------------------------------------ */

static void add_text(void *ctx, struct view bytes)
{
    buf_view(ctx, bytes);
}

static void on_looked(void *ctx, const struct worker_end *end)
{
    struct measurement *m = ctx;
    const char *which = m->looked == 0 ? "output" : "reference";

    m->worker = NULL;
    m->result.said = end->said;
    if (m->stopped) { /* it had ended by itself before */
        finish(m, MEASUREMENT_STOPPED);
        return;
    }
    if (!ended_well(end)) {
        finish(m, judge(end, "ffprobe", &m->result.e));
        return;
    }
    if (!clip_parse(buf_as_view(&m->text), &m->clips[m->looked])) {
        err_set(&m->result.e, -EINVAL, "the %s has no video", which);
        finish(m, MEASUREMENT_REFUSED);
        return;
    }
    m->looked++;
    go_on(m);
}

/* False: result.e says why it cannot be asked. */
static bool look(struct measurement *m)
{
    const struct worker_order order = {
        .loop = m->o.loop,
        .program = m->o.ffprobe,
        .argv = m->command.argv,
        .files = { m->looked == 0 ? m->o.output : m->o.reference },
        .file_count = 1,
        .pipes = { { STDOUT_FILENO, PROBE_BYTES, add_text, &m->text } },
        .pipe_count = 1,
        .limit_ms = PROBE_MS,
    };

    buf_release(&m->text);
    recipe_probe(m->o.ffprobe, &m->command);
    m->worker = worker_start(&order, on_looked, m, &m->result.e);
    return m->worker != NULL;
}

static void go_on(struct measurement *m)
{
    m->result.said = NULL; /* it was the last child's */
    if (m->looked == 2)
        compare(m);
    else if (!look(m))
        finish(m, MEASUREMENT_FAILED);
}

static void nobody(void *ctx, struct measurement_result *r)
{
    (void)ctx;
    (void)r;
}

struct measurement *measurement_start(const struct measurement_order *o,
                                      void (*done)(void *ctx,
                                                   struct measurement_result *r),
                                      void *ctx, struct err *e)
{
    struct measurement *m = mem_zalloc(sizeof *m);

    m->o = *o;
    m->done = done;
    m->ctx = ctx;
    if (look(m))
        return m;
    *e = m->result.e;
    m->done = nobody;
    finish(m, MEASUREMENT_FAILED);
    return NULL;
}

void measurement_stop(struct measurement *m)
{
    m->stopped = true;
    if (m->worker)
        worker_stop(m->worker);
}
