/*
 * peers.h - how many connections each peer has open.
 *
 * A peer is an IPv4 address or the /64 of an IPv6 one: whoever has one address of a /64
 * usually has all of them. Loop thread only, no I/O.
 */
#ifndef SERVER_HTTP_PEERS_H
#define SERVER_HTTP_PEERS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

/* An address without its port, IPv4 as mapped into IPv6. All zero: a unix socket. */
struct peer {
    uint8_t address[16];
};

/* The peer at sa; another family than IPv4 and IPv6 has none and gives all zero. */
struct peer peer_of(const struct sockaddr *sa);
bool peer_none(const struct peer *p);
bool peer_loopback(const struct peer *p);

/* Zeroed is empty. */
struct peers {
    struct peer_count **buckets;
};

/* One connection more or less; returns how many it has then. peer_none(): always 0. */
unsigned peers_add(struct peers *t, const struct peer *p);
unsigned peers_drop(struct peers *t, const struct peer *p);

void peers_deinit(struct peers *t);

#endif
