#include "fetch_host.h"

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/fetch/url.h"
#include "server/log.h"

static uv_loop_t loop;
static uv_timer_t tick; /* so that uv_run() returns */
static struct site site, other;
static struct fetcher *f;
static char url[64];

/* What one request came to. */
struct got {
    bool over;
    int status;
    struct buf body;
    char problem[400], type[64];
    double retry_after_s;
    enum fetch_verdict verdict; /* to say */
    const char *reason;
};

static enum fetch_verdict on_answer(void *ctx, const struct fetch_answer *a,
                                    struct buf *reason)
{
    struct got *g = ctx;

    assert_false(g->over);
    g->over = true;
    g->status = a->status;
    buf_view(&g->body, a->body);
    snprintf(g->problem, sizeof g->problem, "%s", a->problem ? a->problem : "");
    snprintf(g->type, sizeof g->type, "%s", a->content_type);
    g->retry_after_s = a->retry_after_s;
    if (g->reason)
        buf_str(reason, g->reason);
    return g->verdict;
}

static void wait_for(const bool *over)
{
    uint64_t until = uv_hrtime() + 20000000000u;

    while (!*over) {
        uv_run(&loop, UV_RUN_ONCE);
        assert_true(uv_hrtime() < until);
    }
}

/* GET; the answer, whose body ends with the test. */
static struct got get(const char *path)
{
    struct got g = { .verdict = FETCH_GOOD };
    struct err e = { 0 };

    assert_non_null(fetcher_ask(f, path, (struct view){ 0 }, NULL, on_answer, &g, &e));
    assert_false(g.over);
    wait_for(&g.over);
    buf_deinit(&g.body);
    return g;
}

static const struct fetch_peer usual = { .name = "peer",
                                         .url = url,
                                         .timeout_ms = 5000,
                                         .concurrency = 4,
                                         .max_bytes = 1 << 20 };

static void with(struct fetch_peer peer)
{
    struct err e = { 0 };

    if (fetcher_new(&loop, &peer, &f, &e) < 0)
        fail_msg("%s", e.text);
}

static void on_tick(uv_timer_t *timer)
{
    (void)timer;
}

static int setup(void **state)
{
    (void)state;
    uv_loop_init(&loop);
    uv_timer_init(&loop, &tick);
    uv_timer_start(&tick, on_tick, 10, 10);
    site_start(&site, &loop);
    site_start(&other, &loop);
    snprintf(url, sizeof url, "http://127.0.0.1:%d", site.port);
    log_configure(LOG_ERROR, false);
    f = NULL;
    return 0;
}

