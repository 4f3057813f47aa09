/*
 * doors.c - the web config in force.
 *
 * Reading a config reads certificates as well, so what a change of files brings is read on
 * the pool. While one reading is under way the next one waits; what was read before a
 * reload that somebody asked for is dropped. What lies between a reading and the watches
 * that it leads to is found by one more reading.
 */
#include "server/doors.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>

#include "core/mem.h"
#include "server/sources/filewatch.h"
#include "server/web/passwords.h"
#include "server/web/toolbox.h"
#include "server/web/transport.h"

enum { FILES_MAX = 3 /* that a config names */, SETTLE_MS = 250 };

/* What reading brings; all that is not taken out of it is given back by drop(). */
struct news {
    struct web_config *config;
    struct transport_context *context; /* NULL without TLS */
};

struct reading {
    uv_work_t work;
    struct doors *doors;
    struct news news;
    struct err e;
    int rc;
    uint64_t reloads; /* that had been asked for when it began */
    bool quiet;       /* nobody need be told if nothing changed */
};

struct doors {
    uv_loop_t *loop;
    const struct config *c;
    const struct transport *transport; /* NULL: without TLS */
    struct transport_context *context; /* until the server has it */
    struct passwords *passwords;
    struct web_config *config; /* in force */
    struct http_server *http;

    struct filewatch *watch;
    struct filewatch *watches[FILES_MAX];
    size_t watch_count;

    /* A change counts when two readings SETTLE_MS apart say the same: who writes in
     * place may not be done. */
    uv_timer_t settle;
    bool settle_open;
    bool settle_loud;
    struct hash candidate; /* what the first of them said */

    struct reading *reading; /* NULL: none is under way */
    bool due, due_loud;      /* another one */
    bool stopped;
    uint64_t reloads;
    struct err found; /* by a reading that no event had led to; its event may follow */

    bool good; /* the last reading was */
    double good_unix_s;
};

/* ---- reading -------------------------------------------------------------------------- */

static void drop(struct news *n)
{
    web_config_unref(n->config);
    if (n->context)
        n->context->transport->context_unref(n->context);
    *n = (struct news){ 0 };
}

static int make_context(const struct transport *t, struct news *n, struct err *e)
{
    int rc = t->server_context(&n->config->tls, &n->context, e);

    if (rc < 0) {
        web_config_place(n->config, e);
        drop(n);
    }
    return rc;
}

/* Any thread. t: NULL where TLS was not asked for at the start. */
static int read_news(const struct transport *t, const char *file, struct news *out,
                     struct err *e)
{
    int rc = web_config_read(&encode_toolbox, file, &out->config, e);

    return rc == 0 && t && out->config->has_tls ? make_context(t, out, e) : rc;
}

/* The same, with the library that TLS takes. Main thread. */
static int read_first(const char *file, const struct transport **t, struct news *out,
                      struct err *e)
{
    int rc;

    *t = NULL;
    rc = read_news(NULL, file, out, e);
    if (rc < 0 || !out->config->has_tls)
        return rc;
    *t = transport_load(e);
    if (*t)
        return make_context(*t, out, e);
    drop(out);
    return -ELIBACC;
}

static void say_notices(const struct web_config *c)
{
    for (size_t i = 0; i < c->notice_count; i++)
        log_line(LOG_WARN, "web config", "notice", c->notices[i], NULL);
}

static void say_in_force(const struct web_config *c)
{
    char users[24];

    snprintf(users, sizeof users, "%zu", c->user_count);
    log_line(LOG_INFO, "web config in force", "file", c->file, "tls",
             c->has_tls ? "on" : "off", "users", users, "rate_limit",
             c->rate_interval_ns ? "on" : "off", NULL);
    say_notices(c);
}

static void is_good(struct doors *d)
{
    struct timeval now;

    gettimeofday(&now, NULL);
    d->good = true;
    d->good_unix_s = (double)now.tv_sec + (double)now.tv_usec / 1e6;
}

/* ---- taking it over ------------------------------------------------------------------- */

