/*
 * loop.c - libuv calls abort() where its tables cannot grow, and where the pipes for its
 * signals or a thread of its pool are refused. So its memory comes from where an
 * allocation cannot fail, and what it will need of the rest is taken for a moment first.
 * One thread more than that, because the kernel may still count one that has just ended.
 */
#include "server/loop.h"

#include "core/mem.h"
#include "server/log.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
    THREADS_DEFAULT = 4, /* as libuv has them */
    THREADS_MAX = 1024,
    DESCRIPTORS = 8, /* of a loop: epoll, events, signals, its reserve */
};

static void *resize(void *p, size_t n)
{
    return mem_resize(p, n, 1);
}

static void *zalloc(size_t count, size_t n)
{
    if (n && count > SIZE_MAX / n)
        mem_exhausted(SIZE_MAX);
    return mem_zalloc(count * n);
}

static void on_thread(void *arg)
{
    uv_sem_wait(arg);
}

/* How many of so many threads may run at once. */
static unsigned threads_allowed(unsigned wanted)
{
    uv_thread_t *threads = mem_alloc(wanted * sizeof *threads);
    unsigned started = 0;
    uv_sem_t go;
    int rc = uv_sem_init(&go, 0);

    assert(rc == 0); /* 0 is a valid value */
    (void)rc;
    while (started < wanted && uv_thread_create(&threads[started], on_thread, &go) == 0)
        started++;
    for (unsigned i = 0; i < started; i++)
        uv_sem_post(&go);
    for (unsigned i = 0; i < started; i++)
        uv_thread_join(&threads[i]);
    uv_sem_destroy(&go);
    free(threads);
    return started;
}

static unsigned threads_wanted(void)
{
    const char *given = getenv("UV_THREADPOOL_SIZE");
    unsigned long n = given ? strtoul(given, NULL, 10) : THREADS_DEFAULT;

    return n == 0 ? 1 : n > THREADS_MAX ? THREADS_MAX : (unsigned)n;
}

static int fit_pool(struct err *e)
{
    unsigned wanted = threads_wanted(), allowed = threads_allowed(wanted + 1);
    char text[24];

    if (allowed > wanted)
        return 0;
    if (allowed < 2)
        return err_set(e, -EAGAIN,
                       "no thread may be started: raise the limit of tasks "
                       "(ulimit -u, TasksMax=, the container's pids limit)");
    snprintf(text, sizeof text, "%u", allowed - 1);
    setenv("UV_THREADPOOL_SIZE", text, 1);
    log_line(LOG_WARN, "fewer threads than wanted", "threads", text, "reason",
             "limit of tasks", "remedy", "ulimit -u, TasksMax=", NULL);
    return 0;
}

/* As many descriptors as the loop will have are to be had. */
static int check_descriptors(struct err *e)
{
    int fds[DESCRIPTORS], rc = 0;
    size_t n = 0;

    while (n < DESCRIPTORS && rc == 0) {
        fds[n] = eventfd(0, EFD_CLOEXEC);
        if (fds[n] < 0)
            rc = err_set(e, -errno, "no descriptors: %s", strerrordesc_np(errno));
        else
            n++;
    }
    while (n > 0)
        close(fds[--n]);
    return rc;
}

int loop_init(uv_loop_t *loop, struct err *e)
{
    int rc = uv_replace_allocator(mem_alloc, resize, zalloc, free);

    assert(rc == 0); /* all four are given */
    rc = check_descriptors(e);
    if (rc == 0)
        rc = fit_pool(e);
    if (rc < 0)
        return rc;
    rc = uv_loop_init(loop);
    return rc < 0 ? err_set(e, rc, "no event loop: %s", uv_strerror(rc)) : 0;
}