/* Whatever happened, nothing is left open. */
static int teardown(void **state)
{
    (void)state;
    fetcher_stop(f);
    site_stop(&site);
    site_stop(&other);
    uv_close((uv_handle_t *)&tick, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    return 0;
}

/* ---- good answers -------------------------------------------------------------------- */

static void an_answer_comes_whole(void **state)
{
    struct got g;

    (void)state;
    with(usual);
    g = get("/api?x=1");
    assert_int_equal(g.status, 200);
    assert_string_equal(g.problem, "");
    assert_string_equal(g.type, "application/json");
    assert_true(site_saw(&site, "GET /api?x=1 HTTP/1.1\r\n"));
    assert_true(site_saw(&site, "Accept-Encoding: gzip\r\n"));
    assert_true(site_saw(&site, "User-Agent: encode_exporter\r\n"));
    assert_false(site_saw(&site, "Authorization"));
}

static void bodies_in_chunks_and_compressed_are_plain(void **state)
{
    struct got g = { .verdict = FETCH_GOOD }, z = g;
    struct err e = { 0 };

    (void)state;
    with(usual);
    fetcher_ask(f, "/chunked", (struct view){ 0 }, NULL, on_answer, &g, &e);
    fetcher_ask(f, "/gzip", (struct view){ 0 }, NULL, on_answer, &z, &e);
    wait_for(&g.over);
    wait_for(&z.over);
    assert_view(buf_as_view(&g.body), "hello world");
    assert_int_equal(z.body.n, 300000);
    assert_int_equal(z.body.p[299999], 0);
    buf_deinit(&g.body);
    buf_deinit(&z.body);
}

static void a_connection_serves_many(void **state)
{
    (void)state;
    with(usual);
    for (int i = 0; i < 20; i++)
        assert_int_equal(get("/").status, 200);
    assert_int_equal(site.accepted, 1);
    /* One that the peer closes meanwhile is no failure. */
    assert_int_equal(get("/once").status, 200);
    assert_int_equal(get("/").status, 200);
    assert_int_equal(fetcher_counts(f).good, 22);
}

static void a_body_is_posted(void **state)
{
    struct got g = { .verdict = FETCH_GOOD };
    struct err e = { 0 };

    (void)state;
    with(usual);
    fetcher_ask(f, "/echo", VIEW("query=up&x=%20"), "application/x-www-form-urlencoded",
                on_answer, &g, &e);
    wait_for(&g.over);
    assert_view(buf_as_view(&g.body), "query=up&x=%20");
    assert_true(site_saw(&site, "POST /echo HTTP/1.1\r\n"));
    assert_true(site_saw(&site, "Content-Type: application/x-www-form-urlencoded\r\n"));
    assert_false(site_saw(&site, "Expect"));
    buf_deinit(&g.body);
}

static size_t letters(void *ctx, uint64_t at, char *to, size_t n)
{
    (void)ctx;
    n = n > 1000 ? 1000 : n; /* less than there is room for */
    for (size_t i = 0; i < n; i++)
        to[i] = (char)('a' + (at + i) % 26);
    return n;
}

static void a_body_is_made_while_it_is_sent(void **state)
{
    const struct fetch_upload up = { .n = 500000, .gzip = true, .read = letters };
    struct got g = { .verdict = FETCH_GOOD }, again = g;
    struct err e = { 0 };

    (void)state;
    with(usual);
    fetcher_send(f, "/echo", &up, "text/plain", 0, on_answer, &g, &e);
    wait_for(&g.over);
    assert_int_equal(g.body.n, 500000);
    assert_int_equal(g.body.p[499999], 'a' + 499999 % 26);
    assert_true(site_saw(&site, "Content-Encoding: gzip\r\n"));

    /* Redirected: from its beginning, and still a POST. */
    site.away = "/echo";
    fetcher_send(f, "/away", &up, "text/plain", 0, on_answer, &again, &e);
    wait_for(&again.over);
    assert_int_equal(again.body.n, 500000);
    assert_memory_equal(again.body.p, g.body.p, 500000);
    assert_true(site_saw(&site, "POST /echo HTTP/1.1\r\n"));
    buf_deinit(&g.body);
    buf_deinit(&again.body);
}

/* ---- answers that are none ------------------------------------------------------------- */

static void problem_is(const char *path, const char *part)
{
    struct got g = get(path);

    if (g.status != 0 || !strstr(g.problem, part))
        fail_msg("%s: status %d, \"%s\"", path, g.status, g.problem);
    for (const char *p = g.problem; *p; p++)
        assert_true(*p >= ' ' && *p <= '~');
}

static void bad_answers_have_a_reason(void **state)
{
    struct fetch_peer p = usual;

    (void)state;
    p.timeout_ms = 300;
    p.max_bytes = 400000;
    bomb();
    with(p);
    problem_is("/cut", "91 bytes remaining");
    problem_is("/cut-chunk", "outstanding read data");
    problem_is("/shut", "Empty reply");
    problem_is("/garbage", "HTTP/0.9");
    problem_is("/hang", "timed out");
    problem_is("/drip", "timed out");
    problem_is("/endless", "larger than 400000 bytes");
    problem_is("/bomb", "larger than 400000 bytes");
    problem_is("/endless-head", "head or trailers are larger");
    problem_is("/endless-heads", "head or trailers are larger");
    problem_is("/endless-trailers", "head or trailers are larger");
    problem_is("/endless-extension", "larger than 400000 bytes");
    problem_is("/loop", "redirected too often");
    assert_int_equal(get("/").status, 200);
    assert_int_equal(get("/401").status, 401);
    assert_near(get("/503").retry_after_s, 7, 0);
}

static void nobody_listens(void **state)
{
    (void)state;
    struct fetch_peer p = usual;

    p.url = "http://127.0.0.1:1";
    with(p);
    problem_is("/", "Failed to connect");
    fetcher_stop(f);
    p.url = "http://no-such-host.invalid/";
    with(p);
    problem_is("/", "not resolve host");
}

/* ---- redirects and secrets ---------------------------------------------------------------- */

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void secrets_come_from_files(void **state)
{
    char dir[] = "/tmp/fetch-XXXXXX", token[64];
    struct fetch_peer p = usual;

    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(token, sizeof token, "%s/token", dir);
    write_file(token, "geheim-1\n");
    p.bearer_token_file = token;
    with(p);
    site.away = "/there";
    assert_int_equal(get("/away").status, 200);
    assert_true(site_saw(&site, "GET /there HTTP/1.1\r\n"));
    assert_true(site_saw(&site, "Authorization: Bearer geheim-1\r\n"));
    fetcher_stop(f);

    p.token_header = "auth-token";
    with(p);
    assert_int_equal(get("/away").status, 200);
    assert_true(site_saw(&site, "auth-token: geheim-1\r\n"));

    write_file(token, "geheim-zwei"); /* taken up by the next request */
    assert_int_equal(get("/").status, 200);
    assert_true(site_saw(&site, "auth-token: geheim-zwei\r\n"));
    write_file(token, "two\nlines"); /* cannot be part of a header */
    problem_is("/", "token: has more than one line");
    unlink(token);
    problem_is("/", "No such file");
    rmdir(dir);
}

static void redirects_stay_with_their_host(void **state)
{
    const struct fetch_upload up = { .n = 10, .read = letters };
    struct got g = { .verdict = FETCH_BAD };
    struct err e = { 0 };
    char port[64], name[64];

    (void)state;
    with(usual);
    snprintf(port, sizeof port, "http://127.0.0.1:%d/there", other.port);
    snprintf(name, sizeof name, "http://localhost:%d/there", site.port);
    site.away = port;
    problem_is("/away", "another host or port");
    fetcher_send(f, "/away", &up, "text/plain", 0, on_answer, &g, &e);
    wait_for(&g.over);
    assert_string_equal(g.problem,
                        "redirected to another host or port, which is not followed");
    site.away = name;
    problem_is("/away", "another host or port");
    assert_int_equal(other.accepted, 0);
    assert_false(site_saw(&site, "/there"));
}

static void redirects_lead_to_http_alone(void **state)
{
    (void)state;
    with(usual);
    site.away = "ftp://127.0.0.1/x";
    problem_is("/away", "not followed");
    site.away = "file:///etc/passwd";
    problem_is("/away", "not followed");
    site.away = "http://user:word@127.0.0.1/x";
    problem_is("/away", "not followed");
}

static void basic_authentication_from_the_url_and_from_files(void **state)
{
    struct fetch_peer p = usual;
    char with_user[128], dir[] = "/tmp/fetch-XXXXXX", password[64];

    (void)state;
    snprintf(with_user, sizeof with_user, "http://me:p%%40ss@127.0.0.1:%d/x/",
             site.port);
    p.url = with_user;
    with(p);
    assert_int_equal(get("/y").status, 200);
    /* me:p@ss */
    assert_true(site_saw(&site, "Authorization: Basic bWU6cEBzcw==\r\n"));
    assert_true(site_saw(&site, "GET /x/y HTTP/1.1\r\n"));
    assert_null(strstr(fetcher_shown(f), "me"));
    fetcher_stop(f);

    assert_non_null(mkdtemp(dir));
    snprintf(password, sizeof password, "%s/password", dir);
    write_file(password, "word\n");
    p.url = url;
    p.username = "you";
    p.password_file = password;
    with(p);
    assert_int_equal(get("/").status, 200);
    /* you:word */
    assert_true(site_saw(&site, "Authorization: Basic eW91OndvcmQ=\r\n"));
    unlink(password);
    rmdir(dir);
}

static void a_proxy_is_asked_in_its_place(void **state)
{
    struct fetch_peer p = usual;
    char proxy[64];

    (void)state;
    snprintf(proxy, sizeof proxy, "http://127.0.0.1:%d", other.port);
    p.url = "http://far.invalid:81";
    p.proxy = proxy;
    with(p);
    assert_int_equal(get("/q").status, 200);
    assert_true(site_saw(&other, "GET http://far.invalid:81/q HTTP/1.1\r\n"));
    fetcher_stop(f);

    /* As the environment says, unless the empty text forbids it. */
    setenv("http_proxy", proxy, 1);
    p.proxy = NULL;
    with(p);
    assert_int_equal(get("/r").status, 200);
    assert_true(site_saw(&other, "GET http://far.invalid:81/r HTTP/1.1\r\n"));
    fetcher_stop(f);
    p.proxy = "";
    with(p);
    problem_is("/", "not resolve host");
    unsetenv("http_proxy");
}

/* ---- how many, and taking back ---------------------------------------------------------- */

static void more_than_the_limit_wait_in_line(void **state)
{
    struct got g[6] = { { 0 } };
    struct fetch_ticket *t[6];
    struct fetch_peer p = usual;
    struct err e = { 0 };

    (void)state;
    p.concurrency = 2;
    with(p);
    for (int i = 0; i < 6; i++)
        t[i] = fetcher_ask(f, i < 2 ? "/hang" : "/", (struct view){ 0 }, NULL,
                           on_answer, &g[i], &e);
    while (site.requests < 2)
        uv_run(&loop, UV_RUN_ONCE);
    assert_int_equal(fetcher_counts(f).under_way, 2);
    fetch_forget(t[3]); /* still in line */
    fetch_forget(t[5]); /* the last in line */
    fetch_forget(t[0]); /* makes room */
    wait_for(&g[2].over);
    wait_for(&g[4].over);
    assert_int_equal(site.requests, 4);
    assert_false(g[0].over || g[1].over || g[3].over || g[5].over);
    for (int i = 0; i < 6; i++)
        buf_deinit(&g[i].body);
    /* t[1] still hangs: stopping ends it. */
}

static enum fetch_verdict stop_within(void *ctx, const struct fetch_answer *a,
                                      struct buf *reason)
{
    (void)a;
    (void)reason;
    fetcher_stop(f);
    f = NULL;
    *(bool *)ctx = true;
    return FETCH_GOOD;
}

static void it_may_be_stopped_by_an_answer(void **state)
{
    struct got hangs = { 0 };
    struct err e = { 0 };
    bool over = false;

    (void)state;
    with(usual);
    fetcher_ask(f, "/hang", (struct view){ 0 }, NULL, on_answer, &hangs, &e);
    fetcher_ask(f, "/", (struct view){ 0 }, NULL, stop_within, &over, &e);
    wait_for(&over);
    assert_false(hangs.over);
}

static void a_hanging_name_server_holds_nothing_up(void **state)
{
    struct fetch_peer p = usual;
    struct got g = { 0 };
    struct err e = { 0 };
    uint64_t began;

    (void)state;
    p.url = "http://some-name.invalid";
    with(p);
    began = uv_hrtime();
    fetcher_ask(f, "/", (struct view){ 0 }, NULL, on_answer, &g, &e);
    uv_run(&loop, UV_RUN_NOWAIT);
    uv_run(&loop, UV_RUN_NOWAIT);
    fetcher_stop(f);
    f = NULL;
    assert_true(uv_hrtime() - began < 500000000);
    assert_false(g.over);
}

/* ---- the breaker -------------------------------------------------------------------------- */

static struct got ask_and_say(const char *path, enum fetch_verdict v)
{
    struct got g = { .verdict = v };
    struct err e = { 0 };

    fetcher_ask(f, path, (struct view){ 0 }, NULL, on_answer, &g, &e);
    wait_for(&g.over);
    buf_deinit(&g.body);
    return g;
}

static void a_failing_peer_is_left_alone(void **state)
{
    uint64_t due_ms;
    struct got g;

    (void)state;
    with(usual);
    for (int i = 0; i < 3; i++)
        ask_and_say("/503", FETCH_BAD);
    assert_int_equal(fetcher_counts(f).state, BREAKER_OPEN);
    assert_int_equal(fetcher_counts(f).opened, 1);
    assert_false(fetcher_open(f, &due_ms));
    /* 503 said 7 s, which is longer than a second of our own. */
    assert_true(due_ms >= uv_now(&loop) + 6900 && due_ms <= uv_now(&loop) + 7000);

    g = ask_and_say("/", FETCH_GOOD);
    assert_string_equal(g.problem, FETCH_NOT_ASKED);
    assert_int_equal(site.requests, 3);
    assert_int_equal(fetcher_counts(f).skipped, 1);
    assert_int_equal(fetcher_counts(f).bad, 3);
    assert_unknown(fetcher_counts(f).last_good_unix_s);
}

static void a_peer_that_recovers_is_asked_again(void **state)
{
    uint64_t due_ms;

    (void)state;
    with(usual);
    for (int i = 0; i < 3; i++)
        ask_and_say("/shut", FETCH_BAD);
    while (!fetcher_open(f, &due_ms))
        ask_and_say("/", FETCH_GOOD); /* not asked, each in a turn of its own */
    assert_int_equal(site.requests, 3);
    assert_int_equal(ask_and_say("/", FETCH_GOOD).status, 200);
    assert_int_equal(fetcher_counts(f).state, BREAKER_CLOSED);
    assert_int_equal(fetcher_counts(f).good, 1);
    assert_true(fetcher_counts(f).last_good_unix_s > 1.6e9);
    assert_true(fetcher_counts(f).skipped > 0);
}

static void a_refused_question_is_no_failure(void **state)
{
    (void)state;
    with(usual);
    for (int i = 0; i < 5; i++)
        ask_and_say("/", FETCH_REFUSED);
    assert_int_equal(fetcher_counts(f).state, BREAKER_CLOSED);
    assert_int_equal(fetcher_counts(f).refused, 5);
}

/* ---- what is shown ------------------------------------------------------------------------- */

static void blanked(const char *text, const char *want)
{
    struct buf b = { 0 };

    buf_str(&b, text);
    fetch_blank(f, b.p, b.n);
    assert_view(buf_as_view(&b), want);
    buf_deinit(&b);
}

static void our_own_secrets_are_not_quoted(void **state)
{
    char dir[] = "/tmp/fetch-XXXXXX", token[64], with_user[128];
    struct fetch_peer p = usual;

    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(token, sizeof token, "%s/token", dir);
    write_file(token, "geheim-token-7\n");
    snprintf(with_user, sizeof with_user, "http://me:p%%40ss@127.0.0.1:%d", site.port);
    p.url = with_user;
    p.bearer_token_file = token;
    p.token_header = "auth-token";
    with(p);
    blanked("geheim-token-7, geheim-token-7", "**************, **************");
    blanked("cut: geheim-to (HTTP status 400)", "cut: ********* (HTTP status 400)");
    blanked("at its end: gehei", "at its end: *****");
    blanked("geheimer geh", "geheimer geh");
    blanked("user me, password p@ss.", "user me, password ****.");
    blanked("Basic bWU6cEBzcw==", "Basic **********==");
    blanked("", "");
    unlink(token);
    rmdir(dir);
}

static enum fetch_verdict quote(void *ctx, const struct fetch_answer *a,
                                struct buf *reason)
{
    buf_view(reason, a->body);
    *(bool *)ctx = true;
    return FETCH_REFUSED;
}

/* What the log says of one request, at most a pipe full. */
static struct view logged(const char *path, char *to, size_t size)
{
    int ends[2], before = dup(STDERR_FILENO);
    struct err e = { 0 };
    bool over = false;
    ssize_t n;

    assert_int_equal(pipe(ends), 0);
    dup2(ends[1], STDERR_FILENO);
    log_configure(LOG_WARN, false);
    fetcher_ask(f, path, (struct view){ 0 }, NULL, quote, &over, &e);
    while (!over)
        uv_run(&loop, UV_RUN_ONCE);
    log_configure(LOG_ERROR, false);
    dup2(before, STDERR_FILENO);
    close(before);
    close(ends[1]);
    n = read(ends[0], to, size);
    close(ends[0]);
    return (struct view){ to, n > 0 ? (size_t)n : 0 };
}

static void a_mirror_puts_no_secret_into_the_log(void **state)
{
    struct fetch_peer p = usual;
    char with_user[128], text[4096];
    struct view said;

    (void)state;
    snprintf(with_user, sizeof with_user, "http://me:geheim@127.0.0.1:%d", site.port);
    p.url = with_user;
    with(p);
    said = logged("/mirror", text, sizeof text);
    assert_non_null(memmem(said.p, said.n, "Authorization: Basic ****", 25));
    assert_null(memmem(said.p, said.n, "bWU6", 4)); /* me: */
}

/* ---- settings ------------------------------------------------------------------------------ */

static void refused(struct fetch_peer p, const char *part)
{
    struct err e = { 0 };

    assert_true(fetch_check(&p, &e) < 0);
    if (!strstr(e.text, part))
        fail_msg("\"%s\" does not say \"%s\"", e.text, part);
    assert_null(strstr(e.text, "geheim"));
    assert_true(fetcher_new(&loop, &p, &f, &e) < 0);
    assert_null(f);
}

static void wrong_settings_are_refused(void **state)
{
    static const struct {
        const char *url, *part;
    } urls[] = {
        { "", "begin with http" },
        { "localhost:9090", "begin with http" },
        { "ftp://me:geheim@x", "begin with http" },
        { "http://", "begin with http" },
        { "http:///x", "host is missing" },
        { "http://me:geheim@", "host is missing" },
        { "http://x:0", "port" },
        { "http://x:70000", "port" },
        { "http://x:9a", "port" },
        { "http://x y", "blank" },
        { "http://x\n", "blank" },
        { "http://m%0ae:geheim@x", "user and password" },
        { "http://me:geheim%@x", "user and password" },
        { "http://me:ge/heim@x", "written as %2F" },
        { "http://me:12/geheim@x:9090", "written as %2F" },
        { "http://me:12?geheim@x", "written as %2F" },
        { "http://me:12#geheim@x", "written as %2F" },
    };
    struct fetch_peer p = usual;

    (void)state;
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        p.url = urls[i].url;
        refused(p, urls[i].part);
    }
    p = usual;
    p.username = "me";
    p.bearer_token_file = "/etc/hostname";
    refused(p, "only one");
    p = usual;
    p.password_file = "/etc/hostname";
    refused(p, "no user");
    p = usual;
    p.bearer_token_file = "/nonexistent/token";
    refused(p, "/nonexistent/token: No such file");
    p = usual;
    p.ca_file = "/nonexistent/ca";
    refused(p, "/nonexistent/ca: No such file");
    p = usual;
    p.key_file = "/etc/hostname";
    refused(p, "no certificate");
}

