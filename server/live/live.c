/*
 * live.c - life and time of the room for encodes that are watched.
 *
 * What a block changes is told in our own bodies at once. What scenarios show of an encode
 * (its state, its scores, that it is there) reaches the store at most once a second, since
 * each time some segments are rendered again; the meter, which looks at encodes that run
 * once a second anyway, takes frames and rates along.
 */
#include "server/live/live.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "core/mem.h"
#include "server/live/live_inner.h"
#include "server/log.h"
#include "server/registry.h"

enum {
    TELL_EVERY_MS = 1000,
    FIRST_MS = 2000, /* for all files, when the process begins */
    LAST_MS = 200,   /* the same when it is to end */
};

#define NS_PER_S 1e9
#define MS_PER_S 1e3

double live_now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / NS_PER_S;
}

/* ---- the store and the meter hear of it ------------------------------------------------ */

static void put_run(struct live *l, double now_s)
{
    const struct view id = VIEW(LIVE_RUN);
    struct results_notes notes;
    const struct run *run;
    struct diff d;
    struct err e;

    if (l->put.n == 0 && roll_count(l->roll) == 0)
        return; /* there never was any */
    belonging_text(l->roll, &l->text);
    if (l->put.n == l->text.n && memcmp(l->put.p, l->text.p, l->put.n) == 0)
        return;
    buf_release(&l->put);
    buf_view(&l->put, buf_as_view(&l->text));
    if (results_parse(l->parser, buf_as_view(&l->text), id,
                      store_get(l->host.store, id), 0, &run, &notes, &e) != RESULTS_OK)
        return; /* a text of our own */
    store_put_live(l->host.store, run, (int64_t)(now_s * NS_PER_S), !l->started, &d);
    l->host.changed(l->host.ctx, &d);
    store_diff_release(&d);
}

static void note_newest(struct live *l, struct view id)
{
    if (l->renamed && view_eq(buf_as_view(&l->newest), id))
        return;
    buf_release(&l->newest);
    buf_view(&l->newest, id);
    l->renamed++;
    l->changes++;
}

/* Who belongs where, and the run of those that belong nowhere. */
static void settle_names(struct live *l)
{
    int64_t mtime_ns;
    const struct run *newest = store_newest_run(l->host.store, &mtime_ns);

    note_newest(l, newest ? newest->id : VIEW(""));
    live_measures_settle(l->measures, newest);
    belonging_settle(&l->belonging, l->roll, newest);
    if (l->roll_told == roll_version(l->roll))
        return;
    l->roll_told = roll_version(l->roll);
    l->changes++;
    put_run(l, live_now_s());
}

static void tell(struct live *l)
{
    int64_t mtime_ns;
    const struct run *newest;

    l->owed = false;
    l->told_ms = uv_now(l->host.loop);
    l->roll_told = 0; /* an encode that began anew has another start */
    settle_names(l);
    newest = store_newest_run(l->host.store, &mtime_ns);
    if (newest)
        meter_watch_news(l->host.meter, newest->id);
    meter_watch_news(l->host.meter, VIEW(LIVE_RUN));
    l->host.last(l->host.ctx);
    l->host.settled(l->host.ctx);
}

/* ---- time ---------------------------------------------------------------------------------- */

static void on_beat(uv_timer_t *t);

static void wait_for_beat(struct live *l)
{
    uint64_t now_ms = uv_now(l->host.loop), in_ms = UINT64_MAX;
    double look_in_s = l->look_s - live_now_s();

    if (l->closing || !l->started)
        return;
    if (isfinite(l->look_s))
        in_ms = look_in_s > 0 ? (uint64_t)(look_in_s * MS_PER_S) + 1 : 0;
    if (l->owed) {
        uint64_t at_ms = l->told_ms + TELL_EVERY_MS;
        uint64_t tell_in_ms = at_ms > now_ms ? at_ms - now_ms : 0;

        in_ms = tell_in_ms < in_ms ? tell_in_ms : in_ms;
    }
    if (in_ms == UINT64_MAX)
        uv_timer_stop(&l->beat);
    else
        uv_timer_start(&l->beat, on_beat, in_ms, 0);
}

struct looking {
    struct live *l;
    double now_s;
};

/* What became of the encode since somebody looked at it last. */
static void note(struct live *l, struct roll_entry *e)
{
    l->changes++;
    if (e->told == e->encode->told)
        return;
    e->told = e->encode->told;
    l->owed = true;
}

/* A request that is open is a sign of life. */
static void look_at(void *ctx, struct roll_entry *e)
{
    const struct looking *k = ctx;
    struct live *l = k->l;
    uint64_t version = e->encode->version;
    double max_idle_s = (double)l->host.config->power.live_max_idle_ms / MS_PER_S;
    double again_s =
        encode_look(e->encode, k->now_s, (double)l->c->stalled_after_ms / MS_PER_S,
                    e->requests ? INFINITY : max_idle_s);

    l->look_s = fmin(l->look_s, again_s);
    if (version != e->encode->version)
        note(l, e);
}

