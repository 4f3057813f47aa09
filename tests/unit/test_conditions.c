#include "core/conditions.h"

#include "tests/unit/module_host.h"

static struct view encode_of(const struct scenario *s, struct buf *text)
{
    buf_release(text);
    conditions_add_scores(text, s);
    conditions_add_encode(text, s);
    return buf_as_view(text);
}

static void nothing_given_is_an_empty_text(void **state)
{
    const struct scenario s = unknown_scenario("a");
    struct buf text = { 0 };

    (void)state;
    assert_int_equal(encode_of(&s, &text).n, 0);
    buf_deinit(&text);
}

static void all_that_is_given_in_one_order(void **state)
{
    const struct param params[] = { { VIEW("tune"), VIEW("film") },
                                    { VIEW("gop"), VIEW("48") },
                                    { VIEW("empty"), VIEW("") } };
    struct scenario s = unknown_scenario("a");
    struct buf text = { 0 };

    (void)state;
    s.params = params;
    s.param_count = 3;
    s.vmaf_model = VIEW("vmaf_v0.6.1");
    s.transfer = VIEW("sdr");
    s.facts.vmaf_width = 1920;
    s.facts.vmaf_height = 1080;
    s.facts.passes = 2;
    s.facts.crf = 23;
    assert_view(encode_of(&s, &text),
                "transfer=sdr,vmaf_model=vmaf_v0.6.1,vmaf_width=1920,vmaf_height=1080,"
                "passes=2,gop=48,tune=film,rate_control=crf");
    s.rate_control = VIEW("VBR");
    assert_false(conditions_by_quality(&s));
    s.rate_control = VIEW("crf");
    assert_true(conditions_by_quality(&s));
    buf_deinit(&text);
}

static void ceilings_go_with_the_rate(void **state)
{
    const struct param params[] = { { VIEW("maxrate"), VIEW("3M") },
                                    { VIEW("bufsize"), VIEW("4M") },
                                    { VIEW("minrate"), VIEW("1M") } };
    struct scenario s = unknown_scenario("a");
    struct buf text = { 0 };

    (void)state;
    s.params = params;
    s.param_count = 3;
    assert_int_equal(encode_of(&s, &text).n, 0);
    buf_deinit(&text);
}

static void long_texts_are_cut_and_still_differ(void **state)
{
    char a[300], b[300];
    struct param params[] = { { VIEW("x"), { a, sizeof a } } };
    struct scenario s = unknown_scenario("a");
    struct buf one = { 0 }, other = { 0 };

    (void)state;
    memset(a, 'a', sizeof a);
    memset(b, 'a', sizeof b);
    b[299] = 'b';
    s.params = params;
    s.param_count = 1;
    assert_int_equal(encode_of(&s, &one).n, 200);
    params[0].value.p = b;
    assert_int_equal(encode_of(&s, &other).n, 200);
    assert_false(view_eq(buf_as_view(&one), buf_as_view(&other)));
    buf_deinit(&one);
    buf_deinit(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_given_is_an_empty_text),
        cmocka_unit_test(all_that_is_given_in_one_order),
        cmocka_unit_test(ceilings_go_with_the_rate),
        cmocka_unit_test(long_texts_are_cut_and_still_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
