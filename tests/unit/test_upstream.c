#include "server/upstream/upstream.h"

#include <signal.h>
#include <time.h>

#include "core/mem.h"
#include "server/body.h"
#include "server/log.h"
#include "server/upstream/inner.h"
#include "upstream_host.h"

/* 2025-12-29 12:13:20 UTC: long ago, and on the grid. */
enum { BASE_S = 1767010400 };

static uv_loop_t loop;
static struct database db;
static struct config config;
static struct self *self;
static struct upstream *up;
static unsigned news;
static bool sparse, no_counter, no_containers; /* how the database is */

/* ---- the database --------------------------------------------------------------------- */

static double power_at(int64_t t)
{
    return 100 + (double)(t % 1000) / 10;
}

static void add_values(const struct asked *a, struct buf *out)
{
    const char *comma = "";

    for (int64_t t = a->start_s; t <= a->end_s; t += 5) {
        buf_fmt(out, "%s[%lld,\"%.17g\"]", comma, (long long)t, power_at(t));
        comma = ",";
    }
}

static const char *well(const struct asked *a, struct buf *out)
{
    bool none = (sparse && strstr(a->query, "[30s]")) || (a->total && no_counter) ||
                (no_containers && strstr(a->query, "docker_containers"));

    buf_fmt(out, "{\"status\":\"success\",\"data\":{\"resultType\":\"%s\",\"result\":[",
            a->total ? "vector" : "matrix");
    if (!none) {
        buf_str(out, a->total ? "{\"metric\":{},\"value\":[1,\"4242.5\"]"
                              : "{\"metric\":{},\"values\":[");
        if (!a->total)
            add_values(a, out);
        buf_str(out, a->total ? "}" : "]}");
    }
    buf_str(out, "]}}");
    return "200 OK";
}

static const char *never(const struct asked *a, struct buf *out)
{
    (void)a;
    (void)out;
    return NULL;
}

static const char *power_is_refused(const struct asked *a, struct buf *out)
{
    if (!strstr(a->query, "rapl_power"))
        return well(a, out);
    buf_str(out, "{\"status\":\"error\",\"errorType\":\"bad_data\",\"error\":\"parse "
                 "error\"}");
    return "400 Bad Request";
}

static const char *power_is_several(const struct asked *a, struct buf *out)
{
    if (!strstr(a->query, "rapl_power"))
        return well(a, out);
    buf_str(out,
            "{\"status\":\"success\",\"data\":{\"resultType\":\"matrix\",\"result\":["
            "{\"values\":[]},{\"values\":[]}]}}");
    return "200 OK";
}

static const char *page(const struct asked *a, struct buf *out)
{
    (void)a;
    buf_str(out, "<html>Sign in</html>");
    return "200 OK";
}

static unsigned asked_for(const char *part)
{
    unsigned n = 0;

    for (unsigned i = 0; i < db.count; i++)
        n += strstr(db.asked[i].query, part) != NULL;
    return n;
}

/* ---- what is tested ---------------------------------------------------------------------- */

static void on_news(void *ctx)
{
    assert_ptr_equal(ctx, &loop);
    news++;
}

static const char *no_environment(void *ctx, const char *name)
{
    (void)ctx;
    (void)name;
    return NULL;
}

static void begin(const char *const flags[])
{
    const char *args[16] = { "encode_exporter", "--prometheus-url" };
    char url[64];
    struct err e = { 0 };
    int n = 3;

    snprintf(url, sizeof url, "http://127.0.0.1:%d", db.port);
    args[2] = url;
    while (flags && *flags)
        args[n++] = *flags++;
    /* Texts are borrowed from the arguments. */
    static char kept[64];

    memcpy(kept, url, sizeof kept);
    args[2] = kept;
    if (config_parse(&config, n, (char **)(uintptr_t)args, no_environment, NULL, &e) <
        0)
        fail_msg("%s", e.text);
    self = self_new("1", "r");
    if (upstream_new(&loop, &config, self, on_news, &loop, &up, &e) < 0)
        fail_msg("%s", e.text);
}

