#include "server/compute/look.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/mem.h"

struct look_job {
    uv_work_t work;
    char *dir, *names[LOOK_FILES]; /* NULL: no name of a file */
    struct look_result result;
    void (*done)(void *ctx, struct look_result *r);
    void *ctx;
};

static char *copy_of(struct view v)
{
    char *p;

    if (v.n == 0 || memchr(v.p, '\0', v.n))
        return NULL;
    p = mem_alloc(v.n + 1);
    memcpy(p, v.p, v.n);
    p[v.n] = '\0';
    return p;
}

bool look_stamp(int fd, struct stamp *out)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return false;
    *out = stamp_of(&st);
    return true;
}

bool look_same(const struct stamp *a, const struct stamp *b)
{
    return a->dev == b->dev && a->ino == b->ino && a->size == b->size &&
           a->mtime_ns == b->mtime_ns;
}

static void open_one(int dirfd, const char *name, size_t at, struct look_result *r)
{
    static const char *const called[] = { "output", "reference" };
    struct err e = { 0 };
    int fd = name ? opener_open(dirfd, name, &e) : -EINVAL;

    if (fd >= 0 && look_stamp(fd, &r->stamps[at])) {
        r->fds[at] = fd;
        return;
    }
    if (fd >= 0)
        close(fd);
    err_set(&r->e, fd < 0 ? fd : -EIO, "the %s cannot be opened: %s", called[at],
            name ? e.text : "that is no name of a file");
}

static void on_pool(uv_work_t *work)
{
    struct look_job *j = work->data;
    int dirfd = open(j->dir, O_PATH | O_DIRECTORY | O_CLOEXEC);

    for (size_t i = 0; i < LOOK_FILES; i++) {
        j->result.fds[i] = -1;
        open_one(dirfd, j->names[i], i, &j->result); /* says so without a directory */
    }
    if (dirfd >= 0)
        close(dirfd);
}

static void on_looked(uv_work_t *work, int status)
{
    struct look_job *j = work->data;

    assert(status == 0); /* nobody cancels */
    (void)status;
    j->done(j->ctx, &j->result);
    for (size_t i = 0; i < LOOK_FILES; i++)
        free(j->names[i]);
    free(j->dir);
    free(j);
}

void look_start(uv_loop_t *loop, const char *dir, struct view output,
                struct view reference, void (*done)(void *ctx, struct look_result *r),
                void *ctx)
{
    struct look_job *j = mem_zalloc(sizeof *j);

    j->work.data = j;
    j->dir = mem_strdup(dir);
    j->names[LOOK_OUTPUT] = copy_of(output);
    j->names[LOOK_REFERENCE] = copy_of(reference);
    j->done = done;
    j->ctx = ctx;
    uv_queue_work(loop, &j->work, on_pool, on_looked); /* cannot fail */
}

void look_close(struct look_result *r)
{
    for (size_t i = 0; i < LOOK_FILES; i++) {
        if (r->fds[i] >= 0)
            close(r->fds[i]);
        r->fds[i] = -1;
    }
}
