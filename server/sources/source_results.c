/*
 * source_results.c - the results directory → store.
 *
 * All work on the loop is cut into pieces, a few milliseconds of them in one turn; the
 * order of the pieces in work() is what keeps the rest simple: results of reads first,
 * then the scan that is being applied, then touched names (never while a scan is under
 * way, whose news may be older), then new scans, then reads.
 *
 * The store says which files it wants read, so files that nobody serves are never
 * opened.
 */
#include "server/sources/source_results.h"

#include "server/sources/results_inner.h"
#include "core/mem.h"
#include "server/log.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    SLICE_MS = 2,     /* of work in one turn of the loop */
    PUBLISH_MS = 500, /* the longest that good news wait for the rest of them */
};

/* A line when a state of the directory begins, and one when it ends. */
void results_set_state(struct source_results *s, int rc, const char *reason)
{
    if (s->state_told && rc == s->state_rc)
        return;
    if (rc < 0) {
        struct store_counts n = store_count(s->store);

        log_line(LOG_WARN, "results directory cannot be read", "dir", s->dir, "reason",
                 reason, "served", n.served ? "what was read before" : "nothing", NULL);
    } else if (s->state_told) {
        log_line(LOG_INFO, "results directory can be read again", "dir", s->dir, NULL);
    } else {
        log_line(LOG_INFO, "watching results directory", "dir", s->dir, "mode",
                 watch_polling(s->watch) ? "poll" : "inotify", NULL);
    }
    s->state_told = true;
    s->state_rc = rc;

    size_t n = strnlen(reason, sizeof s->state - 1);

    memcpy(s->state, reason, n);
    s->state[n] = '\0';
}

void results_news(struct source_results *s)
{
    if (!s->news)
        s->news_ns = uv_hrtime();
    s->news = true;
}

/* ---- what the watch tells ------------------------------------------------------------- */

static void on_name(void *ctx, struct view name, uint32_t mask)
{
    struct source_results *s = ctx;

    if (view_eq(name, VIEW("..data")) && !(mask & (IN_ATTRIB | IN_CLOSE_WRITE)))
        s->scan_due = true;
    /* A file made without a name (O_TMPFILE) and linked in is closed as "#inode"; which
     * name it got, only a scan can tell. */
    if (view_starts(name, VIEW("#")) && mask & IN_CLOSE_WRITE)
        s->scan_due = true;
    if (name.n == 0 || name_kind(name) == NAME_HIDDEN)
        return;

    struct file *f = files_get(&s->files, name);

    if (!f && mask & (IN_CREATE | IN_MOVED_TO | IN_CLOSE_WRITE))
        f = files_add(&s->files, name);
    if (f)
        results_touch(s, f, mask);
}

static void on_lost(void *ctx)
{
    struct source_results *s = ctx;

    self_event(s->self, EVENT_OVERFLOW);
    s->scan_due = true;
}

static void on_where(void *ctx, const struct watch_where *w)
{
    struct source_results *s = ctx;

    self_watch_mode(s->self, watch_polling(s->watch));
    s->watch_rc = w->rc;
    if (w->rc < 0)
        results_set_state(s, w->rc, w->reason);
    else if (w->moved || s->state_rc < 0)
        s->scan_due = true;
    results_kick(s);
}

static void on_tick(void *ctx)
{
    struct source_results *s = ctx;

    if (!s->scan_due && !s->scanning && !s->applying)
        s->scan_due = s->scan_tick = true;
    results_kick(s);
}

/* ---- runs that end --------------------------------------------------------------------- */

static void tell_time(struct source_results *s)
{
    struct timespec now;

    if (!s->o.runs_end)
        return;
    clock_gettime(CLOCK_REALTIME, &now);
    if (store_tick(s->store, (int64_t)now.tv_sec * 1000000000 + now.tv_nsec,
                   uv_hrtime())) {
        s->wanted = true;
        results_news(s);
    }
}

static void on_end(uv_timer_t *t);

/* One timer, for the run that ends next; none where no run ever does. */
static void await_end(struct source_results *s)
{
    uint64_t end_ns = store_next_end(s->store), now_ns = uv_hrtime();

    if (!s->o.runs_end || s->closing)
        return;
    if (end_ns == UINT64_MAX)
        uv_timer_stop(&s->ends);
    else
        uv_timer_start(&s->ends, on_end,
                       end_ns > now_ns ? (end_ns - now_ns) / MS_NS + 1 : 1, 0);
}

