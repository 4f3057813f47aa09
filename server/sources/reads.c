/*
 * reads.c - files waiting to be read, and those just read.
 *
 * The pool gets batches of some 32 files or a megabyte, so that a start with thousands
 * of files keeps all cores busy with little talk, and at most so many batches at once
 * as the pool has threads by default: other users of the pool wait for one batch only.
 */
#include "server/sources/reads.h"
#include "core/mem.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    SMALL_BYTES = 256 * 1024, /* read and parsed on the loop */
    FEW_FILES = 8,            /* more at once go to the pool */
    BATCH_BYTES = 1 << 20,
    SPARE_TOOLS = 2, /* kept when nothing is read */
};

struct batch {
    uv_work_t work;
    struct reads *reads;
    struct batch *next;
    struct read_job *job;
    size_t taken;
};

struct reads {
    uv_loop_t *loop;
    char *dir;
    struct reads_manner m;
    void (*ready)(void *ctx);
    void (*over)(void *ctx);
    void *ctx;
    struct file **queue; /* a ring */
    size_t first, count, cap;
    struct batch *done, **done_end;
    size_t under_way;
    struct reader_tools *spare;
    size_t spare_count;
    bool stopped;
};

struct reads *reads_new(uv_loop_t *loop, const struct reads_manner *m,
                        void (*ready)(void *ctx), void *ctx)
{
    struct reads *r = mem_zalloc(sizeof *r);

    r->loop = loop;
    r->m = *m;
    r->m.dir = r->dir = mem_strdup(m->dir);
    r->ready = ready;
    r->ctx = ctx;
    r->done_end = &r->done;
    return r;
}

static struct file *pop(struct reads *r)
{
    struct file *f = r->queue[r->first];

    r->first = (r->first + 1) % r->cap;
    r->count--;
    return f;
}

static void batch_free(struct batch *b)
{
    for (size_t i = b->taken ? b->taken - 1 : 0; i < b->job->count; i++)
        file_unpin(b->job->items[i].owner);
    read_job_free(b->job);
    free(b);
}

static struct reader_tools *borrow(struct reads *r)
{
    struct reader_tools *t = r->spare;

    if (!t)
        return reader_tools_new();
    r->spare = t->next;
    r->spare_count--;
    return t;
}

static void give_back(struct reads *r, struct reader_tools *t)
{
    if (t->bulky || r->spare_count == SPARE_TOOLS) {
        reader_tools_free(t);
        return;
    }
    t->next = r->spare;
    r->spare = t;
    r->spare_count++;
}

void reads_stop(struct reads *r, void (*over)(void *ctx))
{
    r->stopped = true;
    r->over = over;
    while (r->count)
        file_unpin(pop(r));
    if (r->under_way == 0)
        over(r->ctx);
}

void reads_rest(struct reads *r)
{
    while (r->spare) {
        struct reader_tools *t = r->spare;

        r->spare = t->next;
        reader_tools_free(t);
    }
    r->spare_count = 0;
}

void reads_free(struct reads *r)
{
    assert(r->under_way == 0);
    while (r->done) {
        struct batch *b = r->done;

        r->done = b->next;
        batch_free(b);
    }
    reads_rest(r);
    free(r->queue);
    free(r->dir);
    free(r);
}

void reads_add(struct reads *r, struct file *f)
{
    if (r->count == r->cap) {
        size_t cap = r->cap ? r->cap * 2 : 64;
        struct file **queue = mem_alloc(cap * sizeof(struct file *));

        for (size_t i = 0; i < r->count; i++)
            queue[i] = r->queue[(r->first + i) % r->cap];
        free(r->queue);
        r->queue = queue;
        r->first = 0;
        r->cap = cap;
    }
    file_pin(f);
    r->queue[(r->first + r->count++) % r->cap] = f;
}

static void put_done(struct reads *r, struct batch *b)
{
    give_back(r, b->job->tools);
    b->job->tools = NULL;
    b->next = NULL;
    *r->done_end = b;
    r->done_end = &b->next;
}

static void on_pool(uv_work_t *work)
{
    struct batch *b = work->data;

    read_job_run(b->job);
}

static void on_back(uv_work_t *work, int status)
{
    struct batch *b = work->data;
    struct reads *r = b->reads;

    assert(status == 0); /* nobody cancels */
    r->under_way--;
    put_done(r, b);
    if (!r->stopped)
        r->ready(r->ctx);
    else if (r->under_way == 0)
        r->over(r->ctx);
}

/* Up to `most` files off the queue, those that went meanwhile left out. */
static size_t collect(struct reads *r, struct file *out[], size_t most)
{
    uint64_t bytes = 0;
    size_t n = 0;

    while (n < most && r->count) {
        struct file *f = r->queue[r->first];

        if (f->gone) {
            file_unpin(pop(r));
            continue;
        }
        bytes += f->stamp.size;
        if (n && bytes > BATCH_BYTES)
            break;
        out[n++] = pop(r);
    }
    return n;
}

bool reads_begin(struct reads *r, bool pool_only,
                 const struct run *(*before)(void *ctx, const struct file *f))
{
    struct file *files[READER_BATCH_MAX];
    bool on_loop = !pool_only && r->count > 0 && r->count <= FEW_FILES &&
                   r->queue[r->first]->stamp.size <= SMALL_BYTES;

    if (r->stopped || (!on_loop && r->under_way == r->m.batches))
        return false;

    size_t n = collect(r, files, on_loop ? 1 : READER_BATCH_MAX);

    if (n == 0)
        return false;

    struct batch *b = mem_zalloc(sizeof *b);

    on_loop = on_loop && files[0]->stamp.size <= SMALL_BYTES;
    b->reads = r;
    b->job = read_job_new(n);
    b->job->dir = r->dir;
    b->job->max_bytes = r->m.max_bytes;
    b->job->max_scenarios = r->m.max_scenarios;
    b->job->digest = r->m.digest;
    b->job->tools = borrow(r);
    for (size_t i = 0; i < n; i++) {
        struct read_item *item = &b->job->items[i];
        const struct run *run = before ? before(r->ctx, files[i]) : NULL;

        item->owner = files[i];
        memcpy(item->name, files[i]->text, files[i]->name.n + 1);
        item->before = run ? run_ref(run) : NULL;
    }
    if (on_loop) {
        read_job_run(b->job);
        put_done(r, b);
        return true;
    }
    b->work.data = b;
    r->under_way++;

    int rc = uv_queue_work(r->loop, &b->work, on_pool, on_back);

    assert(rc == 0); /* its only error is a missing function */
    return true;
}

struct read_item *reads_take(struct reads *r)
{
    struct batch *b = r->done;

    if (b && b->taken) { /* the one handed out last is over */
        struct read_item *last = &b->job->items[b->taken - 1];

        file_unpin(last->owner);
        if (b->taken == b->job->count) {
            r->done = b->next;
            if (!r->done)
                r->done_end = &r->done;
            read_job_free(b->job);
            free(b);
            b = r->done;
        }
    }
    return b ? &b->job->items[b->taken++] : NULL;
}

bool reads_busy(const struct reads *r)
{
    return r->count || r->under_way || r->done;
}
