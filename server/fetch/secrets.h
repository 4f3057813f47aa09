/*
 * secrets.h - the files that tell who we are to a peer: read when they changed, and
 * nowhere shown.
 */
#ifndef SERVER_FETCH_SECRETS_H
#define SERVER_FETCH_SECRETS_H

#include "server/sources/opener.h"

/* A file with one line: a password, or a token. */
struct secret {
    const char *path; /* NULL: none. Borrowed */
    struct stamp stamp;
    char *text; /* NULL: not read yet */
};

/* Reads it if it is new or changed. On failure e names path and reason, what was read
 * before is kept, and the next call tries again. */
int secret_refresh(struct secret *s, struct err *e);
void secret_forget(struct secret *s); /* the text; wiped */

/* Whether a file can be read that libcurl will read. NULL: yes. */
int secret_readable(const char *path, struct err *e);

#endif
