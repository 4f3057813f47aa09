/*
 * scrapers.h - the book of who scraped what, and when.
 *
 * Kept for the end of the process: it may go when all who come regularly have the last
 * values. A scraper is an endpoint and the address of a peer without its port; all
 * clients of a Unix socket are one peer. No clock, no socket: times are arguments, in
 * nanoseconds of any monotonic clock that is not 0.
 */
#ifndef SERVER_HTTP_SCRAPERS_H
#define SERVER_HTTP_SCRAPERS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* So many peers are remembered; past them the one that is silent longest goes. */
enum { SCRAPERS_MAX = 256, SCRAPERS_ENDPOINTS = 8 };

struct scraper_peer {
    unsigned char address[16]; /* IPv6; IPv4 as ::ffff:a.b.c.d; all 0: a Unix socket */
};

struct scraper {
    struct scraper_peer peer;
    uint64_t last_ns; /* of its last scrape, of any endpoint */
    struct {
        uint64_t seen_ns;  /* when its last answer was out; 0: never */
        uint64_t began_ns; /* when the youngest of its answers began */
    } endpoint[SCRAPERS_ENDPOINTS];
};

struct scrapers { /* zero-initialised: nobody has scraped */
    struct scraper *list;
    size_t count, cap;
    uint64_t changed_ns; /* when what is served last changed */
};

void scrapers_deinit(struct scrapers *b);

/* sa NULL, or of another family than IPv4 and IPv6: a Unix socket. */
struct scraper_peer scraper_peer(const struct sockaddr *sa);

/* "10.0.0.7", "fd00::7" or "unix socket". */
void scraper_peer_text(const struct scraper_peer *p, char to[INET6_ADDRSTRLEN]);

/* From now on other bytes are served. */
void scrapers_changed(struct scrapers *b, uint64_t now_ns);

/*
 * The last byte of an answer to a scrape is the kernel's. began_ns: when its request was
 * complete. What it holds was served then or later.
 */
void scrapers_note(struct scrapers *b, int endpoint, const struct scraper_peer *peer,
                   uint64_t began_ns, uint64_t now_ns);

/* Who was found missing first. */
struct scraper_missing {
    int endpoint;
    struct scraper_peer peer;
};

/*
 * How many scrapers that were seen at recent_ns or later have no answer that began after
 * since_ns. *first is set if there are any; it may be NULL.
 */
size_t scrapers_missing(const struct scrapers *b, uint64_t recent_ns, uint64_t since_ns,
                        struct scraper_missing *first);

/* True if anybody has an answer that began after since_ns. */
bool scrapers_any(const struct scrapers *b, uint64_t since_ns);

#endif
