#include "tests/unit/test.h"

#include "server/push/push_path.h"

static void path_is(const char *url, const char *labels, int kind, const char *want)
{
    struct buf to = { 0 };
    struct err e = { 0 };

    assert_int_equal(push_path(url, labels, &to, &e), kind);
    assert_string_equal(to.p, want);
    buf_deinit(&to);
}

static void refused(const char *url, const char *labels)
{
    struct buf to = { 0 };
    struct err e = { 0 };

    assert_true(push_path(url, labels, &to, &e) < 0);
    assert_non_null(strstr(e.text, "--push."));
    buf_deinit(&to);
}

static void victoria_metrics_imports(void **state)
{
    (void)state;
    path_is("http://vm:8428", NULL, 0, "/api/v1/import/prometheus");
    path_is("http://vm:8428/", NULL, 0, "/api/v1/import/prometheus");
    path_is("http://vm/insert/0/prometheus", NULL, 0, "/api/v1/import/prometheus");
    path_is("http://vm/api/v1/import/prometheus", NULL, 0, "");
    path_is("http://vm", "a=b", 0, "/api/v1/import/prometheus?extra_label=a=b");
    path_is("http://vm", "a=1 2, _b9=x=y&%/\xc3\xa4", 0,
            "/api/v1/import/prometheus?extra_label=a=1%202&extra_label=_b9=x%3Dy%26%25"
            "%2F%C3%A4");
}

/* "/data/x" is 2f 64 61 74 61 2f 78, in base64 L2RhdGEveA (without its ==). */
static void a_pushgateway_groups(void **state)
{
    (void)state;
    path_is("http://p:9091/metrics/job/encode", NULL, 1, "");
    path_is("http://p:9091/metrics/job/encode/", "a=b,c=d e", 1, "/a/b/c/d%20e");
    path_is("http://p/x/metrics/job@base64/L2E", "p=/data/x", 1,
            "/p@base64/L2RhdGEveA");
    path_is("http://p/metrics/job/j", "p=/,q=a/,r=ab/", 1,
            "/p@base64/Lw/q@base64/YS8/r@base64/YWIv");
}

static void what_is_no_label_is_refused(void **state)
{
    (void)state;
    refused("http://vm", "a");
    refused("http://vm", "a=");
    refused("http://vm", "=a");
    refused("http://vm", "");
    refused("http://vm", "a=b,");
    refused("http://vm", "9a=b");
    refused("http://vm", "a-b=c");
    refused("http://vm", "__name__=c");
    refused("http://p/metrics/job/j", "job=x");
    refused("vm:8428", NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(victoria_metrics_imports),
        cmocka_unit_test(a_pushgateway_groups),
        cmocka_unit_test(what_is_no_label_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
