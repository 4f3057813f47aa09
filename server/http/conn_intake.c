/*
 * conn_intake.c - a body that somebody takes as it arrives.
 *
 * The door is asked before the first byte, as for any request. A client that is turned away
 * may go on sending: what it says then is heard and dropped for a moment, and it is closed.
 */
#include "server/http/conn_inner.h"

static bool takes(void *ctx, const struct request *rq)
{
    const struct conn *c = ctx;

    return route_takes_body(&c->server->site, c->endpoint, rq);
}

void conn_ask_for_bodies(struct conn *c)
{
    if (c->server->site.intake && c->endpoint == c->server->site.intake_endpoint)
        http_ask(&c->reader, takes, c);
}

static void on_body(void *ctx, struct view bytes)
{
    struct conn *c = ctx;

    if (!c->intake_full && !c->intake->bytes(c->intake, bytes))
        c->intake_full = true;
}

/* The answer is there before the body: what still comes of it is not waited for. */
static void turn_away(struct conn *c)
{
    c->keep_alive = false;
    c->unheard = true;
    if (c->answer.reply.status == 403 || c->answer.reply.status == 429)
        conn_met(c, http_limit_of(c->answer.reply.status));
    conn_start(c);
}

static void on_send_away(struct intake *in)
{
    conn_close(in->reader);
}

static struct intake *taken(struct conn *c, const struct intake_request *asked)
{
    struct http_server *s = c->server;

    if (!conn_lasting_full(s))
        return s->site.intake(s->site.ctx, asked, &c->answer.reply);
    conn_lasting_refused(c);
    return NULL;
}

static bool is_loopback(const struct conn *c)
{
    return c->u.handle.type != UV_TCP || peer_loopback(&c->peer);
}

static void admit(struct conn *c, bool known)
{
    struct request rq;
    const struct intake_request asked = { &rq, is_loopback(c), known };

    http_request(&c->reader, &rq);
    c->intake = taken(c, &asked);
    if (!c->intake) {
        turn_away(c);
        return;
    }
    conn_lasts(c);
    c->intake->send_away = on_send_away;
    c->intake->reader = c;
    c->intake_full = false;
    http_take_body(&c->reader, on_body);
    if (http_expects(&c->reader))
        conn_say_continue(c);
}

static void decide(struct conn *c, enum door_verdict v, bool known)
{
    if (v == DOOR_OPEN) {
        admit(c, known);
        return;
    }
    c->keep_alive = false;
    c->unheard = true;
    conn_turn_back(c, v);
}

static void on_decided(struct door_wait *w, enum door_verdict v)
{
    struct conn *c = (struct conn *)((char *)w - offsetof(struct conn, wait));

    c->state = READING;
    decide(c, v, true); /* an open door does not think about it */
    if (!c->closing && c->state == READING)
        conn_go_on(c);
}

void conn_body(struct conn *c)
{
    struct http_server *s = c->server;
    enum door_verdict v = DOOR_OPEN;
    struct request rq;

    c->began_ns = uv_hrtime();
    c->timed = false; /* it takes as long as an encode does */
    c->keep_alive = c->reader.keep_alive;
    if (s->guarded) {
        http_request(&c->reader, &rq);
        c->wait.decided = on_decided;
        v = s->door.ask(s->door.ctx, rq.authorization, &c->wait);
    }
    if (v == DOOR_WAIT)
        conn_wait_for_door(c);
    else
        decide(c, v, s->guarded && s->door.locks(s->door.ctx));
}

void conn_body_over(struct conn *c)
{
    struct intake *in = c->intake;

    c->intake = NULL;
    c->server->lasting--;
    in->end(in, INTAKE_WHOLE, &c->answer.reply);
    conn_start(c);
}

bool conn_body_none(struct conn *c, const struct request *rq, bool known)
{
    const struct intake_request asked = { rq, is_loopback(c), known };
    struct reply *r = &c->answer.reply;
    struct intake *in;

    if (!route_takes_body(&c->server->site, c->endpoint, rq))
        return false;
    in = taken(c, &asked);
    if (in)
        in->end(in, INTAKE_WHOLE, r);
    else if (r->status == 403 || r->status == 429)
        conn_met(c, http_limit_of(r->status));
    conn_start(c);
    return true;
}

void conn_body_cut(struct conn *c)
{
    struct intake *in = c->intake;

    c->intake = NULL;
    if (!in)
        return;
    c->server->lasting--;
    in->end(in, INTAKE_CUT, NULL);
}
