#include "tests/unit/test.h"

#include <string.h>

#include "server/http/negotiate.h"

#define TEXT "text/plain; version=0.0.4; charset=utf-8"
#define OPEN "application/openmetrics-text; version=1.0.0; charset=utf-8"

/* What clients send, word for word. */
#define PROMETHEUS_2_30                                                                \
    "application/openmetrics-text; version=0.0.1,text/plain;version=0.0.4;q=0.5,"      \
    "*/*;q=0.1"
#define PROMETHEUS_2_42                                                                \
    "application/openmetrics-text;version=1.0.0,"                                      \
    "application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;"      \
    "q=0.5,*/*;q=0.1"
#define PROMETHEUS_2_53                                                                \
    "application/openmetrics-text;version=1.0.0;q=0.5,"                                \
    "application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3," \
    "*/*;q=0.2"
#define PROMETHEUS_3_3                                                                 \
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"           \
    "application/openmetrics-text;version=0.0.1;escaping=allow-utf-8;q=0.5,"           \
    "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,"                             \
    "text/plain;version=0.0.4;escaping=allow-utf-8;q=0.3,*/*;q=0.2"
#define PROMETHEUS_3_11                                                                \
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"           \
    "application/openmetrics-text;version=0.0.1;q=0.5,"                                \
    "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,"                             \
    "text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
#define PROMETHEUS_3_14                                                                \
    "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.6,"                             \
    "text/plain;version=0.0.4;q=0.5,"                                                  \
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.4,*/*;q=0.3"
#define PROMETHEUS_3_PROTOBUF                                                          \
    "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;"         \
    "encoding=delimited;q=0.6,"                                                        \
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,"           \
    "application/openmetrics-text;version=0.0.1;q=0.4,"                                \
    "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,"                             \
    "text/plain;version=0.0.4;q=0.2,*/*;q=0.1"
#define PROMETHEUS_1                                                                   \
    "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;"         \
    "encoding=delimited;q=0.7,text/plain;version=0.0.4;q=0.3,*/*;q=0.1"
#define TELEGRAF                                                                       \
    "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;"         \
    "encoding=delimited;q=0.7,text/plain;version=0.0.4;q=0.3"
#define VICTORIA_METRICS "text/plain;version=0.0.4;q=1,*/*;q=0.1"
#define CHROMIUM                                                                       \
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,"     \
    "image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7"
#define JAVA "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2"

struct format_case {
    const char *accept, *type;
};

static void check_formats(const struct format_case cases[], size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct format f = negotiate_format(view_of(cases[i].accept));

        if (strcmp(format_content_type(f), cases[i].type) != 0)
            fail_msg("Accept: %s\ngives %s",
                     cases[i].accept ? cases[i].accept : "(none)",
                     format_content_type(f));
    }
}

#define CHECK(cases) check_formats((cases), sizeof(cases) / sizeof((cases)[0]))

static void every_known_client_gets_what_it_likes_best(void **state)
{
    static const struct format_case cases[] = {
        { PROMETHEUS_1, TEXT },
        { PROMETHEUS_2_30, TEXT }, /* knows 0.0.1 only */
        { PROMETHEUS_2_42, OPEN },
        { PROMETHEUS_2_53, OPEN },
        { PROMETHEUS_3_3, OPEN "; escaping=allow-utf-8" },
        { PROMETHEUS_3_11, OPEN "; escaping=allow-utf-8" },
        { PROMETHEUS_3_PROTOBUF, OPEN "; escaping=allow-utf-8" },
        { PROMETHEUS_3_14, TEXT },
        { TELEGRAF, TEXT },
        { VICTORIA_METRICS, TEXT },
        { CHROMIUM, TEXT },
        { JAVA, TEXT },
        { "*/*", TEXT }, /* curl, Python's requests */
        { NULL, TEXT },  /* Go's client, Python's urllib */
        { "", TEXT },
    };

    (void)state;
    CHECK(cases);
}

static void ranges_name_formats_with_their_versions(void **state)
{
    static const struct format_case cases[] = {
        { "application/openmetrics-text", OPEN },
        { "application/openmetrics-text; version=1.0.0", OPEN },
        { "application/openmetrics-text; version=\"1.0.0\"; charset=utf-8", OPEN },
        { "APPLICATION/OpenMetrics-Text ; Version=1.0.0 ; Q=1", OPEN },
        { "application/openmetrics-text;version=0.0.1", TEXT },
        { "application/openmetrics-text;version=2.0.0", TEXT },
        { "application/openmetrics-textual", TEXT },
        { "application/*", OPEN },
        { "text/plain", TEXT },
        { "text/*", TEXT },
        { "text/plain;version=0.0.4", TEXT },
        /* of no text version but 0.0.4 is anything known */
        { "text/plain;version=1.0.0, application/openmetrics-text;q=0.1", OPEN },
        { "text/plain;version=0.0.4, application/openmetrics-text;q=0.1", TEXT },
        { "text/plain, application/openmetrics-text;q=0.1", TEXT },
        { "text/*, application/openmetrics-text;q=0.1", TEXT },
        { "text/html, application/json", TEXT }, /* neither: text all the same */
    };

    (void)state;
    CHECK(cases);
}

