/*
 * files.c - NAME.progress, NAME.psnr.log … → the encode NAME.
 *
 * Progress and the logs of ffmpeg's filters grow and are read as they do (tail.h); those of
 * libvmaf are written at once and read when that is over (whole.h).
 */
#include "server/live/files.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <inotifytools/inotify.h>

#include "core/frame_log.h"
#include "core/live_name.h"
#include "core/mem.h"
#include "core/progress.h"
#include "core/table.h"
#include "core/utf8.h"
#include "server/live/live_inner.h"
#include "server/live/tail.h"
#include "server/live/whole.h"
#include "server/log.h"

struct live_file {
    struct live_files *all;
    struct view name;   /* NUL-terminated */
    struct view encode; /* its part that names the encode */
    enum live_kind kind;
    struct roll_entry *entry;  /* NULL: there was no room for it */
    bool old;                  /* what is read was there before we were */
    bool refused;              /* the log says that it cannot be read */
    bool full;                 /* there was no room for it, which is counted */
    uint64_t said;             /* faults that the log told of */
    struct progress *progress; /* for its kind, all three; NULL else */
    struct frame_log *log;
    struct frame_table *table; /* of libvmaf */
    char text[];
};

struct live_files {
    struct live *live;
    struct table by_name;
    struct tail *tail;
    struct whole *whole;
};

/* ---- what is kept of a file -------------------------------------------------------------- */

static enum encode_log log_of(enum live_kind kind)
{
    return kind == LIVE_PSNR   ? ENCODE_LOG_PSNR
           : kind == LIVE_SSIM ? ENCODE_LOG_SSIM
                               : ENCODE_LOG_VMAF;
}

static void make_reader(struct live_file *f)
{
    if (f->kind == LIVE_PROGRESS) {
        f->progress = mem_alloc(sizeof *f->progress);
        progress_init(f->progress);
    } else if (f->kind != LIVE_VMAF) {
        f->log = mem_alloc(sizeof *f->log);
        frame_log_init(f->log, (struct frame_limits){ .scores_only = true });
    }
}

/* Unless another file of the name tells the same scores. */
static void take_back(struct live_file *f)
{
    struct encode *e = f->entry->encode;
    const struct frame_table *ours = f->log ? &f->log->table : f->table;

    if (f->kind != LIVE_PROGRESS && e->logs[log_of(f->kind)] &&
        e->logs[log_of(f->kind)]->table == ours)
        encode_set_log(e, log_of(f->kind), NULL);
}

static void drop_reader(struct live_file *f)
{
    if (f->entry)
        take_back(f);
    if (f->progress)
        progress_deinit(f->progress);
    if (f->log)
        frame_log_deinit(f->log);
    whole_table_free(f->table);
    free(f->progress);
    free(f->log);
    f->progress = NULL;
    f->log = NULL;
    f->table = NULL;
}

static void drop(struct live_file *f)
{
    struct live_files *all = f->all;

    drop_reader(f);
    if (f->entry)
        live_close_name(all->live, f->entry);
    table_remove(&all->by_name, f->name);
    free(f);
}

/* Its encode, made if there is none. False: there is no room. */
static bool attach(struct live_file *f, double news_s)
{
    if (f->entry)
        return true;
    f->entry = live_open_name(f->all->live, f->encode, news_s, &f->full);
    if (f->entry)
        make_reader(f);
    return f->entry != NULL;
}

/* ---- faults ---------------------------------------------------------------------------------- */

static void complain(struct live_file *f, const struct text_faults *faults)
{
    char line[24];
    uint64_t fresh = faults->count - f->said;

    if (fresh == 0)
        return;
    f->all->live->counts.faults += fresh;
    if (f->said == 0) { /* once a file */
        snprintf(line, sizeof line, "%" PRIu64, faults->line);
        log_line(LOG_WARN, "parts of a file cannot be read", "file", f->text, "line",
                 line, "reason", faults->reason, NULL);
    }
    f->said = faults->count;
}

static void refuse(struct live_file *f, const char *reason)
{
    f->all->live->counts.faults++;
    if (!f->refused)
        log_line(LOG_WARN, "a file is not read", "file", f->text, "reason", reason,
                 NULL);
    f->refused = true;
}

/* ---- growing files ------------------------------------------------------------------------------ */

static void on_begin(void *ctx, void *file, double mtime_s, bool old)
{
    struct live_files *all = ctx;
    struct live_file *f = file;
    double now_s = old ? mtime_s : live_now_s();

    f->old = old;
    if (!attach(f, mtime_s))
        return;
    if (f->progress) {
        progress_restart(f->progress);
        if (!f->entry->requests)
            encode_begin(f->entry->encode, now_s);
    } else {
        frame_log_restart(f->log);
        encode_set_log(f->entry->encode, log_of(f->kind), &f->log->table);
    }
    live_heard(all->live, f->entry);
}

static void hear_blocks(struct live_file *f, struct view bytes, double at_s)
{
    const struct progress_block *block;

    while ((block = progress_next(f->progress, &bytes))) {
        if (!f->entry->requests) /* two at a time would be one that leaps */
            encode_hear(f->entry->encode, block, at_s);
        f->all->live->counts.blocks_of_files++;
    }
    complain(f, &f->progress->faults);
}

