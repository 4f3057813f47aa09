#include "tests/unit/test.h"

#include <string.h>

#include "server/http/browser.h"

static bool refused(const char *host, const char *origin, const char *fetch_site)
{
    const struct request rq = { .host = view_of(host),
                                .origin = view_of(origin),
                                .sec_fetch_site = view_of(fetch_site) };

    return browser_refused(&rq, VIEW("exporter.example, ENCODER.lan")) != NULL;
}

static void programs_are_let_in(void **state)
{
    (void)state;
    assert_false(refused("127.0.0.1:9502", "", ""));
    assert_false(refused("[::1]:9502", "", ""));
    assert_false(refused("[2001:db8::1]", "", ""));
    assert_false(refused("localhost", "", ""));
    assert_false(refused("LOCALHOST:9502", "", ""));
    assert_false(refused("localhost.:9502", "", ""));
    assert_false(refused("", "", "")); /* HTTP/1.0 */
}

static void names_that_were_given_are_ours(void **state)
{
    (void)state;
    assert_false(refused("exporter.example:9502", "", ""));
    assert_false(refused("Exporter.Example.", "", ""));
    assert_false(refused("encoder.lan", "", ""));
}

static void a_name_pointed_at_us_is_not_ours(void **state)
{
    (void)state;
    assert_true(
        refused("evil.example:9502", "http://evil.example:9502", "same-origin"));
    assert_true(refused("evil.example", "", ""));
    assert_true(refused("localhost.evil.example", "", ""));
    assert_true(refused("127.0.0.1.evil.example", "", ""));
    assert_true(refused("exporter.example.evil.example", "", ""));
    assert_true(refused("xlocalhost", "", ""));
    assert_true(refused(":9502", "", ""));
    assert_true(refused("[localhost]", "", ""));
    assert_true(refused("[::1]evil.example", "", ""));
    assert_true(refused("localhost:80@evil.example", "", ""));
    assert_true(refused("127.0.0.1:evil.example", "", ""));
    assert_true(refused("[127.0.0.1]:9502", "", ""));
    assert_true(refused("[::1", "", ""));
    assert_true(refused("0x7f.1", "", ""));
    assert_true(refused("127.1", "", ""));
}

static void the_browser_says_where_it_comes_from(void **state)
{
    (void)state;
    assert_false(refused("localhost:9502", "http://localhost:9502", "same-origin"));
    assert_false(refused("localhost:9502", "https://LOCALHOST:9502", "none"));
    assert_true(refused("localhost:9502", "", "cross-site"));
    assert_true(refused("localhost:9502", "", "same-site"));
    assert_true(refused("localhost:9502", "", "anything"));
    assert_true(refused("localhost:9502", "null", ""));
    assert_true(refused("localhost:9502", "http://localhost:9503", ""));
    assert_true(refused("localhost:9502", "http://evil.example", ""));
    assert_true(refused("localhost:9502", "file://", ""));
}

static void nothing_listed_means_no_name(void **state)
{
    const struct request rq = { .host = VIEW("exporter.example") };

    (void)state;
    assert_non_null(browser_refused(&rq, VIEW("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(programs_are_let_in),
        cmocka_unit_test(names_that_were_given_are_ours),
        cmocka_unit_test(a_name_pointed_at_us_is_not_ours),
        cmocka_unit_test(the_browser_says_where_it_comes_from),
        cmocka_unit_test(nothing_listed_means_no_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
