/*
 * watch.c - tells when a directory (or one file), or the way to it, changes.
 *
 * One inotify descriptor of our own under uv_poll, because uv_fs_event hides
 * IN_CLOSE_WRITE and the overflow of the queue. Mounts cause no inotify events at all:
 * the kernel's table of mounts is polled for them (by the loop, not by time).
 *
 * While inotify works and the path can be watched all the way, nothing here runs by
 * time. What may not be watched for lack of permission is looked at every few seconds.
 */
#include "server/sources/watch.h"
#include "core/mem.h"
#include "server/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    RETRY_MS = 3000,
    READ_BYTES = 16 * 1024,
    READS_PER_TURN = 64, /* then other handles have their turn */
};

struct watch {
    uv_poll_t events;
    uv_poll_t mounts;
    uv_timer_t timer; /* polling: repeats; else one retry */
    unsigned open;    /* handles whose close callback has not run */
    bool closing;

    struct watch_events to;
    char *path;
    enum watch_mode mode;
    uint64_t poll_interval_ms;
    struct chain *chain;    /* NULL: polling */
    int inotify, mountinfo; /* -1: not open */
    bool polling;
    bool forced; /* the next lookup counts as moved */
    struct err reason;
};

static void on_closed(uv_handle_t *h)
{
    struct watch *w = h->data;

    if (h == (uv_handle_t *)&w->events) {
        close(w->inotify);
        w->inotify = -1;
    } else if (h == (uv_handle_t *)&w->mounts) {
        close(w->mountinfo);
        w->mountinfo = -1;
    }
    if (--w->open == 0 && w->closing) {
        chain_free(w->chain);
        free(w->path);
        free(w);
    }
}

static void adopt(struct watch *w, uv_handle_t *h)
{
    h->data = w;
    w->open++;
}

static void close_one(uv_handle_t *h)
{
    if (!uv_is_closing(h))
        uv_close(h, on_closed);
}

static void stop_inotify(struct watch *w)
{
    if (w->inotify >= 0)
        close_one((uv_handle_t *)&w->events);
    if (w->mountinfo >= 0)
        close_one((uv_handle_t *)&w->mounts);
}

static void on_retry(struct watch *w);

static void on_timer(uv_timer_t *t)
{
    struct watch *w = t->data;

    if (w->polling)
        w->to.tick(w->to.ctx);
    else
        on_retry(w);
}

static void start_polling(struct watch *w)
{
    w->polling = true;
    stop_inotify(w);
    chain_free(w->chain);
    w->chain = NULL;
    uv_timer_start(&w->timer, on_timer, w->poll_interval_ms, w->poll_interval_ms);
}

/* Why inotify is out of reach, and what to do about it. */
static void fall_back(struct watch *w, int rc)
{
    char interval[32];
    const char *remedy =
        rc == -ENOSPC ? "raise the sysctl fs.inotify.max_user_watches"
        : rc == -EMFILE
            ? "raise the sysctl fs.inotify.max_user_instances, or the limit "
              "of open files"
        : rc == -ENOSYS ? "allow the inotify system calls"
                        : "free memory or descriptors";

    snprintf(interval, sizeof interval, "%llums",
             (unsigned long long)w->poll_interval_ms);
    log_line(LOG_WARN, "inotify is not available, polling instead", "path", w->path,
             "reason", strerrordesc_np(-rc), "remedy", remedy, "interval", interval,
             NULL);
    start_polling(w);
}

/* Looks the path up. False: inotify ended, and polling began. */
static bool resolve(struct watch *w, struct watch_where *where)
{
    struct chain_state state = { 0 };
    int rc = chain_resolve(w->chain, &state, &w->reason);

    *where = (struct watch_where){
        .rc = rc,
        .moved = rc == 0 && (state.moved || w->forced),
        .reason = rc < 0 ? w->reason.text : "",
    };
    w->forced = w->forced && rc < 0;
    if (rc == -ENOSPC || rc == -ENOMEM || rc == -EMFILE || rc == -ENOSYS) {
        fall_back(w, rc);
    } else if (state.network && w->mode == WATCH_AUTO) {
        log_line(LOG_INFO,
                 "polling, because changes made elsewhere cause no events here", "path",
                 w->path, NULL);
        start_polling(w);
    } else {
        if (state.blind)
            uv_timer_start(&w->timer, on_timer, RETRY_MS, 0);
        return true;
    }
    *where = (struct watch_where){ .moved = true, .reason = "" };
    return false;
}

static void look_again(struct watch *w)
{
    struct watch_where where;

    resolve(w, &where);
    w->to.where(w->to.ctx, &where);
}

static void on_retry(struct watch *w)
{
    uint64_t seen_ns = uv_hrtime();

    look_again(w);
    w->to.turn(w->to.ctx, seen_ns);
}

