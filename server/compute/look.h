/*
 * look.h - opens two files of the results directory, on the pool.
 *
 * As results are opened: nothing that lies outside the directory, nothing but regular files.
 */
#ifndef SERVER_COMPUTE_LOOK_H
#define SERVER_COMPUTE_LOOK_H

#include <uv.h>

#include "core/view.h"
#include "server/sources/opener.h"

enum { LOOK_OUTPUT, LOOK_REFERENCE, LOOK_FILES };

struct look_result {
    int fds[LOOK_FILES];             /* the caller's; -1: not open */
    struct stamp stamps[LOOK_FILES]; /* zeroed where not open */
    struct err e;                    /* why one of them is not */
};

/* Texts are copied. done is called once, on the loop. */
void look_start(uv_loop_t *loop, const char *dir, struct view output,
                struct view reference, void (*done)(void *ctx, struct look_result *r),
                void *ctx);

/* As it lies there now; false: it cannot be asked. */
bool look_stamp(int fd, struct stamp *out);

/* The same content, whatever its name and rights are by now. */
bool look_same(const struct stamp *a, const struct stamp *b);

void look_close(struct look_result *r);

#endif