static int setup(void **state)
{
    (void)state;
    log_configure(LOG_ERROR, false);
    signal(SIGPIPE, SIG_IGN);
    memset(&db, 0, sizeof db);
    uv_loop_init(&loop);
    db.answer = well;
    database_listen(&db, &loop, 0);
    news = 0;
    sparse = no_counter = false;
    no_containers = true;
    unsetenv("HOSTNAME");
    unsetenv("NODE_NAME");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    upstream_stop(up);
    up = NULL;
    database_stop(&db);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    self_free(self);
    config_deinit(&config);
    return 0;
}

static const struct scenario *on_host(const char *host)
{
    static struct scenario s;

    s = (struct scenario){ .host = view_of(host) };
    return &s;
}

/* Turns of the loop until the interval is settled, 20 s at most. */
static void settle(struct upstream_series *s, double from_s, double to_s)
{
    uint64_t end = uv_hrtime() + 20000000000u;

    while (!upstream_settled(up, s, from_s, to_s)) {
        uv_run(&loop, UV_RUN_ONCE);
        assert_true(uv_hrtime() < end);
    }
}

/* Whether the metrics hold this line; says what they hold if not. */
static bool find_line(const char *line, bool say)
{
    static uint64_t now_ms;
    struct body *b = self_body(self, now_ms += 2000);
    struct buf text = { 0 };
    bool found;

    for (size_t i = 0; i < b->chunk_count; i++)
        buf_add(&text, b->chunks[i]->text, b->chunks[i]->n);
    buf_char(&text, '\0');
    found = strstr(text.p, line) != NULL;
    if (!found && say)
        print_error("%s", strstr(text.p, "# HELP encode_exporter_upstream"));
    buf_deinit(&text);
    return found;
}

static bool holds(const char *line)
{
    return find_line(line, false);
}

static bool tells(const char *line)
{
    return find_line(line, true);
}

/* ---- tests ------------------------------------------------------------------------------- */

static void what_is_wanted_arrives_in_timelines(void **state)
{
    struct upstream_series *s;
    double covered_s;

    (void)state;
    begin(NULL);
    s = upstream_series_of(up, on_host(""));
    assert_false(upstream_settled(up, s, BASE_S + 3, BASE_S + 61));
    upstream_want(up, s, BASE_S + 3, BASE_S + 61, false);
    assert_int_equal(news, 0); /* never from within a call */
    settle(s, BASE_S + 3, BASE_S + 61);
    while (news < 1)
        uv_run(&loop, UV_RUN_ONCE);
    /* power, CPU, containers; the last has nothing, once more after a minute */
    assert_int_equal(db.count, 3);
    for (unsigned i = 0; i < 3; i++) {
        assert_false(db.asked[i].post);
        assert_int_equal(db.asked[i].start_s, BASE_S - 5);
        assert_int_equal(db.asked[i].end_s, BASE_S + 70);
    }
    assert_int_equal(asked_for("sum(rapl_power_watts{zone=~\"package[-_]?[0-9]+\"})"),
                     1);
    /* From 140.3 W to 146.1 W, since BASE_S is 400 s past a multiple of 1000:
     * 58 s of 143.2 W on average. */
    assert_near(timeline_total(upstream_power(s), BASE_S + 3, BASE_S + 61, &covered_s),
                58 * 143.2, 1e-9);
    assert_near(covered_s, 58, 1e-9);
    assert_near(timeline_get(upstream_cores(s), BASE_S / 5), 140, 1e-12);
    assert_unknown(
        timeline_total(upstream_containers(s), BASE_S + 3, BASE_S + 61, NULL));
    assert_true(tells("encode_exporter_upstream_up 1\n"));
    assert_true(tells("encode_exporter_upstream_requests_total{result=\"good\"} 3\n"));
    assert_true(tells("encode_exporter_upstream_breaker_state{state=\"closed\"} 1\n"));
    assert_true(tells("encode_exporter_upstream_problems_total{kind=\"html\"} 0\n"));
}

