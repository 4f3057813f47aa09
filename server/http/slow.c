#include "server/http/slow.h"

#include "server/http/conn_tls.h"

enum { LOOK_MS = 100 };

/* Bytes of texts and blocks of what is served now. */
static size_t served_bytes(const struct http_server *s)
{
    struct body *bodies[REPLY_BODIES_MAX];
    size_t count = s->site.bodies(s->site.ctx, -1, bodies), n = 0;

    for (size_t i = 0; i < count; i++)
        n += body_kept_bytes(bodies[i]);
    return n;
}

/* Of a batch that several are sent each has its part. */
static size_t batch_bytes(const struct conn *c)
{
    const struct ready_answer *batch = c->feed ? c->answer.ready : NULL;

    return batch ? batch->n / batch->refs : 0;
}

static size_t own_bytes(const struct http_server *s)
{
    size_t n = 0;

    for (const struct conn *c = s->conns; c; c = c->next)
        if (!c->closing)
            n += c->answer.text_bytes + batch_bytes(c) + conn_tls_pending(c);
    return n;
}

/* The one that has been at it the longest; NULL: nobody is. */
static struct conn *slowest(struct http_server *s)
{
    struct conn *found = NULL;

    for (struct conn *c = s->conns; c; c = c->next)
        if (!c->closing && c->state == WRITING &&
            (!found || c->began_ms < found->began_ms))
            found = c;
    return found;
}

void slow_limit(struct http_server *s)
{
    uint64_t now = uv_now(s->loop);
    size_t kept, served;
    struct conn *victim;

    if (now - s->slow_looked_ms < LOOK_MS)
        return;
    s->slow_looked_ms = now;
    kept = chunk_kept_bytes() + own_bytes(s);
    if (kept <= s->limits.slow_bytes)
        return;
    served = served_bytes(s);
    while (kept > served && kept - served > s->limits.slow_bytes &&
           (victim = slowest(s))) {
        conn_met(victim, HTTP_LIMIT_SLOW_MEMORY);
        conn_close(victim); /* nothing is sent any more: its bytes can go at once */
        answer_release(&victim->answer);
        kept = chunk_kept_bytes() + own_bytes(s);
    }
}
