#include "tests/unit/test.h"

#include <string.h>

#include "server/http/route.h"

/* A site of two endpoints; the process's own body belongs to the first. */
struct fake {
    struct body *a, *b, *own;
    bool ready;
    int reload_rc, reloads;
};

static struct body *body_with(const char *const names[], size_t count)
{
    struct body *b = body_new();

    for (size_t i = 0; i < count; i++) {
        body_family(b, names[i]);
        body_add(b, chunk_new(view_of(names[i])));
        body_add(b, chunk_new(VIEW(" 1\n")));
    }
    return b;
}

static size_t fake_bodies(void *ctx, int endpoint, struct body *out[REPLY_BODIES_MAX])
{
    struct fake *f = ctx;
    size_t n = 0;

    if (endpoint <= 0)
        out[n++] = f->a;
    if (endpoint != 0)
        out[n++] = f->b;
    if (endpoint <= 0)
        out[n++] = f->own;
    return n;
}

static bool fake_ready(void *ctx)
{
    return ((struct fake *)ctx)->ready;
}

static int fake_reload(void *ctx, struct err *e)
{
    struct fake *f = ctx;

    f->reloads++;
    return f->reload_rc ? err_set(e, f->reload_rc, "prices.json: not JSON") : 0;
}

static void fake_page(void *ctx, int endpoint, const struct request *rq,
                      struct reply *out)
{
    (void)ctx;
    out->status = 200;
    out->content_type = "text/html; charset=utf-8";
    buf_fmt(&out->text, "<p>%d %.*s</p>", endpoint, VIEW_ARG(rq->path));
}

static struct fake fake;
static const struct site site = {
    &fake, fake_bodies, fake_ready, fake_reload, fake_page, 4711, "exporter.example"
};

static int set_up(void **state)
{
    (void)state;
    fake = (struct fake){ .ready = true };
    fake.a = body_with((const char *const[]){ "x_a", "x_b", "x_c" }, 3);
    fake.b = body_with((const char *const[]){ "y_a" }, 1);
    fake.own = body_with((const char *const[]){ "process_x" }, 1);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    /* every answer gave its references back */
    assert_int_equal(fake.a->refs, 1);
    assert_int_equal(fake.b->refs, 1);
    assert_int_equal(fake.own->refs, 1);
    body_unref(fake.a);
    body_unref(fake.b);
    body_unref(fake.own);
    return 0;
}

static struct reply ask_as(const struct request *rq, int endpoint)
{
    struct reply out = { 0 };

    route(&site, endpoint, rq, &out);
    return out;
}

static struct reply ask(enum method m, const char *path, const char *query,
                        int endpoint)
{
    struct request rq = { .method = m, .path = view_of(path), .query = view_of(query) };

    return ask_as(&rq, endpoint);
}

/* The content of a reply, which ends with that. */
static void content_is(struct reply *r, const char *want)
{
    struct buf got = { 0 };

    for (size_t i = 0; i < r->body_count; i++)
        for (uint32_t k = 0; k < r->bodies[i]->chunk_count; k++)
            buf_add(&got, r->bodies[i]->chunks[k]->text, r->bodies[i]->chunks[k]->n);
    buf_view(&got, r->fixed);
    buf_view(&got, buf_as_view(&r->text));
    assert_view(buf_as_view(&got), want);
    assert_int_equal(reply_length(r), strlen(want));
    buf_deinit(&got);
    reply_deinit(r);
}

static void status_is(enum method m, const char *path, int status, const char *allow)
{
    struct reply r = ask(m, path, "", 0);

    if (r.status != status)
        print_error("%s\n", path);
    assert_int_equal(r.status, status);
    assert_string_equal(r.allow, allow);
    assert_non_null(r.content_type);
    reply_deinit(&r);
}

static void metrics_are_those_of_the_endpoint(void **state)
{
    struct reply r = ask(METHOD_GET, "/metrics", "", 0);

    (void)state;
    assert_int_equal(r.status, 200);
    assert_string_equal(r.content_type, "text/plain; version=0.0.4; charset=utf-8");
    content_is(&r, "x_a 1\nx_b 1\nx_c 1\nprocess_x 1\n");
    r = ask(METHOD_GET, "/metrics", "", 1);
    content_is(&r, "y_a 1\n");
}