static void intervals_of_one_turn_are_one_query_and_are_kept(void **state)
{
    struct upstream_series *s;

    (void)state;
    begin(NULL);
    s = upstream_series_of(up, on_host("a"));
    assert_ptr_equal(s, upstream_series_of(up, on_host("b"))); /* no query asks */
    for (int i = 0; i < 10; i++)
        upstream_want(up, s, BASE_S + i * 150, BASE_S + i * 150 + 120, false);
    for (int i = 0; i < 10; i++)
        settle(s, BASE_S + i * 150, BASE_S + i * 150 + 120);
    assert_int_equal(asked_for("rapl_power"), 1);
    for (int i = 0; i < 10; i++)
        upstream_want(up, s, BASE_S + i * 150, BASE_S + i * 150 + 120, false);
    upstream_want(up, s, BASE_S + 7200, BASE_S + 7260, false);
    settle(s, BASE_S + 7200, BASE_S + 7260);
    assert_int_equal(asked_for("rapl_power"), 2);
    assert_int_equal(db.asked[db.count - 1].start_s, BASE_S + 7195);
}

static void a_rate_that_is_empty_is_asked_again_over_a_wider_window(void **state)
{
    struct upstream_series *s;

    (void)state;
    sparse = true;
    begin(NULL);
    s = upstream_series_of(up, on_host(""));
    upstream_want(up, s, BASE_S, BASE_S + 60, false);
    settle(s, BASE_S, BASE_S + 60);
    assert_int_equal(asked_for("[30s]"), 1);
    assert_int_equal(asked_for("[2m]"), 1);
    assert_near(timeline_total(upstream_cores(s), BASE_S, BASE_S + 60, NULL), 60 * 143,
                1e-9);
}

static void the_energy_of_an_interval_is_one_number_at_its_end(void **state)
{
    struct upstream_series *s;
    bool known;

    (void)state;
    begin(NULL);
    s = upstream_series_of(up, on_host(""));
    assert_unknown(upstream_energy(up, s, BASE_S, BASE_S + 60, &known));
    assert_false(known);
    assert_unknown(upstream_energy(up, s, BASE_S + 0.25, BASE_S + 60.5, &known));
    upstream_want(up, s, BASE_S, BASE_S + 60, false);
    settle(s, BASE_S, BASE_S + 60);
    assert_near(upstream_energy(up, s, BASE_S, BASE_S + 60, &known), 4242.5, 0);
    assert_true(known);
    while (upstream_energy(up, s, BASE_S + 0.25, BASE_S + 60.5, &known), !known)
        uv_run(&loop, UV_RUN_ONCE);
    assert_int_equal(asked_for("increase(rapl_energy_joules_total"), 2);
    assert_int_equal(asked_for("[60s]"), 1);
    assert_int_equal(asked_for("[60250ms]"), 1);
    for (unsigned i = 0; i < db.count; i++)
        if (strstr(db.asked[i].query, "ms]"))
            assert_near(db.asked[i].time_s, BASE_S + 60.5, 1e-12);
}

static void a_counter_that_does_not_exist_is_asked_for_once(void **state)
{
    struct upstream_series *s;
    bool known;

    (void)state;
    no_counter = true;
    begin(NULL);
    s = upstream_series_of(up, on_host(""));
    for (int i = 0; i < 20; i++)
        upstream_energy(up, s, BASE_S + i * 100, BASE_S + i * 100 + 60, &known);
    while (upstream_energy(up, s, BASE_S, BASE_S + 60, &known), !known)
        uv_run(&loop, UV_RUN_ONCE);
    /* and of the others no more is to be expected either */
    assert_unknown(upstream_energy(up, s, BASE_S + 300, BASE_S + 360, &known));
    assert_true(known);
    uv_run(&loop, UV_RUN_NOWAIT);
    assert_int_equal(db.count, 1);
}

