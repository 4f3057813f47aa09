#include "server/carbon/carbon.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <time.h>

#include "core/date.h"
#include "core/json.h"
#include "core/mem.h"
#include "server/fetch/fetch.h"
#include "server/fetch/report.h"

enum {
    KEPT_MS = 60 * 60 * 1000, /* the value of an hour */
    RETRY_MS = 60 * 1000,     /* after a failure */
    TIMEOUT_MS = 15 * 1000,   /* of a request */
    ANSWER_MAX = 64 * 1024,   /* bytes */
    HIGHEST_G_PER_KWH = 5000, /* no power plant burns more than a third of it */
    AHEAD_S = 6 * 60 * 60,    /* of our clock: what is further on is no measurement */
    EARLIEST_S = 1262304000,  /* 2010-01-01 */
    GRAMS_PER_KG = 1000,
};

struct carbon {
    uv_loop_t *loop;
    struct fetcher *f;
    uv_timer_t timer;
    char *path;
    const char *zone;
    struct carbon_now now;
    void (*changed)(void *ctx);
    void *ctx;
};

static const struct family families[REPORT_FAMILIES] =
    REPORT_TABLE("carbon", "Questions to Electricity Maps");

const struct family *carbon_families(size_t *count)
{
    *count = REPORT_FAMILIES;
    return families;
}

/* ---- the answer ---------------------------------------------------------------------------- */

static int check(const struct json_value *root, const char *zone, double now_s,
                 struct carbon_now *out, struct err *e)
{
    const struct json_value *of = json_member(root, VIEW("zone"));
    const struct json_value *intensity = json_member(root, VIEW("carbonIntensity"));
    const struct json_value *at = json_member(root, VIEW("datetime"));
    double as_of_s;

    if (!of || of->type != JSON_STRING || !view_eq(json_text(of), view_of(zone)))
        return err_set(e, -EBADMSG, "the answer is not of zone %s", zone);
    if (!intensity || intensity->type != JSON_NUMBER)
        return err_set(e, -EBADMSG, "the answer has no carbonIntensity");
    if (intensity->number < 0 || intensity->number > HIGHEST_G_PER_KWH)
        return err_set(e, -EBADMSG, "carbonIntensity %g is not from 0 to %d g/kWh",
                       intensity->number, HIGHEST_G_PER_KWH);
    if (!at || at->type != JSON_STRING || !date_read(json_text(at), &as_of_s))
        return err_set(e, -EBADMSG, "the answer has no datetime");
    if (as_of_s < EARLIEST_S || as_of_s > now_s + AHEAD_S)
        return err_set(e, -EBADMSG, "the datetime of the answer is not of today");
    *out = (struct carbon_now){ .known = true,
                                .kg_per_kwh = intensity->number / GRAMS_PER_KG,
                                .as_of_s = as_of_s,
                                .zone = zone };
    return 0;
}

int carbon_read(struct view answer, const char *zone, double now_s,
                struct carbon_now *out, struct err *e)
{
    struct json_parser *p = json_parser_new();
    const struct json_value *root;
    struct arena mem = { 0 };
    struct err why = { 0 };
    int rc = json_parse(p, answer, &mem, &root, &why);

    rc = rc < 0 ? err_set(e, -EBADMSG, "the answer is no JSON: %s", why.text)
                : check(root, zone, now_s, out, e);
    arena_deinit(&mem);
    json_parser_free(p);
    return rc;
}

/* ---- asking -------------------------------------------------------------------------------- */

static double unix_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (double)now.tv_sec;
}

static void on_timer(uv_timer_t *timer);

static void ask_again(struct carbon *c, uint64_t ms)
{
    uv_timer_start(&c->timer, on_timer, ms, 0);
}

static enum fetch_verdict take(struct carbon *c, const struct fetch_answer *a,
                               struct buf *reason)
{
    struct carbon_now now = { 0 };
    struct err e = { 0 };

    if (a->status != 200)
        return FETCH_BAD;
    if (carbon_read(a->body, c->zone, unix_now(), &now, &e) < 0) {
        buf_str(reason, e.text);
        return FETCH_BAD;
    }

    bool same = c->now.known && now.kg_per_kwh == c->now.kg_per_kwh &&
                now.as_of_s == c->now.as_of_s;

    c->now = now;
    if (!same)
        c->changed(c->ctx);
    return FETCH_GOOD;
}

static enum fetch_verdict on_answer(void *ctx, const struct fetch_answer *a,
                                    struct buf *reason)
{
    struct carbon *c = ctx;
    enum fetch_verdict v = take(c, a, reason);
    uint64_t due_ms, wait_ms = v == FETCH_GOOD ? KEPT_MS : RETRY_MS;

    if (!fetcher_open(c->f, &due_ms) && due_ms > uv_now(c->loop) + wait_ms)
        wait_ms = due_ms - uv_now(c->loop);
    ask_again(c, wait_ms);
    return v;
}

static void on_timer(uv_timer_t *timer)
{
    struct carbon *c = timer->data;
    struct err e = { 0 };

    fetcher_ask(c->f, c->path, (struct view){ 0 }, NULL, on_answer, c, &e);
}

struct carbon_now carbon_now(const struct carbon *c)
{
    return c ? c->now : (struct carbon_now){ 0 };
}

/* ---- life ------------------------------------------------------------------------------------ */

static struct fetch_peer peer_of(const struct carbon_config *c)
{
    return (struct fetch_peer){
        .name = "Electricity Maps",
        .url = c->url,
        .bearer_token_file = c->token_file,
        .token_header = "auth-token",
        .timeout_ms = TIMEOUT_MS,
        .concurrency = 1,
        .max_bytes = ANSWER_MAX,
    };
}

int carbon_check(const struct config *c, struct err *e)
{
    const struct fetch_peer peer = peer_of(&c->carbon);

    return c->carbon.zone ? fetch_check(&peer, e) : 0;
}

int carbon_new(uv_loop_t *loop, const struct config *c, struct self *self,
               void (*changed)(void *ctx), void *ctx, struct carbon **out,
               struct err *e)
{
    const struct fetch_peer peer = peer_of(&c->carbon);
    struct buf path = { 0 };
    struct fetcher *f;

    *out = NULL;
    if (!c->carbon.zone)
        return 0;

    int rc = fetcher_new(loop, &peer, &f, e);

    if (rc < 0)
        return rc;

    struct carbon *n = mem_zalloc(sizeof *n);

    buf_fmt(&path, "/v3/carbon-intensity/latest?zone=%s", c->carbon.zone);
    buf_char(&path, '\0');
    *n = (struct carbon){ .loop = loop,
                          .f = f,
                          .path = path.p,
                          .zone = c->carbon.zone,
                          .changed = changed,
                          .ctx = ctx };
    uv_timer_init(loop, &n->timer);
    n->timer.data = n;
    ask_again(n, 0);
    self_add(self, &(struct self_part){ families, REPORT_FAMILIES, report_collect, f });
    *out = n;
    return 0;
}

static void on_closed(uv_handle_t *h)
{
    struct carbon *c = h->data;

    free(c->path);
    free(c);
}

void carbon_stop(struct carbon *c)
{
    if (!c)
        return;
    fetcher_stop(c->f);
    uv_close((uv_handle_t *)&c->timer, on_closed);
}