/* ---- the order of work ----------------------------------------------------------------- */

static bool busy(const struct source_results *s)
{
    return s->scan_due || s->scanning || s->applying || s->touched || s->wanted ||
           reads_busy(s->reads);
}

/* Does one piece of work. False: there is none now. */
static bool work(struct source_results *s)
{
    struct read_item *item = reads_take(s->reads);

    if (item) {
        results_take(s, item);
        return true;
    }
    if (s->applying) {
        results_scan_apply(s);
        return true;
    }
    if (s->touched && !s->scanning) {
        results_look_at_next(s);
        return true;
    }
    if (s->scan_due && !s->scanning) {
        results_scan_begin(s);
        return true;
    }
    if (reads_begin(s->reads, watch_polling(s->watch), results_before))
        return true;
    if (s->wanted) {
        results_ask_store(s);
        return true;
    }
    return false;
}

static void call_waiters(struct source_results *s)
{
    size_t kept = 0, count = s->waiter_count;
    struct results_waiter *all = s->waiters;

    s->waiters = NULL;
    s->waiter_count = s->waiter_cap = 0;
    for (size_t i = 0; i < count; i++)
        if (all[i].scan > s->scanned)
            all[kept++] = all[i];
        else if (!s->closing && all[i].done)
            all[i].done(all[i].ctx);
    for (size_t i = 0; i < kept && !s->closing; i++) {
        if (s->waiter_count == s->waiter_cap) {
            s->waiter_cap = s->waiter_cap ? s->waiter_cap * 2 : 4;
            s->waiters = mem_resize(s->waiters, s->waiter_cap, sizeof *s->waiters);
        }
        s->waiters[s->waiter_count++] = all[kept - 1 - i];
    }
    free(all);
}

static void settle(struct source_results *s)
{
    bool over = !busy(s);
    bool long_enough = s->ready && uv_hrtime() - s->news_ns > PUBLISH_MS * MS_NS;

    if (over && s->scanned && s->waiting_reads == 0)
        s->ready = true;
    if (s->ready && s->news && (over || long_enough)) {
        uint64_t seen_ns = s->seen_ns;

        s->news = false;
        s->seen_ns = 0;
        s->sink.settled(s->sink.ctx, seen_ns);
    }
    if (over && s->ready && !s->closing) {
        s->seen_ns = 0; /* events that changed nothing */
        await_end(s);
        if (s->waiter_count && s->waiting_reads == 0)
            call_waiters(s);
    }
}

static void go_on(struct source_results *s)
{
    uint64_t end_ns = uv_hrtime() + SLICE_MS * MS_NS;
    bool more;

    tell_time(s);
    do
        more = work(s);
    while (more && uv_hrtime() < end_ns);
    if (s->dirfd >= 0)
        close(s->dirfd);
    s->dirfd = -1;
    s->dir_error = 0;
    if (!more)
        uv_idle_stop(&s->idle);
    else
        results_kick(s);
    settle(s);
    if (!more && !s->closing)
        results_learn(s);
}

static void on_idle(uv_idle_t *h)
{
    go_on(h->data);
}

void results_kick(struct source_results *s)
{
    if (!s->closing)
        uv_idle_start(&s->idle, on_idle);
}

static void on_end(uv_timer_t *t)
{
    go_on(t->data);
}

static void on_reads(void *ctx)
{
    go_on(ctx);
}

static void on_turn(void *ctx, uint64_t seen_ns)
{
    struct source_results *s = ctx;

    if (!s->seen_ns || seen_ns < s->seen_ns)
        s->seen_ns = seen_ns;
    results_touch_links(s);
    go_on(s);
}

/* ---- life ------------------------------------------------------------------------------ */

static void start_reads(struct source_results *s)
{
    const struct reads_manner manner = { .dir = s->dir,
                                         .max_bytes = s->o.max_file_size,
                                         .max_scenarios = s->o.max_scenarios,
                                         .batches = READS_BATCHES_MAX };

    s->reads = reads_new(s->idle.loop, &manner, on_reads, s);
    results_lessons_new(s);
    s->open += s->lessons != NULL;
}

