#include "tests/unit/test.h"

#include "core/buf.h"
#include "core/utf8.h"
#include "server/log.h"

#include <unistd.h>

/* The one line that log_line() writes about this value, behind its time. */
static struct buf line_of(bool json, const char *value)
{
    int ends[2], before = dup(STDERR_FILENO);
    struct buf line = { 0 };
    char bytes[4096];
    ssize_t n;

    assert_true(before >= 0);
    assert_int_equal(pipe(ends), 0);
    dup2(ends[1], STDERR_FILENO);
    log_configure(LOG_INFO, json);
    log_line(LOG_WARN, "m", "k", value, NULL);
    dup2(before, STDERR_FILENO);
    close(before);
    close(ends[1]);
    n = read(ends[0], bytes, sizeof bytes);
    close(ends[0]);
    assert_true(n > 0 && bytes[n - 1] == '\n');

    const char *level = strstr(bytes, json ? "\"level\"" : "level=");

    assert_non_null(level);
    buf_add(&line, level, (size_t)(bytes + n - 1 - level));
    return line;
}

static void assert_logged(const char *value, const char *due)
{
    static const struct view front[] = {
        VIEW("level=warn msg=m k="), VIEW("\"level\":\"warn\",\"msg\":\"m\",\"k\":")
    };
    struct view want = view_of(due);

    for (int json = 0; json < 2; json++) {
        struct buf line = line_of(json, value);
        struct view rest = buf_as_view(&line);

        assert_true(view_starts(rest, front[json]));
        rest = view_skip(rest, front[json].n);
        if (json && due[0] != '"') { /* JSON has quotes in any case */
            assert_int_equal(rest.n, want.n + 3);
            assert_true(view_eq((struct view){ rest.p + 1, want.n }, want));
        } else if (!view_eq((struct view){ rest.p, want.n }, want)) {
            fail_msg("due %s, came %.*s", due, VIEW_ARG(rest));
        } else {
            assert_int_equal(rest.n, want.n + (size_t)json);
        }
        buf_deinit(&line);
    }
}

static void plain_values_stand_as_they_are(void **state)
{
    (void)state;
    assert_logged("test_results_1.json", "test_results_1.json");
    assert_logged("a b", "\"a b\"");
    assert_logged("", "\"\"");
    assert_logged("a\"b\\c", "\"a\\\"b\\\\c\"");
    /* text of any script, a joiner within it, and what lies beyond 16 bits */
    assert_logged("zażółć 雪 नि\xE2\x80\x8Dन \xF0\x9F\x8E\xAC",
                  "\"zażółć 雪 नि\xE2\x80\x8Dन \xF0\x9F\x8E\xAC\"");
}

static void nothing_in_a_value_acts_on_a_terminal(void **state)
{
    (void)state;
    assert_logged("a\nlevel=error b\tc\r\x1b[2J\x07\x7f",
                  "\"a\\nlevel=error b\\tc\\u000d\\u001b[2J\\u0007\\u007f\"");
    /* U+0080, U+009B, U+009F are C1 controls, U+00A0 is a blank */
    assert_logged("\xC2\x80\xC2\x9B\xC2\x9F\xC2\xA0",
                  "\"\\u0080\\u009b\\u009f\xC2\xA0\"");
}

static void nothing_in_a_value_turns_its_direction(void **state)
{
    struct buf all = { 0 }, due = { 0 };

    (void)state;
    /* Unicode's Bidi_Control, and the separators of lines and paragraphs */
    static const unsigned codes[] = { 0x61c,  0x200e, 0x200f, 0x2028, 0x2029,
                                      0x202a, 0x202b, 0x202c, 0x202d, 0x202e,
                                      0x2066, 0x2067, 0x2068, 0x2069 };

    buf_char(&due, '"');
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        char to[4];

        buf_add(&all, to, utf8_put(to, codes[i]));
        buf_fmt(&due, "\\u%04x", codes[i]);
    }
    buf_str(&due, "\"");
    buf_char(&all, '\0');
    buf_char(&due, '\0');
    assert_logged(all.p, due.p);
    /* Their neighbours do not. */
    assert_logged("\xE2\x80\x8D\xE2\x80\xA7\xE2\x80\xAF\xE2\x81\xA5\xE2\x81\xAA",
                  "\"\xE2\x80\x8D\xE2\x80\xA7\xE2\x80\xAF\xE2\x81\xA5\xE2\x81\xAA\"");
    buf_deinit(&all);
    buf_deinit(&due);
}

static void values_that_are_no_utf8_are_repaired(void **state)
{
    (void)state;
    assert_logged("a\xFF\x9B\xE2\x80", "\"a\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_values_stand_as_they_are),
        cmocka_unit_test(nothing_in_a_value_acts_on_a_terminal),
        cmocka_unit_test(nothing_in_a_value_turns_its_direction),
        cmocka_unit_test(values_that_are_no_utf8_are_repaired),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
