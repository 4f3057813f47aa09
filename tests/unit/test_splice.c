#include "tests/unit/test.h"

#include "server/record/splice.h"

#include <errno.h>
#include <string.h>

static int splice(const char *text, const char *entry, struct buf *out, struct err *e)
{
    return splice_entry(view_of(text), view_of(entry), VIEW("host/7"),
                        VIEW("recording"), out, e);
}

static void becomes(const char *text, const char *entry, const char *want)
{
    struct buf out = { 0 };
    struct err e = { 0 };

    assert_int_equal(splice(text, entry, &out, &e), 0);
    assert_view(buf_as_view(&out), want);
    buf_deinit(&out);
}

static void refused(const char *text, int code)
{
    struct buf out = { 0 };
    struct err e = { 0 };

    assert_int_equal(splice(text, "{}", &out, &e), code);
    assert_int_equal(out.n, 0);
    assert_true(e.text[0]);
    buf_deinit(&out);
}

static void an_entry_comes_behind_the_last(void **state)
{
    (void)state;
    becomes("", "{\"a\": 1}", "{\"scenarios\": [\n{\"a\": 1}\n]}\n");
    becomes("{\"scenarios\": []}", "{\"a\": 1}", "{\"scenarios\": [\n{\"a\": 1}\n]}");
    becomes("[]", "{\"a\": 1}", "[\n{\"a\": 1}\n]");
    becomes(
        "{\n  \"x\" : [1, [2]],\n \"scenarios\": [ {\"b\" : 2 }\n ],\n \"y\": {}}\n",
        "{\"a\": 1}",
        "{\n  \"x\" : [1, [2]],\n \"scenarios\": [ {\"b\" : 2 },\n{\"a\": 1}\n ],\n "
        "\"y\": {}}\n");
    becomes("\xEF\xBB\xBF[1]", "{}", "\xEF\xBB\xBF[1,\n{}]");
}

static void of_two_lists_the_last_counts(void **state)
{
    (void)state;
    becomes("{\"scenarios\": [1], \"scenarios\": []}", "{}",
            "{\"scenarios\": [1], \"scenarios\": [\n{}\n]}");
}

static void its_own_entry_is_replaced_where_it_stands(void **state)
{
    (void)state;
    becomes("[{\"n\": 1}, {\"recording\": {\"by\": \"host/7\"}, \"n\": 2}, {\"n\": 3}]",
            "{\"n\": 4}", "[{\"n\": 1}, {\"n\": 4}, {\"n\": 3}]");
}

static void what_others_added_to_it_stays(void **state)
{
    (void)state;
    becomes(
        "[{\"n\": 1, \"vmaf\" : [1, 2], \"recording\": \"host/7\", \"q\\\"\": \"x\"}]",
        "{\"n\": 4, \"m\": 5}",
        "[{\"n\": 4, \"m\": 5, \"vmaf\" : [1, 2], \"q\\\"\": \"x\"}]");
}

static void what_is_no_results_file_is_left(void **state)
{
    (void)state;
    refused("{\"scenarios\": [", -EINVAL);
    refused("{\"scenarios\": [{\"a\": }]}", -EINVAL);
    refused("hello", -EINVAL);
    refused("  ", -EINVAL);
    refused("{}", -EPROTO);
    refused("{\"scenarios\": {}}", -EPROTO);
    refused("3", -EPROTO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_entry_comes_behind_the_last),
        cmocka_unit_test(of_two_lists_the_last_counts),
        cmocka_unit_test(its_own_entry_is_replaced_where_it_stands),
        cmocka_unit_test(what_others_added_to_it_stays),
        cmocka_unit_test(what_is_no_results_file_is_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