void live_look(struct live *l, struct roll_entry *e)
{
    struct looking k = { l, live_now_s() };

    look_at(&k, e);
}

static double ttl_s(const struct live *l)
{
    return (double)l->host.config->rules.ttl_ms / MS_PER_S;
}

static void look(struct live *l)
{
    struct looking k = { l, live_now_s() };
    bool set_back = k.now_s < l->now_s;

    l->now_s = k.now_s;
    if (l->look_s > k.now_s && !set_back) /* else what it was set by is no time */
        return;
    l->look_s = INFINITY;
    if (ttl_s(l) > 0) {
        roll_end(l->roll, k.now_s - ttl_s(l));
        l->owed = l->owed || roll_version(l->roll) != l->roll_told;
    }
    roll_each(l->roll, look_at, &k);
    if (ttl_s(l) > 0 && roll_count(l->roll))
        l->look_s = fmin(l->look_s, k.now_s + fmax(ttl_s(l) / 4, 1));
}

static void on_beat(uv_timer_t *t)
{
    struct live *l = t->data;

    look(l);
    if (l->owed && uv_now(l->host.loop) >= l->told_ms + TELL_EVERY_MS)
        tell(l);
    wait_for_beat(l);
}

/* ---- what sources tell ----------------------------------------------------------------------- */

static void say_full(struct live *l)
{
    char most[16];

    l->counts.dropped++;
    if (l->told_full)
        return;
    l->told_full = true;
    snprintf(most, sizeof most, "%" PRIu32, l->c->max_encodes);
    log_line(LOG_WARN, "some encodes are not watched", "most", most, "remedy",
             "raise --live.max-encodes, or remove progress files of old encodes", NULL);
}

struct roll_entry *live_open_name(struct live *l, struct view name, double news_s,
                                  bool *full)
{
    struct roll_entry *e;

    if (ttl_s(l) > 0 && news_s < live_now_s() - ttl_s(l))
        return NULL;
    e = roll_open(l->roll, name, news_s, news_s);
    if (!e && !*full)
        say_full(l);
    *full = !e;
    return e;
}

void live_close_name(struct live *l, struct roll_entry *e)
{
    roll_close(l->roll, e);
    l->changes++;
    if (roll_version(l->roll) == l->roll_told)
        return;
    l->owed = true;
    wait_for_beat(l);
}

void live_heard(struct live *l, struct roll_entry *e)
{
    note(l, e);
    /* Whoever tells may be late: looked at when it would stall, at the latest. */
    l->look_s =
        fmin(l->look_s, live_now_s() + (double)l->c->stalled_after_ms / MS_PER_S);
    if (l->owed || !uv_is_active((uv_handle_t *)&l->beat))
        wait_for_beat(l);
}

static void on_gone(void *ctx, struct roll_entry *e)
{
    struct live *l = ctx;

    live_files_let_go(l->files, e);
    live_requests_let_go(l->requests, e);
    live_measures_let_go(l->measures, e);
}

/* ---- what the meter asks ----------------------------------------------------------------------- */

static bool any(void *ctx)
{
    const struct live *l = ctx;

    return roll_count(l->roll) > 0;
}

/* Encodes belong to the newest run alone: that with content, or one that is read now. */
static bool is_newest(const struct live *l, const struct run *run)
{
    int64_t mtime_ns;
    const struct run *newest = store_newest_run(l->host.store, &mtime_ns);

    return view_eq(run->id, VIEW(LIVE_RUN)) ||
           (newest && view_eq(newest->id, run->id)) ||
           view_eq(store_newest(l->host.store).id, run->id);
}

static bool look_up(void *ctx, const struct run *run, uint32_t at,
                    struct meter_look *out)
{
    struct live *l = ctx;
    struct roll_entry *e =
        is_newest(l, run) ? belonging_find(&l->belonging, l->roll, run, at) : NULL;

    if (e && live_measures_other(l->measures, e, run, at)) /* it may have been all */
        e = belonging_find(&l->belonging, l->roll, run, at);
    if (!e)
        return false;
    out->state = e->encode->state;
    out->end_s = isnan(e->encode->end_s) ? e->encode->last_s : e->encode->end_s;
    encode_watched(e->encode, live_now_s(), &out->figures);
    if (!isnan(
            scenario_told(run->scenarios[at])->facts.vmaf)) /* at a size of its own */
        out->figures.vmaf_width = out->figures.vmaf_height = NAN;
    return true;
}

/* ---- life ------------------------------------------------------------------------------------------ */

enum { ENCODES, DROPPED, BLOCKS, FAULTS, FAMILIES };

