#include "core/utf8.h"

#include "tests/unit/test.h"

static void assert_repaired(struct view from, const char *want)
{
    struct buf b = { 0 };

    utf8_repair(from, &b);
    assert_view(buf_as_view(&b), want);
    assert_true(utf8_valid(buf_as_view(&b)));
    assert_int_equal(utf8_valid(from), view_eq(from, buf_as_view(&b)));
    buf_deinit(&b);
}

static void characters_of_every_length_are_well_formed(void **state)
{
    (void)state;
    /* U+7F, U+80, U+7FF, U+800, U+D7FF, U+E000, U+FFFF, U+10000, U+10FFFF */
    assert_true(utf8_valid(VIEW("")));
    assert_true(
        utf8_valid(VIEW("a\x7F\xC2\x80\xDF\xBF\xE0\xA0\x80\xED\x9F\xBF\xEE\x80\x80"
                        "\xEF\xBF\xBF\xF0\x90\x80\x80\xF4\x8F\xBF\xBF")));
    assert_true(utf8_valid(VIEW("long enough for the quick way through plain text")));
}

static void what_unicode_forbids_is_refused(void **state)
{
    (void)state;
    const struct view bad[] = {
        VIEW("\x80"),             /* continues nothing */
        VIEW("\xC0\x80"),         /* U+0 in two bytes */
        VIEW("\xC1\xBF"),         /* U+7F in two bytes */
        VIEW("\xE0\x9F\xBF"),     /* U+7FF in three */
        VIEW("\xED\xA0\x80"),     /* U+D800 */
        VIEW("\xF0\x8F\xBF\xBF"), /* U+FFFF in four */
        VIEW("\xF4\x90\x80\x80"), /* U+110000 */
        VIEW("\xF5\x80\x80\x80"),
        VIEW("\xFF"),
        VIEW("\xC3"),
        VIEW("\xE2\x82"),
    };

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(utf8_valid(bad[i]));
        assert_int_equal(utf8_prefix(bad[i]), 0);
    }
    assert_int_equal(utf8_prefix(VIEW("twelve bytes\xFF")), 12);
}

static void each_broken_off_beginning_becomes_one_replacement(void **state)
{
    (void)state;
    /* E2 82 begins a character of three bytes, F0 9F 98 one of four. */
    assert_repaired(VIEW("a\xE2\x82z"), "a\xEF\xBF\xBDz");
    assert_repaired(VIEW("\xF0\x9F\x98"), "\xEF\xBF\xBD");
    assert_repaired(VIEW("\xC3\""), "\xEF\xBF\xBD\"");
    assert_repaired(VIEW("gr\xFC\xDF"), "gr\xEF\xBF\xBD\xEF\xBF\xBD");
}

static void each_other_byte_becomes_one_replacement(void **state)
{
    (void)state;
    /* ED A0 80 begins nothing: after ED only 80 … 9F may follow. */
    assert_repaired(VIEW("\xED\xA0\x80"), "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
    assert_repaired(VIEW("\xC0\x80"), "\xEF\xBF\xBD\xEF\xBF\xBD");
    assert_repaired(VIEW("\xFF\xFE ok"), "\xEF\xBF\xBD\xEF\xBF\xBD ok");
}

static void good_text_is_repaired_to_itself(void **state)
{
    (void)state;
    assert_repaired(VIEW(""), "");
    assert_repaired(VIEW("\xE6\x98\xA0\xE7\x94\xBB and \xF0\x9F\x98\x80"),
                    "\xE6\x98\xA0\xE7\x94\xBB and \xF0\x9F\x98\x80");
}

static void a_cut_splits_no_character(void **state)
{
    (void)state;
    struct view v = VIEW("a\xC3\xBC\xF0\x9F\x98\x80"); /* 1 + 2 + 4 bytes */

    assert_view(utf8_cut(v, 7), "a\xC3\xBC\xF0\x9F\x98\x80");
    assert_view(utf8_cut(v, 6), "a\xC3\xBC");
    assert_view(utf8_cut(v, 3), "a\xC3\xBC");
    assert_view(utf8_cut(v, 2), "a");
    assert_view(utf8_cut(v, 0), "");
}

static void code_points_are_read_and_written_in_one_to_four_bytes(void **state)
{
    (void)state;
    const struct {
        unsigned long code;
        const char *want;
    } all[] = { { 'A', "A" },
                { 0xFC, "\xC3\xBC" },
                { 0x20AC, "\xE2\x82\xAC" },
                { 0x1F600, "\xF0\x9F\x98\x80" } };

    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        char to[4];

        assert_view(((struct view){ to, utf8_put(to, all[i].code) }), all[i].want);

        size_t n;

        assert_int_equal(utf8_get(view_of(all[i].want), &n), all[i].code);
        assert_int_equal(n, strlen(all[i].want));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(characters_of_every_length_are_well_formed),
        cmocka_unit_test(what_unicode_forbids_is_refused),
        cmocka_unit_test(each_broken_off_beginning_becomes_one_replacement),
        cmocka_unit_test(each_other_byte_becomes_one_replacement),
        cmocka_unit_test(good_text_is_repaired_to_itself),
        cmocka_unit_test(a_cut_splits_no_character),
        cmocka_unit_test(code_points_are_read_and_written_in_one_to_four_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