static void a_refused_query_is_left_alone_and_others_go_on(void **state)
{
    struct upstream_series *s;
    double from_s, to_s;

    (void)state;
    db.answer = power_is_refused;
    begin(NULL);
    s = upstream_series_of(up, on_host(""));
    upstream_want(up, s, BASE_S, BASE_S + 60, false);
    settle(s, BASE_S, BASE_S + 60);
    upstream_want(up, s, BASE_S + 7200, BASE_S + 7260, false);
    settle(s, BASE_S + 7200, BASE_S + 7260);
    assert_int_equal(asked_for("rapl_power"), 1);
    assert_int_equal(asked_for("[30s]"), 2);
    assert_unknown(timeline_total(upstream_power(s), BASE_S, BASE_S + 60, NULL));
    assert_near(timeline_total(upstream_cores(s), BASE_S, BASE_S + 60, NULL), 60 * 143,
                1e-9);
    assert_true(
        tells("encode_exporter_upstream_requests_total{result=\"refused\"} 1\n"));
    assert_true(tells("encode_exporter_upstream_problems_total{kind=\"refused\"} 1\n"));
    assert_true(tells("encode_exporter_upstream_up 1\n"));
    assert_true(tells("encode_exporter_upstream_breaker_state{state=\"closed\"} 1\n"));

    assert_false(upstream_reopened(up, &from_s, &to_s));
    db.answer = well;
    upstream_reloaded(up);
    assert_false(upstream_settled(up, s, BASE_S, BASE_S + 60));
    settle(s, BASE_S, BASE_S + 60);
    settle(s, BASE_S + 7200, BASE_S + 7260);
    assert_true(upstream_reopened(up, &from_s, &to_s));
    assert_true(from_s <= BASE_S && to_s >= BASE_S + 7260);
    assert_false(upstream_reopened(up, &from_s, &to_s));
    assert_near(timeline_total(upstream_power(s), BASE_S, BASE_S + 60, NULL), 60 * 143,
                1e-9);
}

static void several_series_are_not_used(void **state)
{
    struct upstream_series *s;

    (void)state;
    db.answer = power_is_several;
    begin(NULL);
    s = upstream_series_of(up, on_host(""));
    upstream_want(up, s, BASE_S, BASE_S + 60, false);
    settle(s, BASE_S, BASE_S + 60);
    assert_unknown(timeline_total(upstream_power(s), BASE_S, BASE_S + 60, NULL));
    assert_true(tells("encode_exporter_upstream_problems_total{kind=\"series\"} 1\n"));
}

static void several_series_are_looked_at_again_until_there_is_one(void **state)
{
    struct upstream_series *s;
    double from_s, to_s;

    (void)state;
    db.answer = power_is_several;
    begin(NULL);
    s = upstream_series_of(up, on_host(""));
    upstream_want(up, s, BASE_S, BASE_S + 60, false);
    upstream_want(up, s, BASE_S + 86400, BASE_S + 86460, false);
    settle(s, BASE_S, BASE_S + 60);
    settle(s, BASE_S + 86400, BASE_S + 86460);
    while (upstream_busy(up))
        uv_run(&loop, UV_RUN_ONCE);
    assert_int_equal(asked_for("rapl_power"), 2);

    /* The newest alone, as long as nothing is better. */
    for (unsigned n = 3; n < 5; n++) {
        struct query *q = s->queries[UPSTREAM_POWER];

        assert_true(q->several_ms > uv_now(&loop) + 200000);
        q->several_ms = uv_now(&loop);
        q->plan.probe_ms = 0;
        queue_put(q, 0);
        upstream_soon(up);
        while (asked_for("rapl_power") < n || upstream_busy(up))
            uv_run(&loop, UV_RUN_ONCE);
        assert_int_equal(asked_for("rapl_power"), n);
        assert_int_equal(db.asked[db.count - 1].start_s, BASE_S + 86395);
    }

    /* Wanted again after minutes: asked, and with it the others. */
    assert_false(upstream_reopened(up, &from_s, &to_s));
    db.answer = well;
    upstream_want(up, s, BASE_S, BASE_S + 60, false);
    uv_run(&loop, UV_RUN_NOWAIT);
    assert_false(upstream_busy(up));
    s->queries[UPSTREAM_POWER]->plan.probe_ms = uv_now(&loop);
    upstream_want(up, s, BASE_S, BASE_S + 60, false);
    while (upstream_busy(up) ||
           isnan(timeline_get(upstream_power(s), BASE_S / 5 + 86400 / 5)))
        uv_run(&loop, UV_RUN_ONCE);
    assert_near(timeline_total(upstream_power(s), BASE_S, BASE_S + 60, NULL), 60 * 143,
                1e-9);
    assert_true(upstream_reopened(up, &from_s, &to_s));
    assert_true(from_s <= BASE_S && to_s >= BASE_S + 86460);
}

