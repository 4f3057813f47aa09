/*
 * worker.h - one program that works for us, and the pipes by which it answers.
 *
 * It has nothing of ours but what it is given: descriptors 3 and 4 are files, others are
 * pipes, standard input and output are /dev/null unless asked for, the environment is PATH, LD_LIBRARY_PATH
 * and LC_ALL=C. It runs with the lowest priority, writes no regular file and no core, gains no
 * rights, is the first that the kernel ends when memory is short, and dies with this process,
 * however that ends. Loop thread only.
 */
#ifndef SERVER_COMPUTE_WORKER_H
#define SERVER_COMPUTE_WORKER_H

#include <uv.h>

#include "core/err.h"
#include "core/view.h"

enum {
    WORKER_FILES_MAX = 2,
    WORKER_PIPES_MAX = 3,
    WORKER_FILE_FD = 3,
    WORKER_SAID_MAX = 240
};

struct worker_pipe {
    int fd;                                      /* in the child */
    uint64_t max_bytes;                          /* more end it */
    void (*bytes)(void *ctx, struct view bytes); /* as they come */
    void *ctx;
};

struct worker_order { /* only looked at by worker_start(), but for what ctx is */
    uv_loop_t *loop;
    const char *program;         /* path */
    const char *const *argv;     /* ends with NULL */
    int files[WORKER_FILES_MAX]; /* get the numbers 3, 4; stay the caller's */
    size_t file_count;
    struct worker_pipe pipes[WORKER_PIPES_MAX];
    size_t pipe_count;
    uint64_t limit_ms;
};

enum worker_fate {
    WORKER_EXITED,   /* by itself: status */
    WORKER_TIMEOUT,  /* was ended: it took longer than limit_ms; */
    WORKER_OVERFLOW, /* wrote more than max_bytes to a pipe; */
    WORKER_STOPPED,  /* or worker_stop() */
};

struct worker_end {
    enum worker_fate fate;
    int status; /* as wait(2) tells it */
    double took_s;
    char said[WORKER_SAID_MAX]; /* the last line that it wrote to standard error */
};

struct worker;

/*
 * ended is called once, after all it wrote was handed over; then there is no child any more.
 * NULL and a reason in e: it could not be started. What cannot be executed exits with 127 and says
 * why.
 */
struct worker *worker_start(const struct worker_order *o,
                            void (*ended)(void *ctx, const struct worker_end *end),
                            void *ctx, struct err *e);

/* Ends it at once; ended is called all the same. */
void worker_stop(struct worker *c);

#endif
