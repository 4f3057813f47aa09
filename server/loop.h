/*
 * loop.h - libuv's loop, made ready so that libuv does not end the process by itself.
 */
#ifndef SERVER_LOOP_H
#define SERVER_LOOP_H

#include "core/err.h"

#include <uv.h>

/*
 * Before any other use of libuv. Memory that libuv asks for comes from core/mem.h, and
 * the threads of its pool are known to be allowed: fewer than wanted are logged and make
 * the pool smaller. On failure the loop is not to be used, and e says why.
 */
int loop_init(uv_loop_t *loop, struct err *e);

#endif