static void all_metrics_are_those_of_every_endpoint(void **state)
{
    struct reply r = ask(METHOD_GET, "/metrics/all", "", 1);

    (void)state;
    assert_int_equal(r.status, 200);
    content_is(&r, "x_a 1\nx_b 1\nx_c 1\ny_a 1\nprocess_x 1\n");
}

static void selection(const char *query, const char *want)
{
    struct reply r = ask(METHOD_GET, "/metrics", query, 0);

    assert_int_equal(r.status, 200);
    content_is(&r, want);
}

static void names_select_families(void **state)
{
    static const char all[] = "x_a 1\nx_b 1\nx_c 1\nprocess_x 1\n";

    (void)state;
    selection("name[]=x_b", "x_b 1\n");
    selection("name[]=x_c&name[]=x_a", "x_a 1\nx_c 1\n");
    selection("name%5B%5D=x_b", "x_b 1\n");
    selection("name%5b]=x%5Fb", "x_b 1\n");
    selection("%6eame[]=x_b", "x_b 1\n");
    selection("name[]=process_x&name[]=x_a&name[]=x_a", "x_a 1\nprocess_x 1\n");
    selection("name[]=nobody", "");
    selection("name[]=", "");
    selection("name[]", "");
    selection("name[]=x_b%", "");
    selection("name[]=x_b%zz", "");
    selection("name[]=x+b", "");
    selection("&&name[]=x_b&", "x_b 1\n");
    /* other parameters are not ours */
    selection("name=x_b", all);
    selection("q=1&=&", all);
}

#define TEXT "text/plain; version=0.0.4; charset=utf-8"
#define OPEN "application/openmetrics-text; version=1.0.0; charset=utf-8"

/* GET /metrics of the first endpoint. */
static struct reply negotiated(const char *query, const char *accept,
                               const char *accept_encoding, const char *if_none_match)
{
    struct request rq = { .method = METHOD_GET,
                          .path = VIEW("/metrics"),
                          .query = view_of(query),
                          .accept = view_of(accept),
                          .accept_encoding = view_of(accept_encoding),
                          .if_none_match = view_of(if_none_match) };

    return ask_as(&rq, 0);
}

static void reply_is(struct reply *r, const char *type, bool openmetrics, bool gzip,
                     const char *want)
{
    assert_int_equal(r->status, 200);
    assert_string_equal(r->content_type, type);
    assert_int_equal(r->openmetrics, openmetrics);
    assert_int_equal(r->gzip, gzip);
    content_is(r, want);
}

static void format_and_encoding_are_what_the_client_likes_best(void **state)
{
    struct reply r = negotiated("", "application/openmetrics-text", "gzip", NULL);

    (void)state;
    reply_is(&r, OPEN, true, true, "x_a 1\nx_b 1\nx_c 1\nprocess_x 1\n# EOF\n");
    r = negotiated("", "application/openmetrics-text;escaping=dots", NULL, NULL);
    reply_is(&r, OPEN "; escaping=dots", true, false,
             "x_a 1\nx_b 1\nx_c 1\nprocess_x 1\n# EOF\n");
    r = negotiated("", "*/*", "gzip;q=0.5, identity;q=0.1", NULL);
    reply_is(&r, TEXT, false, true, "x_a 1\nx_b 1\nx_c 1\nprocess_x 1\n");
    r = negotiated("", NULL, NULL, NULL);
    reply_is(&r, TEXT, false, false, "x_a 1\nx_b 1\nx_c 1\nprocess_x 1\n");
    /* a selection is negotiated as the whole is, also an empty one */
    r = negotiated("name[]=x_b", "application/openmetrics-text", "gzip", NULL);
    reply_is(&r, OPEN, true, true, "x_b 1\n# EOF\n");
    r = negotiated("name[]=nobody", "application/openmetrics-text", NULL, NULL);
    reply_is(&r, OPEN, true, false, "# EOF\n");
    /* what is no metric is not */
    r = ask(METHOD_GET, "/health", "", 0);
    assert_string_equal(r.etag, "");
    assert_false(r.gzip || r.openmetrics);
    reply_deinit(&r);
}