static const struct family families[FAMILIES] = {
    [ENCODES] = { "encode_exporter_watched_encodes",
                  "Encodes whose progress or frames are watched", GAUGE },
    [DROPPED] = { "encode_exporter_unwatched_encodes_total",
                  "Encodes that there was no room for (--live.max-encodes)", COUNTER },
    [BLOCKS] = { "encode_exporter_progress_blocks_total",
                 "Blocks of progress that were read, by where they came from",
                 COUNTER },
    [FAULTS] = { "encode_exporter_progress_faults_total",
                 "Lines of progress and frame logs that could not be read", COUNTER },
};

const struct family *live_families(size_t *count)
{
    *count = FAMILIES;
    return families;
}

static void add_blocks(struct series *out, const char *source, uint64_t n)
{
    struct labels l = labels_open(out);

    labels_add(out, &l, "source", view_of(source));
    series_add(out, BLOCKS, l, (double)n);
}

static void collect(void *ctx, struct series *out)
{
    const struct live *l = ctx;
    struct labels none = labels_open(out);

    series_add(out, ENCODES, none, (double)roll_count(l->roll));
    series_add(out, DROPPED, none, (double)l->counts.dropped);
    add_blocks(out, "file", l->counts.blocks_of_files);
    add_blocks(out, "request", l->counts.blocks_of_requests);
    series_add(out, FAULTS, none, (double)l->counts.faults);
}

int live_check(const struct config *c, struct err *e)
{
    (void)c;
    (void)e;
    return 0; /* the options tell all, and were looked at */
}

int live_new(const struct live_host *h, struct live **out, struct err *e)
{
    struct live *l = mem_zalloc(sizeof *l);

    (void)e;
    l->host = *h;
    l->c = &h->config->live;
    l->look_s = INFINITY;
    l->roll = roll_new(l->c->max_encodes, on_gone, l);
    l->parser = results_parser_new();
    l->sheets = live_sheets_new(l->c->thresholds, l->c->threshold_count);
    l->files = live_files_new(l);
    l->requests = live_requests_new(l);
    l->measures = live_measures_new(l);
    uv_timer_init(h->loop, &l->beat);
    l->beat.data = l;
    l->watch = (struct meter_watch){ l, any, look_up };
    meter_watch_by(h->meter, &l->watch);

    const struct self_part part = { families, FAMILIES, collect, l };

    self_add(h->self, &part);
    *out = l;
    return 0;
}

bool live_named(struct live *l, struct view name, uint32_t mask)
{
    return live_files_seen(l->files, name, mask);
}

void live_served(struct live *l)
{
    if (!l->started) /* what was there is the zero of all that is charged */
        live_files_catch_up(l->files, FIRST_MS);
    settle_names(l);
    l->started = true;
    wait_for_beat(l);
}

struct intake *live_intake(struct live *l, const struct intake_request *rq,
                           struct reply *refusal)
{
    return live_requests_take(l->requests, rq, refusal);
}

bool live_measured(struct live *l, const struct live_scores *s)
{
    int64_t mtime_ns;

    return live_measures_take(l->measures, s,
                              store_newest_run(l->host.store, &mtime_ns));
}

void live_unmeasured(struct live *l, struct view name)
{
    live_measures_forget(l->measures, name);
}

struct body *live_body(struct live *l, size_t module)
{
    return live_sheets_body(l->sheets, view_of(registry[module]->name), l->roll,
                            l->changes, live_now_s());
}

void live_last(struct live *l)
{
    live_files_catch_up(l->files, LAST_MS);
    if (l->owed)
        tell(l);
}

void live_stop(struct live *l)
{
    l->closing = true;
    live_files_stop(l->files);
    uv_close((uv_handle_t *)&l->beat, NULL);
}

void live_free(struct live *l)
{
    live_requests_free(l->requests);
    live_measures_free(l->measures);
    live_files_free(l->files);
    live_sheets_free(l->sheets);
    results_parser_free(l->parser);
    belonging_deinit(&l->belonging);
    roll_free(l->roll);
    buf_deinit(&l->text);
    buf_deinit(&l->put);
    buf_deinit(&l->newest);
    free(l);
}

static void count_state(void *ctx, struct roll_entry *e)
{
    unsigned *of = ctx;

    of[e->encode->state]++;
}

void live_about(const struct live *l, struct about *out)
{
    unsigned of[SCENARIO_ABORTED + 1] = { 0 };
    char text[16];

    if (roll_count(l->roll) == 0)
        return;
    roll_each(l->roll, count_state, of);
    about_section(out, "Encodes that are watched");
    for (int i = SCENARIO_RUNNING; i <= SCENARIO_ABORTED; i++) {
        snprintf(text, sizeof text, "%u", of[i]);
        if (of[i])
            about_row(out, view_of(scenario_state_name((enum scenario_state)i)),
                      view_of(text), VIEW(""));
    }
}
