/*
 * tickets.h - session tickets: their keys, and when one is still good.
 *
 * The keys are of one context and never leave the process: with a changed configuration
 * or certificate every client shows again who it is.
 */
#ifndef SERVER_TLS_TICKETS_H
#define SERVER_TLS_TICKETS_H

#include <stdint.h>

#include <openssl/ssl.h>

enum {
    TICKET_SECONDS = 3600,          /* so long a ticket is accepted */
    TICKET_KEY_SECONDS = 24 * 3600, /* then a new key takes over */
};

struct ticket_key {
    unsigned char name[16], aes[32], mac[32];
    uint64_t made_s;
};

struct tickets {
    struct ticket_key now, before; /* before: only to read what it has sealed */
};

/*
 * Sets up tickets for ctx, whose application data must be t; t lives as long as ctx is
 * used. Now and from every session of ctx: one thread at a time.
 */
void tickets_init(struct tickets *t, SSL_CTX *ctx);
void tickets_deinit(struct tickets *t);

/* A new key, if the one in use has served its time; now_s counts from any start. */
void tickets_turn(struct tickets *t, uint64_t now_s);

#endif