static int judge(const struct doors *d, const struct web_config *c, struct err *e)
{
    if (c->empty && (d->config->user_count > 0 || d->config->has_tls))
        return err_set(e, -EINVAL,
                       "%s: says nothing, which would let everybody in; {} does so, if "
                       "that is meant",
                       c->file);
    if (c->has_tls != d->config->has_tls)
        return err_set(e, -EINVAL,
                       "%s: tls_server_config: TLS begins and ends with a restart",
                       c->file);
    if (d->config->user_count > 0 && c->user_count == 0 && !c->no_users_said)
        return err_set(e, -EINVAL,
                       "%s: basic_auth_users: are gone, which would let everybody in; "
                       "basic_auth_users: {} does so, if that is meant",
                       c->file);
    if (c->has_tls && d->config->has_tls && !c->client_auth_said &&
        c->tls.client_auth < d->config->tls.client_auth)
        return err_set(e, -EINVAL,
                       "%s: tls_server_config: client_auth_type is gone, which would "
                       "ask for less; write out what is meant",
                       c->file);
    return 0;
}

static void watch_files(struct doors *d);

/* Takes what is in n. True: the text says something else than before. */
static bool take(struct doors *d, struct news *n)
{
    bool changed = !hash_eq(n->config->says.part, d->config->says.part);

    if (n->context) {
        http_server_transport(d->http, n->context);
        n->context = NULL;
    }
    if (!changed)
        return false;
    web_config_unref(d->config);
    d->config = web_config_ref(n->config);
    passwords_configure(d->passwords, web_config_ref(n->config));
    http_server_changed(d->http);
    watch_files(d);
    return true;
}

/* ---- on the pool ---------------------------------------------------------------------- */

static void on_work(uv_work_t *work)
{
    struct reading *r = work->data;
    const struct doors *d = r->doors;

    r->rc = read_news(d->transport, d->c->web_config_file, &r->news, &r->e);
}

static void on_worked(uv_work_t *work, int status);

static void begin(struct doors *d, bool quiet)
{
    struct reading *r;

    if (d->reading) {
        d->due = true;
        d->due_loud |= !quiet;
        return;
    }
    r = mem_zalloc(sizeof *r);
    r->doors = d;
    r->reloads = d->reloads;
    r->quiet = quiet;
    r->work.data = r;
    d->reading = r;
    /* Fails without a callback alone. */
    uv_queue_work(d->loop, &r->work, on_work, on_worked);
}

/* Each fault once: not that of a reading which another one follows, and not again where
 * the event of a change comes later than a reading that has seen it. */
static void say_fault(struct doors *d, const struct reading *r)
{
    bool told = d->found.code && strcmp(d->found.text, r->e.text) == 0;

    d->found.code = 0;
    if (d->due || told)
        return;
    if (r->quiet)
        d->found = r->e;
    log_line(LOG_ERROR, "web config not reloaded", "reason", r->e.text, "served",
             "with the old one", NULL);
}

static void on_settled(uv_timer_t *timer)
{
    struct doors *d = timer->data;

    begin(d, !d->settle_loud);
    d->settle_loud = false;
}

/* True if this reading, of a change that nobody asked for by name, has to be confirmed. */
static bool unsettled(struct doors *d, const struct reading *r)
{
    const struct hash says = r->news.config->says;

    if (hash_eq(says.part, d->config->says.part) ||
        hash_eq(says.part, d->candidate.part))
        return false;
    d->candidate = says;
    d->settle_loud |= !r->quiet;
    uv_timer_start(&d->settle, on_settled, SETTLE_MS, 0);
    return true;
}

static void conclude(struct doors *d, struct reading *r)
{
    if (r->rc == 0 && unsettled(d, r))
        return;
    if (r->rc == 0)
        r->rc = judge(d, r->news.config, &r->e);
    if (r->rc < 0) {
        d->good = false;
        say_fault(d, r);
        return;
    }
    d->found.code = 0;
    is_good(d);
    if (take(d, &r->news) || !r->quiet)
        say_in_force(d->config);
}

static void on_worked(uv_work_t *work, int status)
{
    struct reading *r = work->data;
    struct doors *d = r->doors;
    bool due, loud;

    (void)status; /* nothing is cancelled */
    d->reading = NULL;
    if (!d->stopped && r->reloads == d->reloads)
        conclude(d, r); /* may make another one due, or begin it */
    due = d->due;
    loud = d->due_loud;
    d->due = d->due_loud = false;
    if (!d->stopped && due)
        begin(d, !loud);
    drop(&r->news);
    free(r);
}

/* ---- watching ------------------------------------------------------------------------- */

static void on_changed(void *ctx)
{
    begin(ctx, false);
}

