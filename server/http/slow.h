/*
 * slow.h - what slow readers may hold in memory, all of them together.
 */
#ifndef SERVER_HTTP_SLOW_H
#define SERVER_HTTP_SLOW_H

#include "server/http/state.h"

/*
 * Closes those that have been reading the longest until what is kept only for readers
 * (generations that are served no more, texts made for one client) is within
 * limits.slow_bytes. Looks at most every 100 ms.
 */
void slow_limit(struct http_server *s);

#endif
