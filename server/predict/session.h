/*
 * session.h - one turn on the pool: lessons, a fit, and what is rendered of it.
 *
 * Filled on the loop, run on the pool, read and freed on the loop.
 */
#ifndef SERVER_PREDICT_SESSION_H
#define SERVER_PREDICT_SESSION_H

#include <uv.h>

#include "server/predict/sheets.h"

struct session {
    uv_work_t work;
    void *ctx; /* the caller's; not touched */
    struct lecture lecture;
    struct sheets_task task; /* fitted, lessons: filled in by the session */
    bool renders;            /* also without a new fit */
    bool names_anew;         /* another version may be shown */
    double now_s;            /* Unix time */

    struct sheets *made; /* NULL: nothing differs. The caller takes it. */
    uint64_t render_ns;  /* that this took */

    const struct lessons **lessons; /* its own: by served run, borrowed from items */
    size_t *items;                  /* of the lecture, by served run; SIZE_MAX: none */
};

/* What is served, of which the scenarios are to be told; references are taken. */
void session_serve(struct session *s, const struct served *served,
                   const struct notes *notes, uint64_t serial);

/* On the pool. */
void session_run(struct session *s);

void session_free(struct session *s);

#endif