struct source_results *source_results_start(uv_loop_t *loop,
                                            const struct source_results_options *o,
                                            struct store *store, struct self *self,
                                            const struct source_sink *sink)
{
    struct source_results *s = mem_zalloc(sizeof *s);
    struct watch_where where;
    const struct watch_events events = { .ctx = s,
                                         .name = on_name,
                                         .lost = on_lost,
                                         .where = on_where,
                                         .tick = on_tick,
                                         .turn = on_turn };

    s->o = *o;
    s->dir = mem_strdup(o->dir);
    s->o.dir = s->dir;
    s->store = store;
    s->self = self;
    s->sink = *sink;
    s->touched_end = &s->touched;
    s->dirfd = -1;
    uv_idle_init(loop, &s->idle);
    uv_timer_init(loop, &s->later);
    s->idle.data = s->later.data = s;
    s->open = 3; /* and the reads */
    if (o->runs_end) {
        uv_timer_init(loop, &s->ends);
        s->ends.data = s;
        s->open++;
    }
    start_reads(s);
    s->watch = watch_start(loop, s->dir, CHAIN_DIRECTORY, o->watch, o->poll_interval_ms,
                           &events, &where);
    self_watch_mode(self, watch_polling(s->watch));
    s->watch_rc = where.rc;
    if (where.rc < 0)
        results_set_state(s, where.rc, where.reason);
    s->scan_due = true;
    results_kick(s);
    return s;
}

void results_part_over(struct source_results *s)
{
    if (--s->open > 0)
        return;
    results_names_deinit(s);
    results_reads_deinit(s);
    reads_free(s->reads);
    if (s->lessons)
        reads_free(s->lessons);
    files_deinit(&s->files);
    free(s->waiters);
    free(s->dir);
    free(s);
}

static void on_closed(uv_handle_t *h)
{
    results_part_over(h->data);
}

static void on_reads_over(void *ctx)
{
    results_part_over(ctx);
}

void source_results_stop(struct source_results *s)
{
    if (!s || s->closing)
        return;
    s->closing = true;
    if (s->applying) /* counted while a scan is not over; this one never will be */
        s->open--;
    watch_stop(s->watch);
    uv_close((uv_handle_t *)&s->idle, on_closed);
    uv_close((uv_handle_t *)&s->later, on_closed);
    if (s->o.runs_end)
        uv_close((uv_handle_t *)&s->ends, on_closed);
    if (s->lessons)
        reads_stop(s->lessons, on_reads_over);
    reads_stop(s->reads, on_reads_over);
}

void source_results_rescan(struct source_results *s, void (*done)(void *ctx), void *ctx)
{
    s->scan_due = true;
    if (s->waiter_count == s->waiter_cap) {
        s->waiter_cap = s->waiter_cap ? s->waiter_cap * 2 : 4;
        s->waiters = mem_resize(s->waiters, s->waiter_cap, sizeof *s->waiters);
    }
    s->waiters[s->waiter_count++] = (struct results_waiter){ done, ctx, s->scans + 1 };
    results_kick(s);
}

bool source_results_ready(const struct source_results *s)
{
    return s->ready;
}

uint64_t source_results_ignored(const struct source_results *s)
{
    return s->files.ignored;
}

bool source_results_polling(const struct source_results *s)
{
    return watch_polling(s->watch);
}

const char *source_results_state(const struct source_results *s)
{
    return s->state_rc < 0 ? s->state : "";
}

bool source_results_unreadable(const struct source_results *s)
{
    return s->state_rc < 0 && s->state_rc != -ENOENT;
}

static const struct file *failing(const struct source_results *s, struct view id)
{
    struct buf name = { .limit = NAME_MAX + 1 };
    const struct file *f;

    buf_view(&name, id);
    buf_str(&name, ".json");
    f = name.full ? NULL : files_get(&s->files, buf_as_view(&name));
    buf_deinit(&name);
    return f && f->failing ? f : NULL;
}

enum fault source_results_fault(const struct source_results *s, struct view id)
{
    const struct file *f = failing(s, id);

    return f ? (enum fault)f->fault : FAULT_COUNT;
}

const char *source_results_problem(const struct source_results *s, struct view id)
{
    const struct file *f = failing(s, id);

    return f ? f->problem : NULL;
}
