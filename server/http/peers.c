#include "server/http/peers.h"

#include <assert.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "core/hash.h"
#include "core/mem.h"

enum { BUCKETS = 1024 };

struct peer_count {
    struct peer_count *next;
    struct peer net; /* what counts as one */
    unsigned connections;
};

static bool is_mapped(const struct peer *p)
{
    static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

    return memcmp(p->address, mapped, sizeof(mapped)) == 0;
}

struct peer peer_of(const struct sockaddr *sa)
{
    struct peer p = { { 0 } };

    if (sa->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;

        memcpy(&in6, sa, sizeof(in6));
        memcpy(p.address, &in6.sin6_addr, 16);
    } else if (sa->sa_family == AF_INET) {
        struct sockaddr_in in4;

        memcpy(&in4, sa, sizeof(in4));
        p.address[10] = p.address[11] = 0xff;
        memcpy(p.address + 12, &in4.sin_addr, 4);
    }
    return p;
}

bool peer_none(const struct peer *p)
{
    static const struct peer none;

    return memcmp(p, &none, sizeof(none)) == 0;
}

bool peer_loopback(const struct peer *p)
{
    static const struct peer one = { { [15] = 1 } };

    return is_mapped(p) ? p->address[12] == 127 : memcmp(p, &one, sizeof(one)) == 0;
}

static struct peer net_of(const struct peer *p)
{
    struct peer net = *p;

    if (!is_mapped(p))
        memset(net.address + 8, 0, 8);
    return net;
}

/* Where the count of this net hangs, or would. */
static struct peer_count **place(struct peers *t, const struct peer *net)
{
    const struct view bytes = { (const char *)net->address, sizeof(net->address) };
    struct peer_count **at = &t->buckets[hash_of(bytes, 0).part[0] % BUCKETS];

    while (*at && memcmp(&(*at)->net, net, sizeof(*net)) != 0)
        at = &(*at)->next;
    return at;
}

unsigned peers_add(struct peers *t, const struct peer *p)
{
    const struct peer net = net_of(p);
    struct peer_count **at;

    if (peer_none(p))
        return 0;
    if (!t->buckets)
        t->buckets = mem_zalloc(BUCKETS * sizeof(struct peer_count *));
    at = place(t, &net);
    if (!*at) {
        *at = mem_zalloc(sizeof(**at));
        (*at)->net = net;
    }
    return ++(*at)->connections;
}

unsigned peers_drop(struct peers *t, const struct peer *p)
{
    const struct peer net = net_of(p);
    struct peer_count **at, *gone;

    if (peer_none(p))
        return 0;
    assert(t->buckets);
    at = place(t, &net);
    assert(*at);
    if (--(*at)->connections > 0)
        return (*at)->connections;
    gone = *at;
    *at = gone->next;
    free(gone);
    return 0;
}

void peers_deinit(struct peers *t)
{
    for (size_t i = 0; t->buckets && i < BUCKETS; i++) {
        while (t->buckets[i]) {
            struct peer_count *gone = t->buckets[i];

            t->buckets[i] = gone->next;
            free(gone);
        }
    }
    free(t->buckets);
    t->buckets = NULL;
}