static void on_bytes(void *ctx, void *file, struct view bytes, double mtime_s)
{
    struct live_files *all = ctx;
    struct live_file *f = file;

    if (!f->entry)
        return;
    if (f->progress) {
        hear_blocks(f, bytes, f->old ? mtime_s : live_now_s());
    } else {
        frame_log_add(f->log, bytes);
        encode_log_grown(f->entry->encode, log_of(f->kind));
        complain(f, &f->log->faults);
    }
    live_heard(all->live, f->entry);
}

static void on_end(void *ctx, void *file, double mtime_s)
{
    struct live_files *all = ctx;
    struct live_file *f = file;

    (void)mtime_s;
    if (!f->entry)
        return;
    if (f->old && f->progress) {
        if (!f->entry->requests)
            encode_found(f->entry->encode);
        live_heard(all->live, f->entry);
        live_look(all->live, f->entry);
    }
    f->old = false; /* what comes from now on comes now */
}

static void on_gone(void *ctx, void *file, const struct err *e)
{
    struct live_file *f = file;

    (void)ctx;
    if (e)
        refuse(f, e->text);
    if (!e) {
        drop(f);
        return;
    }
    drop_reader(f);
    if (f->entry)
        live_close_name(f->all->live, f->entry);
    f->entry = NULL;
}

/* ---- files that are written at once ---------------------------------------------------------------- */

static void on_whole(void *ctx, void *file, struct whole_result *r)
{
    struct live_files *all = ctx;
    struct live_file *f = file;

    if (r->rc < 0) {
        if (!r->gone)
            refuse(f, r->e.text);
        return; /* what was good before stays */
    }
    if (!attach(f, r->mtime_s))
        return;
    f->refused = false;
    f->said = 0;
    complain(f, &r->faults);
    encode_set_log(f->entry->encode, ENCODE_LOG_VMAF, r->table);
    whole_table_free(f->table);
    f->table = r->table;
    r->table = NULL;
    live_heard(all->live, f->entry);
}

/* ---- names -------------------------------------------------------------------------------------------- */

static struct live_file *add(struct live_files *all, struct view name,
                             struct view encode, enum live_kind kind)
{
    struct live_file *f = mem_zalloc(sizeof *f + name.n + 1);

    memcpy(f->text, name.p, name.n);
    f->all = all;
    f->name = (struct view){ f->text, name.n };
    f->encode = (struct view){ f->text + (encode.p - name.p), encode.n };
    f->kind = kind;
    table_put(&all->by_name, f->name, f);
    return f;
}

static void gone(struct live_files *all, struct live_file *f)
{
    if (f->kind == LIVE_VMAF)
        whole_forget(all->whole, f->name);
    else
        tail_forget(all->tail, f->name);
    drop(f);
}

bool live_files_seen(struct live_files *all, struct view name, uint32_t mask)
{
    const uint32_t leaves = IN_DELETE | IN_MOVED_FROM;
    const uint32_t comes = IN_CREATE | IN_MOVED_TO | IN_CLOSE_WRITE;
    struct live_file *f = table_get(&all->by_name, name);
    struct view encode;
    enum live_kind kind = live_name(name, &encode);

    if (kind == LIVE_NONE || encode.n > LIVE_NAME_MAX || !utf8_valid(name))
        return false;
    if (mask & leaves && !(mask & comes)) {
        if (f)
            gone(all, f);
        return true;
    }
    if (!f)
        f = add(all, name, encode, kind);
    if (kind == LIVE_VMAF)
        whole_seen(all->whole, f->name, mask, f);
    else
        tail_seen(all->tail, f->name, mask, f);
    return true;
}

void live_files_let_go(struct live_files *all, struct roll_entry *e)
{
    struct live_file *f;

    for (size_t i = 0; (f = table_next(&all->by_name, &i));) {
        if (f->entry != e)
            continue;
        drop_reader(f);
        f->entry = NULL; /* the entry goes with all its sources */
        if (f->kind != LIVE_VMAF)
            tail_forget(all->tail, f->name);
    }
}

void live_files_catch_up(struct live_files *all, uint64_t patience_ms)
{
    tail_catch_up(all->tail, patience_ms);
}

/* ---- life ------------------------------------------------------------------------------------------------ */

struct live_files *live_files_new(struct live *l)
{
    const struct config *c = l->host.config;
    struct live_files *all = mem_zalloc(sizeof *all);
    const struct tail_events events = { all, on_begin, on_bytes, on_end, on_gone };
    const struct tail_options options = { c->results_dir, c->watch == WATCH_POLL };

    all->live = l;
    all->tail = tail_new(l->host.loop, &options, &events);
    all->whole =
        whole_new(l->host.loop, c->results_dir, c->max_file_size, on_whole, all);
    return all;
}

void live_files_stop(struct live_files *all)
{
    tail_stop(all->tail);
    whole_stop(all->whole);
    all->tail = NULL;
    all->whole = NULL;
}

void live_files_free(struct live_files *all)
{
    for (;;) {
        size_t i = 0;
        struct live_file *f = table_next(&all->by_name, &i);

        if (!f)
            break;
        drop(f);
    }
    table_deinit(&all->by_name);
    free(all);
}
