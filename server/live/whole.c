#include "server/live/whole.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <inotifytools/inotify.h>

#include "core/mem.h"
#include "core/table.h"
#include "server/sources/opener.h"

enum {
    PIECE_BYTES = 256 * 1024,
    TRIES = 3, /* of a file that changes while it is read; an event tells of the rest */
};

struct item {          /* a file, by its name */
    struct item *next; /* to be read after it */
    struct whole *whole;
    void *file;
    bool queued, reading, again, forgotten;
    struct stamp stamp; /* of what was read last */
    bool read;          /* stamp is set */
    struct view name;   /* NUL-terminated */
    char text[];
};

struct whole {
    uv_work_t work;
    uv_loop_t *loop;
    void (*told)(void *ctx, void *file, struct whole_result *r);
    void *ctx;
    struct table by_name;
    struct item *first, **last;
    struct item *now; /* on the pool; NULL: nothing is */
    bool stopped;
    uint64_t max_bytes;

    /* Of the pool, while something is there. */
    bool unless_same; /* nothing is read if the file is as it was */
    bool same;
    struct whole_result result;
    struct stamp stamp;
    char dir[];
};

/* ---- on the pool ------------------------------------------------------------------------- */

static int add_all(int fd, struct vmaf_log *log, struct err *e)
{
    char *piece = mem_alloc(PIECE_BYTES);
    ssize_t got;

    do {
        got = read(fd, piece, PIECE_BYTES);
        if (got > 0)
            vmaf_log_add(log, (struct view){ piece, (size_t)got });
    } while (got > 0 || (got < 0 && errno == EINTR));
    free(piece);
    return got < 0 ? err_set(e, -errno, "it cannot be read: %s", strerror(errno)) : 0;
}

/* One pass; 1: it changed meanwhile. */
static int read_once(struct whole *w, int fd, struct vmaf_log *log, struct err *e)
{
    struct stat before, after;
    struct stamp now;
    int rc;

    if (fstat(fd, &before) < 0)
        return err_set(e, -errno, "it cannot be looked at: %s", strerror(errno));
    w->stamp = stamp_of(&before);
    w->same = w->unless_same && w->now->read && stamp_eq(&w->stamp, &w->now->stamp);
    if (w->same)
        return 0;
    if (w->stamp.size > w->max_bytes)
        return err_set(e, -EFBIG, "it is larger than --max-file-size");
    vmaf_log_restart(log);
    if (lseek(fd, 0, SEEK_SET) < 0)
        return err_set(e, -errno, "it cannot be read: %s", strerror(errno));
    rc = add_all(fd, log, e);
    if (rc < 0)
        return rc;
    if (fstat(fd, &after) < 0)
        return 1;
    now = stamp_of(&after);
    return stamp_eq(&now, &w->stamp) ? 0 : 1;
}