/* What one buffer of events says. True: the path has to be looked up. */
static bool judge(struct watch *w, const char *buf, size_t n)
{
    bool path = false;

    for (size_t at = 0; at < n;) {
        struct inotify_event head;

        memcpy(&head, buf + at, sizeof head);

        const struct inotify_event *ev = (const void *)(buf + at);

        at += sizeof head + head.len;
        if (head.mask & IN_Q_OVERFLOW) {
            path = true;
            w->to.lost(w->to.ctx);
            continue;
        }

        unsigned verdict = chain_judge(w->chain, ev);

        path = path || verdict & CHAIN_PATH;
        if (verdict & CHAIN_NAME)
            w->to.name(w->to.ctx, view_of(head.len ? ev->name : ""), head.mask);
    }
    return path;
}

static void on_events(uv_poll_t *h, int status, int flags)
{
    struct watch *w = h->data;
    uint64_t seen_ns = uv_hrtime();
    alignas(struct inotify_event) char buf[READ_BYTES];
    bool any = false, path = false;

    (void)status; /* what is wrong with the descriptor, read() says */
    (void)flags;
    for (int i = 0; i < READS_PER_TURN; i++) {
        ssize_t n = read(w->inotify, buf, sizeof buf);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            break;
        if (n <= 0) {
            struct watch_where where = { .moved = true, .reason = "" };

            fall_back(w, n < 0 ? -errno : -EIO);
            w->to.where(w->to.ctx, &where);
            w->to.turn(w->to.ctx, seen_ns);
            return;
        }
        any = true;
        path = judge(w, buf, (size_t)n) || path;
        if ((size_t)n < sizeof buf / 2) /* that was all there was */
            break;
    }
    if (path)
        look_again(w);
    if (any)
        w->to.turn(w->to.ctx, seen_ns);
}

static void on_mounts(uv_poll_t *h, int status, int flags)
{
    struct watch *w = h->data;
    uint64_t seen_ns = uv_hrtime();

    (void)flags;
    if (status < 0) {
        close_one((uv_handle_t *)h);
        return;
    }
    look_again(w);
    w->to.turn(w->to.ctx, seen_ns);
}

static int start_inotify(struct watch *w, uv_loop_t *loop, enum chain_goal goal)
{
    w->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (w->inotify < 0)
        return -errno;

    int rc = uv_poll_init(loop, &w->events, w->inotify);

    if (rc < 0) {
        close(w->inotify);
        w->inotify = -1;
        return rc;
    }
    adopt(w, (uv_handle_t *)&w->events);
    rc = uv_poll_start(&w->events, UV_READABLE, on_events);
    if (rc < 0)
        return rc;
    w->chain = chain_new(w->inotify, w->path, goal);

    w->mountinfo = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
    if (w->mountinfo < 0)
        return 0; /* no /proc: mounts go unnoticed until something else happens */
    if (uv_poll_init(loop, &w->mounts, w->mountinfo) < 0) {
        close(w->mountinfo);
        w->mountinfo = -1;
        return 0;
    }
    adopt(w, (uv_handle_t *)&w->mounts);
    if (uv_poll_start(&w->mounts, UV_PRIORITIZED, on_mounts) < 0)
        close_one((uv_handle_t *)&w->mounts);
    return 0;
}

struct watch *watch_start(uv_loop_t *loop, const char *path, enum chain_goal goal,
                          enum watch_mode mode, uint64_t poll_interval_ms,
                          const struct watch_events *events, struct watch_where *where)
{
    struct watch *w = mem_zalloc(sizeof *w);

    w->to = *events;
    w->path = mem_strdup(path);
    w->mode = mode;
    w->poll_interval_ms = poll_interval_ms ? poll_interval_ms : 1;
    w->inotify = w->mountinfo = -1;
    uv_timer_init(loop, &w->timer);
    adopt(w, (uv_handle_t *)&w->timer);
    *where = (struct watch_where){ .moved = true, .reason = "" };

    if (mode == WATCH_POLL) {
        start_polling(w);
        return w;
    }

    int rc = start_inotify(w, loop, goal);

    if (rc < 0)
        fall_back(w, rc);
    else
        resolve(w, where);
    return w;
}

void watch_stop(struct watch *w)
{
    if (!w || w->closing)
        return;
    w->closing = true;
    stop_inotify(w);
    close_one((uv_handle_t *)&w->timer);
}

bool watch_polling(const struct watch *w)
{
    return w->polling;
}

void watch_retry(struct watch *w)
{
    if (w->polling || w->closing)
        return;
    w->forced = true;
    uv_timer_start(&w->timer, on_timer, RETRY_MS, 0);
}
