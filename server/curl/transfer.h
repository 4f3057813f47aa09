/*
 * transfer.h - one request: what is told to libcurl about it, where redirects lead, and
 * what came back.
 */
#ifndef SERVER_CURL_TRANSFER_H
#define SERVER_CURL_TRANSFER_H

#include <curl/curl.h>

#include "server/fetch/fetch_client.h"

/* Where the system keeps certificates of authorities; NULL: not there. */
struct authorities {
    const char *path; /* one file for each, named by its hash */
    const char *file; /* all of them */
};

struct fetch_transfer {
    struct fetch_transfer *next, **from; /* the client's list */
    struct fetch_client *client;
    fetch_done *done;
    void *ctx;

    CURL *easy;
    CURLU *home;                          /* where credentials may go */
    struct curl_slist *headers, *foreign; /* at home; after http to https: without the
                                             caller's */
    char *body;                           /* that is sent; NULL: none, or upload */
    struct fetch_upload upload;
    uint64_t sent;
    uint64_t left_ms; /* of the timeout, for redirects */
    unsigned redirects;
    bool secure;  /* the last URL was https */
    bool refused; /* libcurl did not take an option */

    char *answer;
    size_t answer_n, answer_cap;
    uint64_t answer_max;
    uint64_t head_n;    /* bytes of heads and trailers */
    uint64_t arrived_n; /* bytes of bodies, in their chunks */
    bool too_large, long_head;
    char told[CURL_ERROR_SIZE]; /* by libcurl, of its failure */
    char problem[CURL_ERROR_SIZE + 64];
};

/* NULL, and e says why. Not yet in a list or under way. */
struct fetch_transfer *transfer_new(const struct fetch_request *r,
                                    const struct authorities *system, struct err *e);
void transfer_free(struct fetch_transfer *t);

/* libcurl says that it is over. True: it was redirected and is to be started again. */
bool transfer_goes_on(struct fetch_transfer *t, CURLcode code);

/* What came back; valid while t is. */
struct fetch_answer transfer_answer(struct fetch_transfer *t);

#endif