static size_t pages(const struct upstream_series *s)
{
    return upstream_power(s)->page_count + upstream_cores(s)->page_count;
}

static void what_nobody_wanted_for_a_day_is_forgotten(void **state)
{
    struct upstream_series *s;
    unsigned count;
    bool known;

    (void)state;
    begin(NULL);
    s = upstream_series_of(up, on_host(""));
    for (int day = 0; day < 5; day++) {
        upstream_want(up, s, BASE_S + day * 86400, BASE_S + day * 86400 + 60, false);
        settle(s, BASE_S + day * 86400, BASE_S + day * 86400 + 60);
        upstream_energy(up, s, BASE_S + day * 86400, BASE_S + day * 86400 + 60, &known);
        while (upstream_busy(up))
            uv_run(&loop, UV_RUN_ONCE);
    }
    assert_int_equal(pages(s), 10);
    for (int i = 0; i < UPSTREAM_QUANTITIES; i++)
        query_forget(s->queries[i], 1); /* all were wanted just now */
    assert_int_equal(pages(s), 10);
    count = db.count;
    upstream_want(up, s, BASE_S + 4 * 86400, BASE_S + 4 * 86400 + 60, false);
    upstream_energy(up, s, BASE_S + 4 * 86400, BASE_S + 4 * 86400 + 60, &known);
    for (int i = 0; i < UPSTREAM_QUANTITIES; i++)
        query_forget(s->queries[i], 2);
    assert_int_equal(pages(s), 2);
    assert_int_equal(s->queries[UPSTREAM_ENERGY]->totals.count, 1);
    assert_int_equal(s->queries[UPSTREAM_POWER]->plan.wanted.count, 1);
    assert_int_equal(s->queries[UPSTREAM_POWER]->plan.known.count, 1);
    /* What was wanted is known as ever, and asked no more … */
    assert_true(upstream_settled(up, s, BASE_S + 4 * 86400, BASE_S + 4 * 86400 + 60));
    assert_near(timeline_total(upstream_power(s), BASE_S + 4 * 86400,
                               BASE_S + 4 * 86400 + 60, NULL),
                60 * 143, 60 * 80);
    assert_int_equal(db.count, count);
    /* … and the rest is asked once more where it is wanted after all. */
    assert_false(upstream_settled(up, s, BASE_S, BASE_S + 60));
    upstream_want(up, s, BASE_S, BASE_S + 60, false);
    settle(s, BASE_S, BASE_S + 60);
    assert_near(timeline_total(upstream_power(s), BASE_S, BASE_S + 60, NULL), 60 * 143,
                1e-9);
}

static void there_is_a_limit_to_names(void **state)
{
    const char *const flags[] = { "--upstream.power-query", "p{host=\"$host\"}",
                                  "--upstream.cpu-query", "c{host=\"$host\"}[$window]",
                                  NULL };
    struct upstream_series *first, *common;
    struct query *shared;
    char name[32];

    (void)state;
    begin(flags);
    first = upstream_series_of(up, on_host("first"));
    for (int i = 1; i < SERIES_MAX; i++) {
        snprintf(name, sizeof name, "h%d", i);
        assert_non_null(upstream_series_of(up, on_host(name)));
    }
    assert_null(upstream_series_of(up, on_host("one more")));
    assert_null(upstream_series_of(up, on_host("one more")));
    assert_true(tells("encode_exporter_upstream_problems_total{kind=\"many\"} 2\n"));
    assert_ptr_equal(upstream_series_of(up, on_host("first")), first);
    shared = first->queries[UPSTREAM_CONTAINERS];
    assert_int_equal(shared->refs, SERIES_MAX);
    assert_int_equal(up->queries.count, 2 * SERIES_MAX + 2);

    /* The one that is used stays, the oldest go a few at a time. */
    upstream_want(up, first, BASE_S, BASE_S + 60, false);
    up->keep_ms = 0;
    common = upstream_series_of(up, on_host("one more"));
    assert_non_null(common);
    assert_int_equal(up->series.count, SERIES_MAX - 3);
    assert_int_equal(up->queries.count, 2 * (SERIES_MAX - 3) + 2);
    assert_int_equal(shared->refs, SERIES_MAX - 3);
    assert_ptr_equal(upstream_series_of(up, on_host("first")), first);

    /* Also with questions under way. */
    db.answer = never;
    while (up->under_way < 3)
        uv_run(&loop, UV_RUN_ONCE);
    for (int i = 0; up->series.count > 4; i++) {
        snprintf(name, sizeof name, "new %d", i);
        upstream_series_of(up, on_host(name));
    }
    assert_int_equal(up->under_way, 3);
    assert_int_equal(up->queries.count, 2 * 4 + 2 + 2); /* and the two that are asked */
}

