/*
 * url.h - the URL of a peer in parts: what is asked, what may be shown, who asks.
 */
#ifndef SERVER_FETCH_URL_H
#define SERVER_FETCH_URL_H

#include "core/arena.h"
#include "core/buf.h"
#include "core/err.h"

struct fetch_url {
    const char *base;  /* scheme, host, port, path; without '/' at its end */
    const char *host;  /* without port; [::1] with its brackets */
    const char *query; /* without '?'; "" none */
    const char *username, *password; /* decoded; NULL: none in it */
    bool secure;                     /* https */
    bool loopback; /* the host is this machine, by its name or number */
};

/* Texts live as long as the arena. -EINVAL: e says what is wrong, without the URL. */
int fetch_url_parse(const char *text, struct arena *a, struct fetch_url *out,
                    struct err *e);

/* base with path (begins with '/', or is empty) behind it, and both queries. */
void fetch_url_join(const struct fetch_url *u, const char *path, struct buf *to);

#endif