static void every_variant_has_its_own_tag(void **state)
{
    static const struct {
        const char *query, *accept, *encoding;
    } variants[] = {
        { "", "", "" },
        { "", "", "gzip" },
        { "", "application/openmetrics-text", "" },
        { "", "application/openmetrics-text", "gzip" },
        { "", "application/openmetrics-text;escaping=dots", "gzip" },
        { "name[]=x_a", "", "" },
        { "name[]=x_b", "", "" },
        { "name[]=x_a", "", "gzip" },
    };
    enum { COUNT = sizeof(variants) / sizeof(variants[0]) };
    char tags[COUNT + 2][ETAG_MAX];
    struct reply r;

    (void)state;
    for (size_t i = 0; i < COUNT; i++)
        for (int again = 0; again < 2; again++) {
            r = negotiated(variants[i].query, variants[i].accept, variants[i].encoding,
                           NULL);
            if (again)
                assert_string_equal(r.etag, tags[i]);
            memcpy(tags[i], r.etag, ETAG_MAX);
            reply_deinit(&r);
        }
    r = ask(METHOD_GET, "/metrics", "", 1);
    memcpy(tags[COUNT], r.etag, ETAG_MAX);
    reply_deinit(&r);
    r = ask(METHOD_GET, "/metrics/all", "", 0);
    memcpy(tags[COUNT + 1], r.etag, ETAG_MAX);
    reply_deinit(&r);
    for (size_t i = 0; i < COUNT + 2; i++)
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(tags[i], tags[k]);
    /* another query that selects nothing is the same content */
    r = negotiated("x=1", NULL, NULL, NULL);
    assert_string_equal(r.etag, tags[0]);
    reply_deinit(&r);
    r = ask(METHOD_HEAD, "/metrics", "", 0);
    assert_string_equal(r.etag, tags[0]);
    reply_deinit(&r);
}

static void who_has_the_content_already_gets_none(void **state)
{
    struct reply r = negotiated("name[]=x_b", "text/plain", "gzip", NULL);
    char tag[ETAG_MAX], weak[ETAG_MAX + 8];

    (void)state;
    memcpy(tag, r.etag, ETAG_MAX);
    reply_deinit(&r);
    snprintf(weak, sizeof(weak), "\"x\", W/%s", tag);
    r = negotiated("name[]=x_b", "text/plain", "gzip", weak);
    assert_int_equal(r.status, 304);
    assert_string_equal(r.etag, tag);
    assert_false(r.gzip);
    content_is(&r, "");
    /* but not who has another variant or selection of it */
    r = negotiated("name[]=x_b", "text/plain", NULL, tag);
    reply_is(&r, TEXT, false, false, "x_b 1\n");
    r = negotiated("name[]=x_b", "application/openmetrics-text", "gzip", tag);
    reply_is(&r, OPEN, true, true, "x_b 1\n# EOF\n");
    r = negotiated("name[]=x_a", "text/plain", "gzip", tag);
    reply_is(&r, TEXT, false, true, "x_a 1\n");
    r = negotiated("", NULL, NULL, "*");
    assert_int_equal(r.status, 304);
    reply_deinit(&r);
}

static void new_content_has_a_new_tag(void **state)
{
    struct reply r = negotiated("", NULL, NULL, NULL);
    struct site other = site;
    struct request rq = { .path = VIEW("/metrics") };
    char tag[ETAG_MAX];

    (void)state;
    memcpy(tag, r.etag, ETAG_MAX);
    reply_deinit(&r);
    /* the same bytes in a process that began anew, and in this one */
    other.seed++;
    route(&other, 0, &rq, &r);
    assert_string_not_equal(r.etag, tag);
    reply_deinit(&r);
    body_unref(fake.own);
    fake.own = body_with((const char *const[]){ "process_x" }, 1);
    r = negotiated("", NULL, NULL, tag);
    assert_string_not_equal(r.etag, tag);
    reply_is(&r, TEXT, false, false, "x_a 1\nx_b 1\nx_c 1\nprocess_x 1\n");
}