static void what_failed_is_asked_until_it_is_answered(void **state)
{
    struct upstream_series *s;
    double from_s, to_s;
    int port = db.port;

    (void)state;
    begin(NULL);
    s = upstream_series_of(up, on_host(""));
    upstream_want(up, s, BASE_S, BASE_S + 60, false);
    settle(s, BASE_S, BASE_S + 60); /* containers have no values */

    database_stop(&db);
    while (db.conns)
        uv_run(&loop, UV_RUN_ONCE);
    upstream_want(up, s, BASE_S + 7200, BASE_S + 7260, false);
    news = 0;
    while (!holds("encode_exporter_upstream_breaker_state{state=\"open\"} 1\n"))
        uv_run(&loop, UV_RUN_ONCE);
    while (news < 1)
        uv_run(&loop, UV_RUN_ONCE);
    assert_true(tells("encode_exporter_upstream_up 0\n"));
    assert_false(upstream_settled(up, s, BASE_S + 7200, BASE_S + 7260));
    /* What was known stays. */
    assert_near(timeline_total(upstream_power(s), BASE_S, BASE_S + 60, NULL), 60 * 143,
                1e-9);

    db.answer = page; /* something else took its place for a while */
    database_listen(&db, &loop, port);
    for (unsigned before = db.count; db.count == before;)
        uv_run(&loop, UV_RUN_ONCE);
    db.answer = well;
    no_containers = false;
    settle(s, BASE_S + 7200, BASE_S + 7260);
    assert_true(tells("encode_exporter_upstream_up 1\n"));
    assert_true(tells("encode_exporter_upstream_breaker_state{state=\"closed\"} 1\n"));
    assert_near(timeline_total(upstream_power(s), BASE_S + 7200, BASE_S + 7260, NULL),
                60 * 163, 1e-9);
    /* Of the time before, what had no values is asked once more. */
    while (!upstream_reopened(up, &from_s, &to_s))
        uv_run(&loop, UV_RUN_ONCE);
    assert_near(from_s, BASE_S - 5, 0);
    assert_near(to_s, BASE_S + 65, 0);
    assert_near(timeline_total(upstream_containers(s), BASE_S, BASE_S + 60, NULL),
                60 * 143, 1e-9);
}

static void it_is_busy_until_all_was_asked_and_told(void **state)
{
    struct upstream_series *s;
    struct timespec now;
    bool known;

    (void)state;
    begin(NULL);
    s = upstream_series_of(up, on_host(""));
    assert_false(upstream_busy(up));
    upstream_want(up, s, BASE_S, BASE_S + 60, false);
    assert_true(upstream_busy(up)); /* nothing went yet */
    while (news == 0) {
        assert_true(upstream_busy(up));
        uv_run(&loop, UV_RUN_ONCE);
    }
    assert_false(upstream_busy(up)); /* containers have no values: in a minute again */
    upstream_energy(up, s, BASE_S, BASE_S + 60, &known);
    assert_true(upstream_busy(up));
    while (upstream_busy(up))
        uv_run(&loop, UV_RUN_ONCE);
    upstream_energy(up, s, BASE_S, BASE_S + 60, &known);
    assert_true(known);

    /* Young cells are asked once; what comes late is not waited for. */
    clock_gettime(CLOCK_REALTIME, &now);
    upstream_want(up, s, (double)now.tv_sec - 30, (double)now.tv_sec - 10, false);
    upstream_energy(up, s, (double)now.tv_sec - 30, (double)now.tv_sec - 10, &known);
    assert_true(upstream_busy(up));
    while (upstream_busy(up))
        uv_run(&loop, UV_RUN_ONCE);
    assert_false(
        upstream_settled(up, s, (double)now.tv_sec - 30, (double)now.tv_sec - 10));

    /* A query that was refused is not asked, and not waited for. */
    db.answer = power_is_refused;
    upstream_want(up, s, BASE_S + 7200, BASE_S + 7260, false);
    while (upstream_busy(up))
        uv_run(&loop, UV_RUN_ONCE);
    assert_unknown(
        timeline_total(upstream_power(s), BASE_S + 7200, BASE_S + 7260, NULL));
}

