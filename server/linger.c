/*
 * linger.c - from the signal to stop to the end of serving, and of the process.
 *
 * When all have scraped the last values, the directory is scanned once more before
 * serving ends: a file may have been written while they did, and its event or its
 * content may still be on the way. What such a scan finds is a change like any other,
 * and they are waited for again.
 */
#include "server/linger.h"

#include "server/log.h"
#include "server/registry.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#define MS_NS UINT64_C(1000000)
#define S_NS  UINT64_C(1000000000)

void linger_init(struct linger_state *l, uv_loop_t *loop)
{
    *l = (struct linger_state){ 0 };
    uv_timer_init(loop, &l->timer); /* cannot fail */
    uv_unref((uv_handle_t *)&l->timer);
    l->timer.data = l;
}

void linger_deinit(struct linger_state *l)
{
    uv_close((uv_handle_t *)&l->timer, NULL);
}

/* Answers that began after it hold the last values, and were asked for after the
 * signal: who was content before may still be followed by a writer's last word. */
static uint64_t since_ns(const struct linger_state *l)
{
    return l->o.book->changed_ns > l->began_ns ? l->o.book->changed_ns : l->began_ns;
}

static size_t missing(const struct linger_state *l, struct scraper_missing *first)
{
    const uint64_t window_ns = LINGER_RECENT_S * S_NS;
    uint64_t recent_ns = l->began_ns > window_ns ? l->began_ns - window_ns : 0;

    return scrapers_missing(l->o.book, recent_ns, since_ns(l), first);
}

static bool all_have_it(const struct linger_state *l)
{
    return scrapers_any(l->o.book, since_ns(l)) && missing(l, NULL) == 0;
}

static void say_missing(const struct linger_state *l)
{
    struct scraper_missing first;
    char peer[INET6_ADDRSTRLEN], others[24];
    size_t n = missing(l, &first);

    if (n == 0) {
        log_line(LOG_WARN, "nobody has scraped the last values", NULL);
        return;
    }
    scraper_peer_text(&first.peer, peer);
    snprintf(others, sizeof others, "%zu", n - 1);
    log_line(LOG_WARN, "the last values were not scraped by all", "endpoint",
             registry[first.endpoint]->name, "peer", peer, "others", others, NULL);
}

static void end(struct linger_state *l)
{
    l->over = true;
    uv_timer_stop(&l->timer);
    if (!l->scanned)
        log_line(LOG_WARN, "the last scan of the results directory is not over",
                 "served", "what was read before", NULL);
    if (l->o.linger_ms && all_have_it(l))
        log_line(LOG_INFO, "the last values are scraped", NULL);
    else if (l->o.linger_ms)
        say_missing(l);
    l->o.over(l->o.ctx);
}

static void on_time(uv_timer_t *timer)
{
    struct linger_state *l = timer->data;
    uint64_t spent_ms = (uv_hrtime() - l->began_ns) / MS_NS;

    if (l->scanned || spent_ms >= LINGER_SCAN_MS)
        end(l);
    else
        uv_timer_start(timer, on_time, LINGER_SCAN_MS - spent_ms, 0);
}

static void scan(struct linger_state *l)
{
    l->scanning = true;
    l->o.scan(l->o.ctx);
}

void linger_start(struct linger_state *l, const struct linger_options *o)
{
    char at_most[32];

    l->o = *o;
    l->began_ns = uv_hrtime();
    if (o->linger_ms) {
        snprintf(at_most, sizeof at_most, "%" PRIu64 "ms", o->linger_ms);
        log_line(LOG_INFO, "serving until the last values are scraped", "at_most",
                 at_most, NULL);
    }
    uv_update_time(l->timer.loop);
    uv_timer_start(&l->timer, on_time, o->linger_ms ? o->linger_ms : LINGER_SCAN_MS, 0);
    scan(l);
}

void linger_scanned(struct linger_state *l)
{
    if (l->over || !l->scanning)
        return;
    l->scanning = false;
    l->scanned = true;
    if (l->o.linger_ms == 0 || all_have_it(l))
        end(l);
}

void linger_scraped(struct linger_state *l)
{
    if (l->began_ns && !l->over && !l->scanning && all_have_it(l))
        scan(l);
}

void linger_cut(struct linger_state *l)
{
    l->over = true;
    uv_timer_stop(&l->timer);
}

static void on_hang(uv_timer_t *timer)
{
    (void)timer;
    log_line(LOG_WARN, "ended while work is still under way", "reason",
             "a file of the results directory, a fit of models, or a password check, "
             "takes too long",
             NULL);
    _exit(0); /* the end of a thread that hangs cannot be waited for */
}

void linger_dry(struct linger_state *l)
{
    linger_cut(l);
    uv_update_time(l->timer.loop);
    uv_timer_start(&l->timer, on_hang, LINGER_DRY_MS, 0);
}