static struct filewatch *watch(struct doors *d, const char *path)
{
    return filewatch_start(d->loop, path, d->c->watch, d->c->poll_interval_ms,
                           on_changed, d);
}

static void watch_file(void *ctx, const char *path)
{
    struct doors *d = ctx;

    assert(d->watch_count < FILES_MAX);
    d->watches[d->watch_count++] = watch(d, path);
}

static void unwatch_files(struct doors *d)
{
    while (d->watch_count > 0)
        filewatch_stop(d->watches[--d->watch_count]);
}

static void watch_files(struct doors *d)
{
    if (!d->watch) /* not yet */
        return;
    unwatch_files(d);
    web_config_files(d->config, watch_file, d);
    begin(d, true);
}

void doors_watch(struct doors *d)
{
    if (!d)
        return;
    uv_timer_init(d->loop, &d->settle);
    d->settle.data = d;
    d->settle_open = true;
    d->watch = watch(d, d->c->web_config_file);
    watch_files(d);
}

/* ---- for the program ------------------------------------------------------------------ */

static bool named(const struct config *c)
{
    return c->web_config_file && *c->web_config_file;
}

int doors_new(uv_loop_t *loop, const struct config *c, struct doors **out,
              struct err *e)
{
    const struct transport *transport;
    struct news news = { 0 };
    struct doors *d;
    int rc;

    *out = NULL;
    if (!named(c))
        return 0;
    rc = read_first(c->web_config_file, &transport, &news, e);
    if (rc < 0)
        return rc;
    d = mem_zalloc(sizeof *d);
    rc = passwords_new(loop, &encode_toolbox, &d->passwords, e);
    if (rc < 0) {
        drop(&news);
        free(d);
        return rc;
    }
    d->loop = loop;
    d->c = c;
    d->transport = transport;
    d->config = news.config;
    d->context = news.context;
    passwords_configure(d->passwords, web_config_ref(d->config));
    is_good(d);
    say_in_force(d->config);
    *out = d;
    return 0;
}

void doors_guard(struct doors *d, struct http_server *http)
{
    struct door door;

    if (!d)
        return;
    d->http = http;
    door = passwords_door(d->passwords);
    http_server_door(http, &door);
    if (d->context)
        http_server_transport(http, d->context);
    d->context = NULL;
}

int doors_reload(struct doors *d, struct err *e)
{
    struct news news = { 0 };
    int rc;

    if (!d)
        return 0;
    d->reloads++;
    rc = read_news(d->transport, d->c->web_config_file, &news, e);
    if (rc == 0)
        rc = judge(d, news.config, e);
    d->good = rc == 0;
    if (rc == 0) {
        is_good(d);
        if (take(d, &news))
            say_in_force(d->config);
    }
    drop(&news);
    return rc;
}

void doors_stop(struct doors *d)
{
    if (!d || d->stopped)
        return;
    d->stopped = true;
    if (d->settle_open)
        uv_close((uv_handle_t *)&d->settle, NULL);
    filewatch_stop(d->watch);
    unwatch_files(d);
}

void doors_free(struct doors *d)
{
    struct news rest;

    if (!d)
        return;
    assert(!d->reading);
    rest = (struct news){ d->config, d->context };
    drop(&rest);
    passwords_free(d->passwords);
    free(d);
}

void doors_count(const struct doors *d, struct self_web *out)
{
    out->on = d != NULL;
    if (!d)
        return;
    out->good = d->good;
    out->good_unix_s = d->good_unix_s;
    out->checks = passwords_checks(d->passwords);
    for (int i = 0; i < LOGIN_COUNT; i++)
        out->logins[i] = passwords_count(d->passwords, (enum login)i);
}

int doors_check(const struct config *c, struct err *e)
{
    const struct transport *transport;
    struct news news = { 0 };
    int rc;

    if (!named(c))
        return 0;
    rc = read_first(c->web_config_file, &transport, &news, e);
    if (rc == 0)
        say_notices(news.config);
    drop(&news);
    return rc;
}

int doors_ask_tls(const struct config *c, bool *tls, struct err *e)
{
    struct news news = { 0 };
    int rc;

    *tls = false;
    if (!named(c))
        return 0;
    rc = read_news(NULL, c->web_config_file, &news, e);
    if (rc == 0)
        *tls = news.config->has_tls;
    drop(&news);
    return rc;
}
