/*
 * filewatch.c - tells when the content of one file may have changed.
 *
 * A close after writing and a rename over the file always count: its times may be too
 * coarse to show a second change right after the first. Everything else that happened
 * on the way to it counts if another file, or another state of it, is found there.
 */
#include "server/sources/filewatch.h"
#include "core/mem.h"
#include "server/log.h"
#include "server/sources/opener.h"
#include "server/sources/watch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct filewatch {
    uv_fs_t look; /* polling: stat() on the pool */
    bool looking, stopped;
    struct watch *watch;
    uv_loop_t *loop;
    char *path;
    void (*changed)(void *ctx);
    void *ctx;
    struct stamp stamp; /* what was found last; valid if there */
    bool there;
    bool told_missing;
    bool due; /* changed() is to be called */
};

static void found(struct filewatch *f, const struct stamp *now)
{
    if (f->there ? !stamp_eq(now, &f->stamp) : now->size > 0)
        f->due = true; /* one just made is empty until its writer closes it */
    f->there = true;
    f->told_missing = false;
    f->stamp = *now;
}

static void missing(struct filewatch *f)
{
    f->there = f->due = false;
    if (f->told_missing)
        return;
    f->told_missing = true;
    log_line(LOG_WARN, "watched file is gone, what it said stays in force", "file",
             f->path, NULL);
}

static void look(struct filewatch *f)
{
    struct stat st;
    struct stamp now;

    if (stat(f->path, &st) < 0) {
        if (errno == ENOENT || errno == ENOTDIR)
            missing(f);
        else /* whoever reads it will see */
            filewatch_again(f);
        return;
    }
    now = stamp_of(&st);
    found(f, &now);
}

static void on_name(void *ctx, struct view name, uint32_t mask)
{
    struct filewatch *f = ctx;

    (void)name;
    (void)mask;
    f->due = true;
}

static void on_lost(void *ctx)
{
    struct filewatch *f = ctx;

    f->due = true;
}

static void on_where(void *ctx, const struct watch_where *w)
{
    (void)ctx;
    (void)w; /* the turn that ends with it looks */
}

static void on_turn(void *ctx, uint64_t seen_ns)
{
    struct filewatch *f = ctx;

    (void)seen_ns;
    look(f);
    if (!f->due)
        return;
    f->due = false;
    f->changed(f->ctx);
}

static void filewatch_free(struct filewatch *f)
{
    free(f->path);
    free(f);
}

static void on_looked(uv_fs_t *req)
{
    struct filewatch *f = req->data;
    const uv_stat_t *st = &req->statbuf;
    bool due = f->due;

    f->looking = false;
    if (f->stopped) {
        uv_fs_req_cleanup(req);
        filewatch_free(f);
        return;
    }
    if (req->result < 0) {
        missing(f);
    } else {
        struct stamp now = {
            .dev = st->st_dev,
            .ino = st->st_ino,
            .size = st->st_size,
            .mtime_ns = (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec,
            .ctime_ns = (int64_t)st->st_ctim.tv_sec * 1000000000 + st->st_ctim.tv_nsec,
        };

        f->due = false;
        found(f, &now);
        if (due && !f->due) /* as it was one interval ago: its writer is done */
            f->changed(f->ctx);
    }
    uv_fs_req_cleanup(req);
}

static void on_tick(void *ctx)
{
    struct filewatch *f = ctx;

    if (f->looking) /* a file server that does not answer */
        return;
    f->look.data = f;
    f->looking = uv_fs_stat(f->loop, &f->look, f->path, on_looked) == 0;
}

struct filewatch *filewatch_start(uv_loop_t *loop, const char *path,
                                  enum watch_mode mode, uint64_t poll_interval_ms,
                                  void (*changed)(void *ctx), void *ctx)
{
    struct filewatch *f = mem_zalloc(sizeof *f);
    const struct watch_events events = { .ctx = f,
                                         .name = on_name,
                                         .lost = on_lost,
                                         .where = on_where,
                                         .tick = on_tick,
                                         .turn = on_turn };
    struct watch_where where;
    struct stat st;

    f->loop = loop;
    f->path = mem_strdup(path);
    f->changed = changed;
    f->ctx = ctx;
    f->watch =
        watch_start(loop, path, CHAIN_FILE, mode, poll_interval_ms, &events, &where);
    f->there = stat(path, &st) == 0;
    if (f->there)
        f->stamp = stamp_of(&st);
    f->told_missing = !f->there; /* whoever read it first has said so */
    return f;
}

void filewatch_again(struct filewatch *f)
{
    f->due = true;
    watch_retry(f->watch);
}

void filewatch_stop(struct filewatch *f)
{
    if (!f || f->stopped)
        return;
    f->stopped = true;
    watch_stop(f->watch);
    if (!f->looking)
        filewatch_free(f);
}
