#include "server/http/server.h"

#include <assert.h>
#include <stdlib.h>

#include "core/mem.h"
#include "server/http/conn.h"
#include "server/http/listener.h"
#include "server/http/state.h"

static const char *no_headers(void *ctx)
{
    (void)ctx;
    return "";
}

struct http_server *http_server_new(uv_loop_t *loop, const struct site *site,
                                    struct self *self, const struct http_limits *limits)
{
    struct http_server *s = mem_zalloc(sizeof(*s));

    s->loop = loop;
    s->site = *site;
    s->self = self;
    s->limits = *limits;
    s->door = (struct door){ .headers = no_headers };
    uv_timer_init(loop, &s->deadline); /* cannot fail */
    uv_idle_init(loop, &s->turn);
    s->deadline.data = s->turn.data = s;
    s->open = 2;
    return s;
}

void http_server_door(struct http_server *s, const struct door *door)
{
    s->door = *door;
    s->guarded = door->ask != NULL;
}

void http_server_changed(struct http_server *s)
{
    ready_clear(&s->ready);
}

int http_server_listen(struct http_server *s, int endpoint, const char *name,
                       struct view address, struct err *e)
{
    int rc = listener_open(s, endpoint, name, address, e);

    if (rc == 0 && s->self)
        self_endpoint(s->self, name);
    return rc;
}

int http_server_start(struct http_server *s, struct err *e)
{
    for (struct listener *l = s->listeners; l; l = l->next) {
        int rc = listener_start(l, e);

        if (rc < 0)
            return rc;
    }
    return 0;
}

static const struct listener *listener_at(const struct http_server *s, size_t i)
{
    const struct listener *l = s->listeners;

    while (i-- > 0 && l)
        l = l->next;
    assert(l);
    return l;
}

size_t http_server_listeners(const struct http_server *s)
{
    size_t n = 0;

    for (const struct listener *l = s->listeners; l; l = l->next)
        n++;
    return n;
}

const char *http_server_name(const struct http_server *s, size_t i)
{
    return listener_at(s, i)->name;
}

const char *http_server_address(const struct http_server *s, size_t i)
{
    return listener_at(s, i)->bound;
}

uint64_t http_server_met(const struct http_server *s, enum http_limit which)
{
    return s->met[which];
}

unsigned http_server_connections(const struct http_server *s)
{
    return s->conn_count;
}

static void on_handle_closed(uv_handle_t *h)
{
    struct http_server *s = h->data;

    if (--s->open == 0)
        s->done(s->done_ctx); /* s may be gone now */
}

void http_server_settle(struct http_server *s)
{
    if (!s->stopping || s->listeners || s->conns)
        return;
    if (uv_is_closing((uv_handle_t *)&s->deadline))
        return;
    uv_close((uv_handle_t *)&s->deadline, on_handle_closed);
    uv_close((uv_handle_t *)&s->turn, on_handle_closed);
}

static void close_all(struct http_server *s)
{
    for (struct conn *c = s->conns; c; c = conn_next(c))
        conn_close(c);
}

static void on_deadline(uv_timer_t *timer)
{
    close_all(timer->data);
}

void http_server_stop(struct http_server *s, unsigned timeout_ms,
                      http_server_done_fn *done, void *ctx)
{
    if (!s->stopping) {
        s->stopping = true;
        s->done = done;
        s->done_ctx = ctx;
        for (struct listener *l = s->listeners; l; l = l->next)
            listener_close(l);
        for (struct conn *c = s->conns; c; c = conn_next(c))
            conn_stop(c);
    }
    if (timeout_ms == 0)
        close_all(s);
    else if (!uv_is_closing((uv_handle_t *)&s->deadline))
        uv_timer_start(&s->deadline, on_deadline, timeout_ms, 0);
    http_server_settle(s);
}

void http_server_transport(struct http_server *s, struct transport_context *context)
{
    if (s->transport)
        s->transport->transport->context_unref(s->transport);
    s->transport = context;
}

void http_server_free(struct http_server *s)
{
    if (!s)
        return;
    assert(!s->listeners && !s->conns && !s->open);
    peers_deinit(&s->peers);
    http_server_transport(s, NULL);
    ready_clear(&s->ready);
    gzip_deinit(&s->gzip);
    free(s);
}
