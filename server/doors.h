/*
 * doors.h - the file of --web.config.file, in force: at start, when it or a file that it
 * names changes, and when a reload is asked for.
 *
 * A new file that is wrong changes nothing, and neither does one that would open what was
 * locked by saying nothing at all, as a file does that is being written. TLS begins and
 * ends with a start of the program alone. Loop thread only.
 */
#ifndef SERVER_DOORS_H
#define SERVER_DOORS_H

#include "server/config.h"
#include "server/http/server.h"

struct doors;

/*
 * Reads the file. *out is NULL where the flags name none; all functions below accept that
 * and do nothing. On failure e is one line with file, line, key and reason.
 */
int doors_new(uv_loop_t *loop, const struct config *c, struct doors **out,
              struct err *e);

/* Before http is started; http ends first. */
void doors_guard(struct doors *d, struct http_server *http);

/* Notices changes from here on, and those since doors_new(). */
void doors_watch(struct doors *d);

/* Reads all anew, now. On failure e says why, and what was in force stays so. */
int doors_reload(struct doors *d, struct err *e);

/* Closes all handles. */
void doors_stop(struct doors *d);

/* After the loop has run dry. */
void doors_free(struct doors *d);

/* For the process's own families. */
void doors_count(const struct doors *d, struct self_web *out);

/* Reads the file and what it names, for --check-config. */
int doors_check(const struct config *c, struct err *e);

/* Whether it asks for TLS; reads the file alone. */
int doors_ask_tls(const struct config *c, bool *tls, struct err *e);

#endif
