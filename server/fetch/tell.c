#include "server/fetch/tell.h"

#include <inttypes.h>
#include <stdio.h>

#include "core/buf.h"
#include "server/log.h"

enum { AGAIN_MS = 60 * 60 * 1000 };

/* FNV-1a of the text without digits: times and sizes do not make another kind. */
static uint64_t kind_of(struct view reason)
{
    uint64_t h = 14695981039346656037u;

    for (size_t i = 0; i < reason.n; i++)
        if (reason.p[i] < '0' || reason.p[i] > '9')
            h = (h ^ (unsigned char)reason.p[i]) * 1099511628211u;
    return h | 1;
}

static bool is_new(struct fetch_told *told, uint64_t kind, uint64_t now_ms)
{
    for (unsigned i = 0; i < FETCH_TOLD; i++)
        if (told->kinds[i] == kind) {
            bool again = now_ms - told->at_ms[i] >= AGAIN_MS;

            if (again)
                told->at_ms[i] = now_ms;
            return again;
        }
    told->kinds[told->next] = kind;
    told->at_ms[told->next] = now_ms;
    told->next = (told->next + 1) % FETCH_TOLD;
    return true;
}

void fetch_tell_bad(struct fetch_told *told, const char *peer, const char *url,
                    struct view reason, uint64_t wait_ms, uint64_t now_ms)
{
    char text[400], wait[32];
    /* That it is left alone now is news, also where the reason is not. */
    uint64_t kind = kind_of(reason) ^ (wait_ms ? 2 : 0);

    if (!is_new(told, kind, now_ms))
        return;
    told->bad = true;
    snprintf(text, sizeof text, "%.*s", VIEW_ARG(reason));
    snprintf(wait, sizeof wait, "after %" PRIu64 " ms", wait_ms);
    log_line(LOG_WARN, wait_ms ? "a peer keeps failing" : "a request failed", "peer",
             peer, "url", url, "reason", text, "asked_again",
             wait_ms ? wait : "with the next request", NULL);
}

void fetch_tell_good(struct fetch_told *told, const char *peer, const char *url)
{
    if (told->bad)
        log_line(LOG_INFO, "a peer answers again", "peer", peer, "url", url, NULL);
    told->bad = false;
}