static void the_greater_weight_wins_and_then_the_exacter_name(void **state)
{
    static const struct format_case cases[] = {
        { "application/openmetrics-text;q=0.5, text/plain;q=0.4", OPEN },
        { "application/openmetrics-text;q=0.4, text/plain;q=0.5", TEXT },
        { "text/plain;q=0.999,application/openmetrics-text", OPEN },
        { "text/plain;q=1.000,application/openmetrics-text;q=0.999", TEXT },
        { "text/plain, application/openmetrics-text", OPEN },
        { "text/plain;version=0.0.4, application/openmetrics-text", TEXT },
        { "text/plain;version=0.0.4, application/openmetrics-text;version=1.0.0",
          OPEN },
        { "*/*, application/openmetrics-text", OPEN },
        { "text/*, application/*", TEXT },
        { "*/*, application/*", TEXT }, /* not named */
        { "*/*;q=0.5, application/*", OPEN },
        /* the more specific range speaks for its format, whatever its weight */
        { "application/openmetrics-text;q=0.1, */*", TEXT },
        { "application/openmetrics-text;version=1.0.0;q=0.1,"
          "application/openmetrics-text,text/plain;q=0.5",
          TEXT },
        { "text/plain;q=0.1, text/*, application/openmetrics-text;q=0.5", OPEN },
    };

    (void)state;
    CHECK(cases);
}

static void weight_zero_excludes(void **state)
{
    static const struct format_case cases[] = {
        { "application/openmetrics-text;q=0, */*", TEXT },
        { "text/plain;q=0, */*", OPEN },
        { "text/*;q=0.000, */*;q=0.001", OPEN },
        { "application/openmetrics-text;q=0", TEXT },
        { "text/plain;q=0", TEXT }, /* nothing is left: text all the same */
        { "*/*;q=0", TEXT },
        { "text/plain;q=0, application/openmetrics-text;q=0.0", TEXT },
    };

    (void)state;
    CHECK(cases);
}

static void escaping_is_confirmed_if_it_is_known(void **state)
{
    static const struct format_case cases[] = {
        { "application/openmetrics-text;escaping=underscores",
          OPEN "; escaping=underscores" },
        { "application/openmetrics-text;escaping=dots", OPEN "; escaping=dots" },
        { "application/openmetrics-text;escaping=\"values\"",
          OPEN "; escaping=values" },
        { "application/openmetrics-text; Escaping = Allow-UTF-8",
          OPEN "; escaping=allow-utf-8" },
        { "application/openmetrics-text;escaping=allow-utf8", OPEN },
        { "application/openmetrics-text;escaping=", OPEN },
        { "application/openmetrics-text;escaping", OPEN },
        { "text/plain;version=0.0.4;escaping=dots", TEXT "; escaping=dots" },
        { "text/plain;escaping=values", TEXT "; escaping=values" },
        { "text/plain;escaping=underscores;q=0.5", TEXT "; escaping=underscores" },
        /* only that of the range that is answered */
        { "text/plain;version=1.0.0;escaping=dots, text/plain", TEXT },
    };

    (void)state;
    CHECK(cases);
}

static void what_cannot_be_read_is_passed_over(void **state)
{
    static const struct format_case cases[] = {
        { ",;,;;=, application/openmetrics-text", OPEN },
        { "application/openmetrics-text;q=", TEXT },
        { "application/openmetrics-text;q=x, text/plain;q=0.1", TEXT },
        { "application/openmetrics-text;q=1.1", TEXT },
        { "application/openmetrics-text;q=2", TEXT },
        { "application/openmetrics-text;q=-1", TEXT },
        { "application/openmetrics-text;q=.", TEXT },
        { "application/openmetrics-text;q=1x", TEXT },
        { "application/openmetrics-text;q=0,", TEXT },
        { "application/openmetrics-text;q=.5", OPEN },
        { "application/openmetrics-text;q=1.", OPEN },
        { "application/openmetrics-text;q=0.3333333333, text/plain;q=0.3", OPEN },
        { "application/openmetrics-text;;version=1.0.0;", OPEN },
        { "application/openmetrics-text;x=\"a,b;q=0\"", OPEN },
        { "application/openmetrics-text;x=\"a\\\";q=0\"", OPEN },
        { "application/openmetrics-text;x=\"a,text/plain", OPEN },
        { "application/openmetrics-text;x=\"\\", OPEN },
    };

    (void)state;
    CHECK(cases);
}

static void gzip_is(bool want, const char *accept_encoding)
{
    if (negotiate_gzip(view_of(accept_encoding)) != want)
        fail_msg("Accept-Encoding: %s", accept_encoding ? accept_encoding : "(none)");
}

