#include "tests/unit/test.h"

static void views_compare_as_bytes_and_a_prefix_comes_first(void **state)
{
    (void)state;
    assert_true(view_cmp(VIEW("a"), VIEW("b")) < 0);
    assert_true(view_cmp(VIEW("ab"), VIEW("a")) > 0);
    assert_true(view_cmp(VIEW("\xff"), VIEW("a")) > 0);
    assert_int_equal(view_cmp(VIEW("ab"), VIEW("ab")), 0);
    assert_int_equal(view_cmp(VIEW(""), (struct view){ NULL, 0 }), 0);
}

static void search_ignores_ascii_case(void **state)
{
    (void)state;
    assert_true(view_has_nocase(VIEW("The BaseLine run"), VIEW("baseline")));
    assert_true(view_has_nocase(VIEW("idle"), VIEW("idle")));
    assert_false(view_has_nocase(VIEW("idl"), VIEW("idle")));
    assert_false(view_has_nocase(VIEW(""), VIEW("idle")));
    assert_true(view_eq_nocase(VIEW("N/A"), VIEW("n/a")));
}

static void split_yields_empty_parts_and_ends(void **state)
{
    struct view rest = VIEW("a,,b,"), part;

    (void)state;
    assert_true(view_split(&rest, ',', &part));
    assert_view(part, "a");
    assert_true(view_split(&rest, ',', &part));
    assert_view(part, "");
    assert_true(view_split(&rest, ',', &part));
    assert_view(part, "b");
    assert_true(view_split(&rest, ',', &part));
    assert_view(part, "");
    assert_false(view_split(&rest, ',', &part));
}

static void trim_takes_blanks_from_both_ends(void **state)
{
    (void)state;
    assert_view(view_trim(VIEW(" \t a b\r\n")), "a b");
    assert_view(view_trim(VIEW("  ")), "");
    assert_true(view_starts(VIEW("--x"), VIEW("--")));
    assert_false(view_starts(VIEW("-"), VIEW("--")));
    assert_true(view_ends(VIEW("a.json"), VIEW(".json")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(views_compare_as_bytes_and_a_prefix_comes_first),
        cmocka_unit_test(search_ignores_ascii_case),
        cmocka_unit_test(split_yields_empty_parts_and_ends),
        cmocka_unit_test(trim_takes_blanks_from_both_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