static void joined(const char *base, const char *path, const char *want)
{
    struct arena mem = { 0 };
    struct buf to = { 0 };
    struct fetch_url u;
    struct err e = { 0 };

    assert_int_equal(fetch_url_parse(base, &mem, &u, &e), 0);
    fetch_url_join(&u, path, &to);
    assert_view(buf_as_view(&to), want);
    buf_deinit(&to);
    arena_deinit(&mem);
}

static void urls_are_joined(void **state)
{
    (void)state;
    joined("http://x", "/p", "http://x/p");
    joined("http://x/", "/p?a=1", "http://x/p?a=1");
    joined("HTTPS://[::1]:81/a/b//", "/p", "https://[::1]:81/a/b/p");
    joined("http://u:w@x/a?k=v#f", "/p", "http://x/a/p?k=v");
    joined("http://x?k=v", "/p?a=1", "http://x/p?a=1&k=v");
    joined("http://u:w@x/job@base64/L2E", "", "http://x/job@base64/L2E");
    joined("http://x/metrics/job/j", "", "http://x/metrics/job/j");
}

int main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(an_answer_comes_whole),
        TEST(bodies_in_chunks_and_compressed_are_plain),
        TEST(a_connection_serves_many),
        TEST(a_body_is_posted),
        TEST(a_body_is_made_while_it_is_sent),
        TEST(bad_answers_have_a_reason),
        TEST(nobody_listens),
        TEST(secrets_come_from_files),
        TEST(redirects_stay_with_their_host),
        TEST(redirects_lead_to_http_alone),
        TEST(basic_authentication_from_the_url_and_from_files),
        TEST(a_proxy_is_asked_in_its_place),
        TEST(more_than_the_limit_wait_in_line),
        TEST(it_may_be_stopped_by_an_answer),
        TEST(a_hanging_name_server_holds_nothing_up),
        TEST(a_failing_peer_is_left_alone),
        TEST(a_peer_that_recovers_is_asked_again),
        TEST(a_refused_question_is_no_failure),
        TEST(our_own_secrets_are_not_quoted),
        TEST(a_mirror_puts_no_secret_into_the_log),
        TEST(wrong_settings_are_refused),
        TEST(urls_are_joined),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
