/*
 * scrapers.c - the book of who scraped what, and when.
 *
 * Whether an answer held the last values is told by its beginning: bodies are put in
 * place all at once, so an answer that began after the last change holds what it
 * brought, and one that began before it counts for nothing however late its last byte
 * went out. Answers that overtake each other on two connections of a peer are no
 * matter: the youngest beginning counts.
 *
 * A few peers are the rule, so a list that is searched from its front is the quickest.
 */
#include "server/http/scrapers.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

void scrapers_deinit(struct scrapers *b)
{
    free(b->list);
    *b = (struct scrapers){ 0 };
}

struct scraper_peer scraper_peer(const struct sockaddr *sa)
{
    struct scraper_peer p = { { 0 } };

    if (sa && sa->sa_family == AF_INET) {
        struct sockaddr_in in;

        memcpy(&in, sa, sizeof in);
        p.address[10] = p.address[11] = 0xff;
        memcpy(p.address + 12, &in.sin_addr, 4);
    } else if (sa && sa->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;

        memcpy(&in6, sa, sizeof in6);
        memcpy(p.address, &in6.sin6_addr, sizeof p.address);
    }
    return p;
}

void scraper_peer_text(const struct scraper_peer *p, char to[INET6_ADDRSTRLEN])
{
    static const struct scraper_peer unix_socket;
    static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };

    if (memcmp(p, &unix_socket, sizeof *p) == 0)
        memcpy(to, "unix socket", sizeof "unix socket");
    else if (memcmp(p->address, mapped, sizeof mapped) == 0)
        inet_ntop(AF_INET, p->address + 12, to, INET6_ADDRSTRLEN);
    else
        inet_ntop(AF_INET6, p->address, to, INET6_ADDRSTRLEN);
}

void scrapers_changed(struct scrapers *b, uint64_t now_ns)
{
    b->changed_ns = now_ns;
}

static size_t silent_longest(const struct scrapers *b)
{
    size_t oldest = 0;

    for (size_t i = 1; i < b->count; i++)
        if (b->list[i].last_ns < b->list[oldest].last_ns)
            oldest = i;
    return oldest;
}

static struct scraper *entry_of(struct scrapers *b, const struct scraper_peer *peer)
{
    size_t i = 0;

    while (i < b->count && memcmp(&b->list[i].peer, peer, sizeof *peer) != 0)
        i++;
    if (i < b->count)
        return &b->list[i];
    if (b->count == SCRAPERS_MAX) {
        i = silent_longest(b);
    } else if (b->count++ == b->cap) {
        b->cap = b->cap ? b->cap * 2 : 4;
        b->list = mem_resize(b->list, b->cap, sizeof *b->list);
    }
    b->list[i] = (struct scraper){ .peer = *peer };
    return &b->list[i];
}

void scrapers_note(struct scrapers *b, int endpoint, const struct scraper_peer *peer,
                   uint64_t began_ns, uint64_t now_ns)
{
    struct scraper *s = entry_of(b, peer);

    assert(endpoint >= 0 && endpoint < SCRAPERS_ENDPOINTS);
    s->last_ns = now_ns;
    s->endpoint[endpoint].seen_ns = now_ns;
    if (began_ns > s->endpoint[endpoint].began_ns)
        s->endpoint[endpoint].began_ns = began_ns;
}

size_t scrapers_missing(const struct scrapers *b, uint64_t recent_ns, uint64_t since_ns,
                        struct scraper_missing *first)
{
    size_t n = 0;

    for (size_t i = 0; i < b->count; i++) {
        const struct scraper *s = &b->list[i];

        for (int e = 0; e < SCRAPERS_ENDPOINTS; e++) {
            if (s->endpoint[e].seen_ns == 0 || s->endpoint[e].seen_ns < recent_ns ||
                s->endpoint[e].began_ns > since_ns)
                continue;
            if (n++ == 0 && first)
                *first = (struct scraper_missing){ e, s->peer };
        }
    }
    return n;
}

bool scrapers_any(const struct scrapers *b, uint64_t since_ns)
{
    for (size_t i = 0; i < b->count; i++)
        for (int e = 0; e < SCRAPERS_ENDPOINTS; e++)
            if (b->list[i].endpoint[e].began_ns > since_ns)
                return true;
    return false;
}