static void health_is_ok_while_the_loop_runs(void **state)
{
    struct reply r = ask(METHOD_GET, "/health", "", 1);

    (void)state;
    assert_int_equal(r.status, 200);
    assert_string_equal(r.content_type, "text/plain; charset=utf-8");
    content_is(&r, "OK\n");
    fake.ready = false;
    r = ask(METHOD_GET, "/-/healthy", "", 1);
    assert_int_equal(r.status, 200);
    content_is(&r, "OK\n");
}

static void ready_tells_what_the_site_says(void **state)
{
    (void)state;
    status_is(METHOD_GET, "/ready", 200, "");
    status_is(METHOD_HEAD, "/-/ready", 200, "");
    fake.ready = false;
    status_is(METHOD_GET, "/ready", 503, "");
    status_is(METHOD_GET, "/-/ready", 503, "");
}

static void other_spellings_are_not_found(void **state)
{
    static const char *const paths[] = {
        "",         "*",          "/metrics/", "//metrics", "/metrics/all/",
        "/Metrics", "/metric",    "/metricss", "/health/",  "/./metrics",
        "/-/",      "/%6detrics", "/..",       "x:443",     "/favicon.ico",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        status_is(METHOD_GET, paths[i], 404, "");
        status_is(METHOD_POST, paths[i], 404, "");
    }
}

static const char *const page_paths[] = { "/",         "/page.css", "/page.js",
                                          "/chart.js", "/events",   "/frames" };

static void other_methods_are_told_what_is_allowed(void **state)
{
    static const char *const paths[] = { "/",        "/metrics", "/metrics/all",
                                         "/health",  "/ready",   "/-/healthy",
                                         "/-/ready", "/page.css" };

    (void)state;
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        status_is(METHOD_POST, paths[i], 405, "GET, HEAD");
        status_is(METHOD_OTHER, paths[i], 405, "GET, HEAD");
        status_is(METHOD_HEAD, paths[i], 200, "");
    }
    for (size_t i = 0; i < sizeof(page_paths) / sizeof(page_paths[0]); i++) {
        status_is(METHOD_POST, page_paths[i], 405, "GET, HEAD");
        status_is(METHOD_HEAD, page_paths[i], 200, "");
    }
    status_is(METHOD_GET, "/-/reload", 405, "POST");
    status_is(METHOD_HEAD, "/-/reload", 405, "POST");
    status_is(METHOD_OTHER, "/-/reload", 405, "POST");
    assert_int_equal(fake.reloads, 0);
}

static void head_has_the_length_and_no_content(void **state)
{
    struct reply r = ask(METHOD_HEAD, "/metrics", "", 1);

    (void)state;
    assert_true(r.head);
    content_is(&r, "y_a 1\n");
    r = ask(METHOD_GET, "/metrics", "", 1);
    assert_false(r.head);
    reply_deinit(&r);
}

static void reload_answers_with_the_reason_of_a_failure(void **state)
{
    struct reply r = ask(METHOD_POST, "/-/reload", "", 0);

    (void)state;
    assert_int_equal(r.status, 200);
    assert_int_equal(fake.reloads, 1);
    content_is(&r, "reloaded\n");
    fake.reload_rc = -22;
    r = ask(METHOD_POST, "/-/reload", "", 0);
    assert_int_equal(r.status, 500);
    content_is(&r, "prices.json: not JSON\n");
}

static int reload_from(const char *origin, const char *site_field)
{
    struct request rq = {
        .method = METHOD_POST,
        .path = VIEW("/-/reload"),
        .host = VIEW("Exporter.example:9502"),
        .origin = view_of(origin),
        .sec_fetch_site = view_of(site_field),
    };
    struct reply r = ask_as(&rq, 0);
    int status = r.status;

    reply_deinit(&r);
    return status;
}