static void gzip_is_sent_to_those_who_take_it(void **state)
{
    (void)state;
    gzip_is(true, "gzip");                    /* Prometheus, VictoriaMetrics, Go */
    gzip_is(true, "deflate, gzip, br, zstd"); /* curl --compressed, Chromium */
    gzip_is(true, "gzip, deflate");
    gzip_is(true, "GZIP");
    gzip_is(true, "x-gzip");
    gzip_is(true, "*");
    gzip_is(true, "gzip;q=0.001");
    gzip_is(true, "gzip;q=0.5, *;q=0");
    gzip_is(true, "gzip;q=1.0, identity; q=0.5, *;q=0");
    gzip_is(true, "identity, gzip");
    gzip_is(true, "identity;q=0, *");
    gzip_is(true, "br;q=1, gzip;q=0.8, *;q=0.1");

    gzip_is(false, NULL);
    gzip_is(false, "");
    gzip_is(false, "identity"); /* Python's urllib */
    gzip_is(false, "deflate, br");
    gzip_is(false, "gzip;q=0");
    gzip_is(false, "gzip;q=0, *");
    gzip_is(false, "*;q=0");
    gzip_is(false, "identity;q=0"); /* nothing is left: identity all the same */
    gzip_is(false, "identity, gzip;q=0.5");
    gzip_is(false, "gzip;q=0.5, *");
    gzip_is(false, "gzip;q=x");
    gzip_is(false, "gzipped");
    gzip_is(false, "x gzip");
}

static const struct format text = { false, ESCAPING_UNSAID };
static const struct format openmetrics = { true, ESCAPING_UNSAID };
static const struct format utf8 = { true, ESCAPING_ALLOW_UTF_8 };

static void tags_differ_in_all_they_are_made_of(void **state)
{
    static const uint64_t one[] = { 1, 2 }, other[] = { 1, 3 }, turned[] = { 2, 1 };
    char tags[9][ETAG_MAX], again[ETAG_MAX];

    (void)state;
    etag_make(tags[0], 7, one, 2, text, false);
    etag_make(tags[1], 8, one, 2, text, false);
    etag_make(tags[2], 7, other, 2, text, false);
    etag_make(tags[3], 7, turned, 2, text, false);
    etag_make(tags[4], 7, one, 1, text, false);
    etag_make(tags[5], 7, one, 2, text, true);
    etag_make(tags[6], 7, one, 2, openmetrics, false);
    etag_make(tags[7], 7, one, 2, utf8, false);
    etag_make(tags[8], 7, one, 0, text, false);
    for (size_t i = 0; i < 9; i++) {
        size_t n = strlen(tags[i]);

        /* quotes around 32 digits and the variant */
        assert_int_equal(n, 38);
        assert_int_equal(tags[i][0], '"');
        assert_int_equal(tags[i][n - 1], '"');
        assert_int_equal(strspn(tags[i] + 1, "0123456789abcdef"), 32);
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(tags[i], tags[k]);
    }
    etag_make(again, 7, one, 2, text, false);
    assert_string_equal(again, tags[0]);
    assert_string_equal(tags[0] + 33, "-t0i\"");
    assert_string_equal(tags[5] + 33, "-t0g\"");
    assert_string_equal(tags[7] + 33, "-o1i\"");
}

static void listed(bool want, const char *list)
{
    if (etag_listed(view_of(list), VIEW("\"a1\"")) != want)
        fail_msg("If-None-Match: %s", list ? list : "(none)");
}

static void a_tag_is_found_in_lists(void **state)
{
    (void)state;
    listed(true, "\"a1\"");
    listed(true, "W/\"a1\""); /* a proxy that compressed it says so */
    listed(true, "*");
    listed(true, " * ");
    listed(true, "\"x\", \"a1\"");
    listed(true, "\"x\",W/\"a1\",\"y\"");
    listed(true, ", ,\t\"a1\" ,");
    listed(true, "\"x,y\", \"a1\"");
    listed(true, "\"x\\\", \"a1\""); /* a backslash escapes nothing here */

    listed(false, NULL);
    listed(false, "");
    listed(false, ",");
    listed(false, "\"a\"");
    listed(false, "\"a12\"");
    listed(false, "a1");
    listed(false, "\"A1\"");
    listed(false, "\"x\", *");
    listed(false, "\"a1");
    listed(false, "\"");
    listed(false, "W/");
    listed(false, "w/\"a1\"");
    listed(false, "\", \"a1\"");
    listed(false, "x \"a1\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_known_client_gets_what_it_likes_best),
        cmocka_unit_test(ranges_name_formats_with_their_versions),
        cmocka_unit_test(the_greater_weight_wins_and_then_the_exacter_name),
        cmocka_unit_test(weight_zero_excludes),
        cmocka_unit_test(escaping_is_confirmed_if_it_is_known),
        cmocka_unit_test(what_cannot_be_read_is_passed_over),
        cmocka_unit_test(gzip_is_sent_to_those_who_take_it),
        cmocka_unit_test(tags_differ_in_all_they_are_made_of),
        cmocka_unit_test(a_tag_is_found_in_lists),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