static int read_log(struct whole *w, struct vmaf_log *log, struct err *e)
{
    int dirfd = open(w->dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int fd = dirfd < 0 ? -ENOENT : opener_open(dirfd, w->now->text, e), rc = 1;

    if (dirfd >= 0)
        close(dirfd);
    if (fd < 0)
        return fd;
    for (int i = 0; i < TRIES && rc == 1; i++)
        rc = read_once(w, fd, log, e);
    close(fd);
    return rc == 1 ? err_set(e, -EAGAIN, "it keeps changing while it is read") : rc;
}

/* The table leaves the log, which is let go without it. */
static struct frame_table *take_table(struct vmaf_log *log)
{
    struct frame_table *t = mem_alloc(sizeof *t);

    *t = log->table;
    frame_table_init(&log->table, (struct frame_limits){ 0 }, frame_metric_libvmaf);
    return t;
}

static void on_pool(uv_work_t *work)
{
    struct whole *w = work->data;
    struct whole_result *r = &w->result;
    struct vmaf_log log;

    *r = (struct whole_result){ 0 };
    vmaf_log_init(&log, (struct frame_limits){ .scores_only = true });
    r->rc = read_log(w, &log, &r->e);
    r->gone = r->rc == OPENER_GONE;
    r->mtime_s = (double)w->stamp.mtime_ns / 1e9;
    if (r->rc == 0 && !w->same) {
        vmaf_log_end(&log);
        r->faults = log.faults;
        r->table = take_table(&log);
    }
    vmaf_log_deinit(&log);
}

/* ---- on the loop ---------------------------------------------------------------------------- */

void whole_table_free(struct frame_table *t)
{
    if (t)
        frame_table_deinit(t);
    free(t);
}

static void go_on(struct whole *w);

static void free_all(struct whole *w)
{
    for (;;) {
        size_t i = 0;
        struct item *item = table_next(&w->by_name, &i);

        if (!item)
            break;
        table_remove(&w->by_name, item->name);
        free(item);
    }
    table_deinit(&w->by_name);
    free(w);
}

static void queue(struct item *item)
{
    struct whole *w = item->whole;

    item->queued = true;
    item->next = NULL;
    *w->last = item;
    w->last = &item->next;
    go_on(w);
}

static void on_read(uv_work_t *work, int status)
{
    struct whole *w = work->data;
    struct item *item = w->now;

    assert(status == 0); /* nobody cancels */
    w->now = NULL;
    item->reading = false;
    if (w->stopped) {
        whole_table_free(w->result.table);
        if (item->forgotten)
            free(item);
        free_all(w);
        return;
    }
    if (w->result.rc == 0 && !w->same) {
        item->read = true;
        item->stamp = w->stamp;
    }
    if (!item->forgotten && !w->same)
        w->told(w->ctx, item->file, &w->result);
    whole_table_free(w->result.table);
    if (item->forgotten)
        free(item);
    else if (item->again)
        queue(item);
    go_on(w);
}

static void go_on(struct whole *w)
{
    struct item *item = w->first;

    if (w->now || !item || w->stopped)
        return;
    w->first = item->next;
    if (!w->first)
        w->last = &w->first;
    item->queued = false;
    if (item->forgotten) {
        free(item);
        go_on(w);
        return;
    }
    item->reading = true;
    w->unless_same = !item->again;
    item->again = false;
    w->now = item;
    w->work.data = w;

    int rc = uv_queue_work(w->loop, &w->work, on_pool, on_read);

    assert(rc == 0); /* its only error is a missing function */
    (void)rc;
}

void whole_seen(struct whole *w, struct view name, uint32_t mask, void *file)
{
    const uint32_t whole_now = IN_CLOSE_WRITE | IN_MOVED_TO | IN_ATTRIB;
    struct item *item = table_get(&w->by_name, name);

    /* Made, and in its writer's hands; a link is made with its content. */
    if (mask && !(mask & (whole_now | IN_CREATE)))
        return;
    if (!item) {
        item = mem_zalloc(sizeof *item + name.n + 1);
        memcpy(item->text, name.p, name.n);
        item->name = (struct view){ item->text, name.n };
        item->whole = w;
        table_put(&w->by_name, item->name, item);
    }
    item->file = file;
    if (item->reading)
        item->again = true;
    else if (!item->queued)
        queue(item);
}

void whole_forget(struct whole *w, struct view name)
{
    struct item *item = table_remove(&w->by_name, name);

    if (!item)
        return;
    item->forgotten = true;
    if (!item->queued && !item->reading)
        free(item);
}

struct whole *whole_new(uv_loop_t *loop, const char *dir, uint64_t max_bytes,
                        void (*told)(void *ctx, void *file, struct whole_result *r),
                        void *ctx)
{
    size_t n = strlen(dir);
    struct whole *w = mem_zalloc(sizeof *w + n + 1);

    memcpy(w->dir, dir, n + 1);
    w->loop = loop;
    w->told = told;
    w->ctx = ctx;
    w->max_bytes = max_bytes;
    w->last = &w->first;
    return w;
}

void whole_stop(struct whole *w)
{
    w->stopped = true;
    while (w->first) { /* forgotten ones are in no table */
        struct item *item = w->first;

        w->first = item->next;
        if (item->forgotten)
            free(item);
    }
    if (!w->now)
        free_all(w);
}
