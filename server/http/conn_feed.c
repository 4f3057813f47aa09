/*
 * conn_feed.c - an answer that goes on.
 *
 * FEEDING is the state of one that has nothing to send. Its client is listened to all the
 * same: not for what it says, but to hear that it went.
 */
#include "server/http/conn_inner.h"

#include <math.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "server/http/conn_tls.h"

enum {
    HEARD_BYTES = 64 * 1024,  /* that a client may say after its request */
    KERNEL_BYTES = 64 * 1024, /* that the kernel may hold and not have sent */
};

/* ---- the client ----------------------------------------------------------------- */

/*
 * Without this the kernel takes megabytes for a client that takes nothing, which is told
 * long after what was true long ago. What fails is left as it is.
 */
static void keep_current(struct conn *c)
{
    int fd, unsent = KERNEL_BYTES;
    unsigned timeout_ms = c->server->limits.write_timeout_ms;

    if (c->u.handle.type != UV_TCP || uv_fileno(&c->u.handle, &fd) < 0)
        return;
    setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof unsent);
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms, sizeof timeout_ms);
}

/* What the session has heard is dropped; false: c has failed, or its client is done. */
static bool drop_heard(struct conn *c)
{
    while (c->transport->read(c->session, c->server->input, READ_BYTES) > 0)
        continue;
    switch (c->transport->state(c->session)) {
    case TRANSPORT_BROKEN:
        conn_tls_broken(c);
        return false;
    case TRANSPORT_ENDED:
        conn_close(c);
        return false;
    case TRANSPORT_OPENING:
    case TRANSPORT_OPEN:
        break;
    }
    return true;
}

/* Listens; what the session itself has to say (keys, tickets) goes out first. */
static void hear_on(struct conn *c)
{
    c->state = FEEDING;
    if (c->session) {
        if (!drop_heard(c))
            return;
        if (conn_tls_pending(c) > 0) {
            conn_send_on(c, UINT64_MAX);
            return;
        }
    }
    conn_read_on(c);
}

void conn_feed_heard(struct conn *c, const char *p, size_t n)
{
    c->dropped += n;
    if (c->dropped > HEARD_BYTES) {
        conn_close(c);
        return;
    }
    if (!c->session)
        return;
    c->transport->receive(c->session, p, n);
    if (c->state == FEEDING)
        hear_on(c);
    else
        drop_heard(c); /* woken: its turn comes */
}

/* ---- the feed ------------------------------------------------------------------- */

/* Ends an answer of which nothing is under way, so that it is whole. */
static void finish(struct conn *c)
{
    static const char last[] = "0\r\n\r\n";
    uv_buf_t b = uv_buf_init((char *)(uintptr_t)last, sizeof last - 1);

    if (!c->reader.http10) {
        if (c->session)
            c->transport->write(c->session, last, sizeof last - 1);
        else
            uv_try_write(&c->u.stream, &b, 1);
    }
    conn_tls_goodbye(c);
    conn_close(c);
}

void conn_feed_on(struct conn *c)
{
    struct ready_answer *chunk;

    answer_release(&c->answer);
    if (c->server->stopping) {
        finish(c);
        return;
    }
    chunk = c->feed->next(c->feed);
    if (!chunk) {
        hear_on(c);
        return;
    }
    answer_start_chunk(&c->answer, chunk, !c->reader.http10);
    conn_send_on(c, UINT64_MAX);
}

static void on_wake(struct feed *f)
{
    struct conn *c = f->sender;

    if (c->state == FEEDING && !c->closing)
        conn_fall_behind(c);
}

void conn_feed(struct conn *c)
{
    struct http_server *s = c->server;
    struct reply *r = &c->answer.reply;

    if (r->head) {
        conn_start(c);
        return;
    }
    if (conn_lasting_full(s)) {
        answer_release(&c->answer); /* with the feed */
        conn_lasting_refused(c);
        conn_start(c);
        return;
    }
    if (c->reader.http10)
        c->keep_alive = false;
    conn_make_head(c);
    c->feed = r->feed;
    r->feed = NULL;
    c->feed->wake = on_wake;
    c->feed->sender = c;
    conn_lasts(c);
    keep_current(c);
    /* What it asks for behind this is not answered. */
    buf_deinit(&c->pending);
    c->pending_used = 0;
    if (s->self)
        self_request(s->self, c->name, r->status, NAN);
    conn_send(c);
}

bool conn_feed_stop(struct conn *c)
{
    if (!c->feed)
        return false;
    if (c->state != WRITING)
        finish(c);
    else if (uv_stream_get_write_queue_size(&c->u.stream) > 0)
        conn_close(c); /* a client that is cut off asks for what it missed */
    return true;
}

void conn_feed_over(struct conn *c)
{
    struct feed *f = c->feed;

    c->feed = NULL;
    if (!f)
        return;
    c->server->lasting--;
    f->gone(f);
}