static void names_come_from_the_scenario_else_from_the_environment(void **state)
{
    const char *const flags[] = { "--upstream.power-query",     "p{host=\"$host\"}",
                                  "--upstream.cpu-query",       "c{node=\"$node\"}",
                                  "--upstream.container-query", "",
                                  "--upstream.energy-query=",   NULL };
    struct upstream_series *a, *b, *none;
    bool known;

    (void)state;
    setenv("HOSTNAME", "here", 1);
    begin(flags);
    a = upstream_series_of(up, on_host("enc\"1"));
    none = upstream_series_of(up, on_host(""));
    b = upstream_series_of(up, on_host("here"));
    assert_ptr_equal(a, upstream_series_of(up, on_host("enc\"1")));
    assert_ptr_equal(b, none);
    assert_false(upstream_same_power(a, b));
    assert_true(upstream_same_cores(a, b));
    assert_null(upstream_containers(a));
    assert_unknown(upstream_energy(up, a, BASE_S, BASE_S + 60, &known));
    assert_true(known);
    upstream_want(up, a, BASE_S, BASE_S + 60, false);
    upstream_want(up, b, BASE_S, BASE_S + 60, false);
    settle(a, BASE_S, BASE_S + 60);
    settle(b, BASE_S, BASE_S + 60);
    /* Nobody gives $node: that query is not asked, and nothing waits for it. */
    assert_int_equal(db.count, 2);
    assert_int_equal(asked_for("p{host=\"enc\\x221\"}"), 1);
    assert_int_equal(asked_for("p{host=\"here\"}"), 1);
    assert_true(tells("encode_exporter_upstream_problems_total{kind=\"names\"} 1\n"));
}

static void a_long_query_is_posted(void **state)
{
    const char *flags[] = { "--upstream.power-query", NULL, NULL };
    struct buf query = { 0 };
    struct upstream_series *s;

    (void)state;
    buf_str(&query, "sum(p{h=~\"");
    for (int i = 0; i < 300; i++)
        buf_fmt(&query, "host-%d|", i);
    buf_str(&query, "\"})");
    buf_char(&query, '\0');
    flags[1] = query.p;
    begin(flags);
    s = upstream_series_of(up, on_host(""));
    upstream_want(up, s, BASE_S, BASE_S + 60, false);
    settle(s, BASE_S, BASE_S + 60);
    for (unsigned i = 0; i < db.count; i++)
        assert_int_equal(db.asked[i].post, strcmp(db.asked[i].query, query.p) == 0);
    assert_int_equal(asked_for(query.p), 1);
    assert_near(timeline_total(upstream_power(s), BASE_S, BASE_S + 60, NULL), 60 * 143,
                1e-9);
    upstream_stop(up);
    up = NULL;
    buf_deinit(&query);
}

static void intervals_that_cannot_be_are_not_asked(void **state)
{
    struct upstream_series *s;
    bool known;

    (void)state;
    begin(NULL);
    s = upstream_series_of(up, on_host(""));
    upstream_want(up, s, 1000, 2000, false);
    upstream_want(up, s, 1000, 2000, false);
    upstream_want(up, s, BASE_S, BASE_S - 1, false);
    upstream_want(up, s, BASE_S, BASE_S + 8 * 86400, false);
    upstream_want(up, s, NAN, NAN, false);
    upstream_want(up, s, BASE_S, 1e12, false);
    upstream_want(up, s, -INFINITY, INFINITY, false);
    assert_unknown(upstream_energy(up, s, BASE_S, BASE_S + 8 * 86400, &known));
    assert_true(known);
    assert_true(upstream_settled(up, s, 1000, 2000));
    uv_run(&loop, UV_RUN_NOWAIT);
    assert_int_equal(db.count, 0);
    assert_true(
        tells("encode_exporter_upstream_problems_total{kind=\"interval\"} 6\n"));
}

