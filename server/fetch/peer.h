/*
 * peer.h - who is asked, and who we are to it: the settings of struct fetch_peer, with the
 * files that they name as they are now.
 */
#ifndef SERVER_FETCH_PEER_H
#define SERVER_FETCH_PEER_H

#include "core/arena.h"
#include "server/fetch/fetch.h"
#include "server/fetch/secrets.h"
#include "server/fetch/url.h"

struct peer {
    struct fetch_peer is;
    struct fetch_url url;
    struct arena mem;
    struct secret password, token;
    struct stamp ca_stamp;
    uint64_t ca_changed_ms;
};

/* Checks the settings and reads the files. In any case peer_deinit() ends it. */
int peer_init(struct peer *p, const struct fetch_peer *is, uint64_t now_ms,
              struct err *e);
void peer_deinit(struct peer *p);

/* Reads anew what changed: a stat() of a few files. now_ms: any monotonic clock. */
int peer_refresh(struct peer *p, uint64_t now_ms, struct err *e);

/* As it was last refreshed; borrowed. */
struct fetch_identity peer_identity(const struct peer *p, uint64_t now_ms);

enum { PEER_HEADERS_MAX = 8 };

/* The peer's headers, and the token where it has one of its own, whose line is put into
 * text, which peer_wipe() ends. */
void peer_headers(const struct peer *p, const char *to[PEER_HEADERS_MAX + 2],
                  struct buf *text);
void peer_wipe(struct buf *text);

/* Takes what is secret out of the n bytes of text, which are to be shown. */
void peer_blank(const struct peer *p, char *text, size_t n);

/* Whether a secret goes to another machine in plain text. */
bool peer_is_open(const struct peer *p);

#endif
