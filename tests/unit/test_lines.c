#include "core/lines.h"

#include "tests/unit/test.h"

/* What l says to the bytes: lines between brackets, "!" before one after a gap, "~" for one
 * that was too long. */
static void assert_says(struct lines *l, struct view bytes, const char *want)
{
    struct buf said = { 0 };
    enum lines_what what;
    struct view line;

    while ((what = lines_next(l, &bytes, &line)) != LINES_NONE) {
        if (what == LINES_OVER) {
            buf_char(&said, '~');
            continue;
        }
        buf_str(&said, what == LINES_CUT ? "![" : "[");
        buf_view(&said, line);
        buf_char(&said, ']');
    }
    assert_view(buf_as_view(&said), want);
    assert_int_equal(bytes.n, 0);
    buf_deinit(&said);
}

/* The same however the bytes are cut. */
static void assert_lines(struct view text, const char *want)
{
    for (size_t cut = 0; cut <= text.n; cut++) {
        struct buf said = { 0 };
        struct lines l;

        lines_init(&l, 8);
        for (int i = 0; i < 2; i++) {
            struct view piece = i ? view_skip(text, cut) : (struct view){ text.p, cut };
            enum lines_what what;
            struct view line;

            while ((what = lines_next(&l, &piece, &line)) != LINES_NONE) {
                buf_str(&said, what == LINES_OVER  ? "~"
                               : what == LINES_CUT ? "!["
                                                   : "[");
                if (what != LINES_OVER) {
                    buf_view(&said, line);
                    buf_char(&said, ']');
                }
            }
        }
        assert_view(buf_as_view(&said), want);
        buf_deinit(&said);
        lines_deinit(&l);
    }
}

static void a_line_is_given_when_its_end_came(void **state)
{
    struct lines l;

    (void)state;
    lines_init(&l, 8);
    assert_says(&l, VIEW("one\ntw"), "[one]");
    assert_says(&l, VIEW(""), "");
    assert_says(&l, VIEW("o\n"), "[two]");
    assert_int_equal(l.number, 2);
    assert_says(&l, VIEW("half"), "");
    lines_restart(&l);
    assert_says(&l, VIEW("new\n"), "[new]");
    assert_int_equal(l.number, 1);
    lines_deinit(&l);
}

static void how_the_bytes_are_cut_makes_no_difference(void **state)
{
    (void)state;
    assert_lines(VIEW("a\n\nbb\r\nccc"), "[a][][bb]");
    assert_lines(VIEW("12345678\n123456789\nx\n"), "[12345678]~[x]");
    assert_lines(VIEW("123456789012345678901234567890"), "");
}

static void nul_bytes_are_a_gap_and_not_part_of_a_line(void **state)
{
    (void)state;
    assert_lines(VIEW("\0\0\0\0\0\0\0\0\0\0\0\0\0\0a=1\nb\n"), "[a=1][b]");
    assert_lines(VIEW("old\0\0\0a=1\nb\n"), "![a=1][b]");
    assert_lines(VIEW("123456789012\0\0\0a=1\nb\n"), "![a=1][b]");
    assert_lines(VIEW("\0\0\n"), "[]");
    assert_lines(VIEW("x\0y\0z\nb\n"), "![z][b]");
    assert_lines(VIEW("x\0"
                      "123456789\nb\n"),
                 "~[b]");
}

static void an_empty_line_is_not_nothing(void **state)
{
    struct view bytes = VIEW("\0\n"), line = { NULL, 0 }, part;
    struct lines l;

    (void)state;
    lines_init(&l, 8);
    assert_int_equal(lines_next(&l, &bytes, &line), LINES_LINE);
    assert_int_equal(line.n, 0);
    assert_true(view_split(&line, ',', &part));
    lines_deinit(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_given_when_its_end_came),
        cmocka_unit_test(how_the_bytes_are_cut_makes_no_difference),
        cmocka_unit_test(nul_bytes_are_a_gap_and_not_part_of_a_line),
        cmocka_unit_test(an_empty_line_is_not_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