static void pages_of_other_sites_cannot_reload(void **state)
{
    (void)state;
    assert_int_equal(reload_from("", ""), 200);
    assert_int_equal(reload_from("http://exporter.example:9502", ""), 200);
    assert_int_equal(reload_from("https://EXPORTER.example:9502", "same-origin"), 200);
    assert_int_equal(reload_from("", "none"), 200);
    assert_int_equal(fake.reloads, 4);
    assert_int_equal(reload_from("http://exporter.example:9503", ""), 403);
    assert_int_equal(reload_from("http://exporter.example", ""), 403);
    assert_int_equal(reload_from("http://evil.example", ""), 403);
    assert_int_equal(reload_from("null", ""), 403);
    assert_int_equal(reload_from("box:9502", ""), 403);
    assert_int_equal(reload_from("", "cross-site"), 403);
    assert_int_equal(reload_from("", "same-site"), 403);
    assert_int_equal(reload_from("http://exporter.example:9502", "cross-site"), 403);
    assert_int_equal(fake.reloads, 4);
}

static void the_page_and_its_parts_are_asked_of_the_site(void **state)
{
    struct reply r = ask(METHOD_GET, "/", "", 1);

    (void)state;
    assert_int_equal(r.status, 200);
    content_is(&r, "<p>1 /</p>");
    r = ask(METHOD_GET, "/page.css", "", 2);
    content_is(&r, "<p>2 /page.css</p>");
    for (size_t i = 0; i < sizeof(page_paths) / sizeof(page_paths[0]); i++) {
        char want[32];

        snprintf(want, sizeof want, "<p>2 %s</p>", page_paths[i]);
        r = ask(METHOD_GET, page_paths[i], "", 2);
        assert_int_equal(r.status, 200);
        content_is(&r, want);
    }
}

static struct reply data_from(const char *path, const char *host, const char *origin,
                              const char *site_field)
{
    struct request rq = { .method = METHOD_GET,
                          .path = view_of(path),
                          .host = view_of(host),
                          .origin = view_of(origin),
                          .sec_fetch_site = view_of(site_field) };

    return ask_as(&rq, 1);
}

static void what_the_page_asks_for_is_for_no_other_page(void **state)
{
    static const struct {
        const char *host, *origin, *site_field;
        int status;
    } cases[] = {
        { "127.0.0.1:9502", "", "same-origin", 200 }, /* the page itself */
        { "localhost:9502", "", "none", 200 },        /* typed in */
        { "exporter.example", "", "", 200 },          /* no browser */
        { "[::1]:9502", "http://[::1]:9502", "same-origin", 200 },
        { "127.0.0.1:9502", "", "cross-site", 403 },
        { "127.0.0.1:9503", "http://127.0.0.1:9502", "same-site", 403 },
        { "127.0.0.1:9502", "http://evil.example", "", 403 },
        { "evil.example:9502", "", "same-origin", 403 }, /* a name pointed here */
    };
    static const char *const data[] = { "/events", "/frames" };
    struct reply r;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        for (size_t k = 0; k < 2; k++) {
            r = data_from(data[k], cases[i].host, cases[i].origin, cases[i].site_field);
            assert_int_equal(r.status, cases[i].status);
            reply_deinit(&r);
        }
    r = data_from("/events", "evil.example", "", "");
    content_is(&r, "Host is neither an IP address, localhost nor named by "
                   "--web.allowed-host\n");
    /* The page itself says so, wherever it is. */
    r = data_from("/", "evil.example", "http://evil.example", "cross-site");
    assert_int_equal(r.status, 200);
    reply_deinit(&r);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(metrics_are_those_of_the_endpoint),
        TEST(all_metrics_are_those_of_every_endpoint),
        TEST(names_select_families),
        TEST(format_and_encoding_are_what_the_client_likes_best),
        TEST(every_variant_has_its_own_tag),
        TEST(who_has_the_content_already_gets_none),
        TEST(new_content_has_a_new_tag),
        TEST(health_is_ok_while_the_loop_runs),
        TEST(ready_tells_what_the_site_says),
        TEST(other_spellings_are_not_found),
        TEST(other_methods_are_told_what_is_allowed),
        TEST(head_has_the_length_and_no_content),
        TEST(reload_answers_with_the_reason_of_a_failure),
        TEST(pages_of_other_sites_cannot_reload),
        TEST(the_page_and_its_parts_are_asked_of_the_site),
        TEST(what_the_page_asks_for_is_for_no_other_page),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