static void one_that_runs_is_asked_up_to_now_and_is_not_settled(void **state)
{
    struct upstream_series *s;
    struct timespec now;
    double from_s;

    (void)state;
    begin(NULL);
    clock_gettime(CLOCK_REALTIME, &now);
    from_s = (double)now.tv_sec - 60;
    s = upstream_series_of(up, on_host(""));
    upstream_want(up, s, from_s, (double)now.tv_sec, true);
    while (isnan(timeline_total(upstream_power(s), from_s, (double)now.tv_sec, NULL)))
        uv_run(&loop, UV_RUN_ONCE);
    assert_true(db.asked[0].end_s <= now.tv_sec && db.asked[0].end_s > now.tv_sec - 6);
    assert_false(upstream_settled(up, s, from_s, (double)now.tv_sec));
}

static void it_ends_while_answers_are_missing(void **state)
{
    struct upstream_series *s;
    bool known;

    (void)state;
    db.answer = never;
    begin(NULL);
    s = upstream_series_of(up, on_host(""));
    upstream_want(up, s, BASE_S, BASE_S + 60, false);
    upstream_energy(up, s, BASE_S, BASE_S + 60, &known);
    while (db.count < 4)
        uv_run(&loop, UV_RUN_ONCE);
    assert_int_equal(news, 0);
}

static void no_url_and_the_flag_that_says_so_mean_nothing_is_asked(void **state)
{
    const char *const flags[] = { "--disable-load-aware", NULL };

    (void)state;
    begin(flags);
    assert_null(up);
    assert_int_equal(upstream_check(&config, NULL), 0);
    config.upstream.url = NULL;
    assert_int_equal(upstream_check(&config, NULL), 0);
    upstream_stop(NULL);
    upstream_reloaded(NULL);
}

static void a_file_that_is_not_there_is_told_before_anything_is_asked(void **state)
{
    const char *const flags[] = { "--upstream.bearer-token-file", "/nonexistent/t",
                                  "--disable-load-aware=true", NULL };
    struct err e = { 0 };

    (void)state;
    begin(flags);
    config.setting_count--; /* without the last flag */
    assert_true(upstream_check(&config, &e) < 0);
    assert_non_null(strstr(e.text, "/nonexistent/t"));
    assert_true(upstream_new(&loop, &config, self, on_news, &loop, &up, &e) < 0);
    assert_null(up);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_wanted_arrives_in_timelines),
        TEST(intervals_of_one_turn_are_one_query_and_are_kept),
        TEST(a_rate_that_is_empty_is_asked_again_over_a_wider_window),
        TEST(the_energy_of_an_interval_is_one_number_at_its_end),
        TEST(a_counter_that_does_not_exist_is_asked_for_once),
        TEST(a_refused_query_is_left_alone_and_others_go_on),
        TEST(several_series_are_not_used),
        TEST(several_series_are_looked_at_again_until_there_is_one),
        TEST(what_nobody_wanted_for_a_day_is_forgotten),
        TEST(there_is_a_limit_to_names),
        TEST(what_failed_is_asked_until_it_is_answered),
        TEST(it_is_busy_until_all_was_asked_and_told),
        TEST(names_come_from_the_scenario_else_from_the_environment),
        TEST(a_long_query_is_posted),
        TEST(intervals_that_cannot_be_are_not_asked),
        TEST(one_that_runs_is_asked_up_to_now_and_is_not_settled),
        TEST(it_ends_while_answers_are_missing),
        TEST(no_url_and_the_flag_that_says_so_mean_nothing_is_asked),
        TEST(a_file_that_is_not_there_is_told_before_anything_is_asked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
