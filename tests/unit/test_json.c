#include "core/json.h"
#include "core/mem.h"

#include "tests/unit/test.h"

#include <errno.h>
#include <stdlib.h>

struct fixture {
    struct json_parser *p;
    struct arena mem;
    struct err e;
    char *text; /* of the last split */
};

static int set_up(void **state)
{
    struct fixture *f = mem_zalloc(sizeof *f);

    f->p = json_parser_new();
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    json_parser_free(f->p);
    arena_deinit(&f->mem);
    free(f->text);
    free(f);
    return 0;
}

static const struct json_value *parsed(struct fixture *f, struct view text)
{
    const struct json_value *v = NULL;

    f->e = (struct err){ 0 };
    if (json_parse(f->p, text, &f->mem, &v, &f->e) < 0)
        fail_msg("refused: %s", f->e.text);
    return v;
}

static void assert_refused(struct fixture *f, struct view text, int code,
                           const char *reason)
{
    const struct json_value *v = NULL;

    f->e = (struct err){ 0 };
    assert_int_equal(json_parse(f->p, text, &f->mem, &v, &f->e), code);
    assert_null(v);
    assert_int_equal(f->e.code, code);
    assert_string_equal(f->e.text, reason);
}

static int split(struct fixture *f, struct view text, size_t max,
                 const struct json_parts **out)
{
    free(f->text);
    f->text = mem_alloc(text.n + JSON_PADDING);
    memcpy(f->text, text.p, text.n);
    memset(f->text + text.n, ']', JSON_PADDING); /* of no consequence */
    f->e = (struct err){ 0 };
    return json_split(f->p, (struct view){ f->text, text.n }, VIEW("list"), max, out,
                      &f->e);
}

static void scalars_have_their_types(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(parsed(f, VIEW("null"))->type, JSON_NULL);
    assert_true(parsed(f, VIEW(" true\n"))->boolean);
    assert_int_equal(parsed(f, VIEW("false"))->type, JSON_BOOL);
    assert_near(parsed(f, VIEW("-12.5e1"))->number, -125, 0);
    assert_view(json_text(parsed(f, VIEW("\"text\""))), "text");
    assert_int_equal(parsed(f, VIEW("[ ]"))->n, 0);
    assert_int_equal(parsed(f, VIEW("{}"))->type, JSON_OBJECT);
}

static void numbers_are_read_exactly(void **state)
{
    struct fixture *f = *state;

    assert_true(parsed(f, VIEW("0.1"))->number == 0.1);
    assert_true(parsed(f, VIEW("1766947958.1251214"))->number == 1766947958.1251214);
    assert_true(parsed(f, VIEW("9007199254740993"))->number == 9007199254740992.0);
    assert_true(parsed(f, VIEW("123456789012345678901234567890"))->number ==
                123456789012345678901234567890.0);
    assert_true(parsed(f, VIEW("5e-324"))->number == 5e-324);
    assert_true(parsed(f, VIEW("1.7976931348623157e308"))->number ==
                1.7976931348623157e308);
    assert_true(parsed(f, VIEW("0.000001"))->number == 0.000001);
    assert_true(signbit(parsed(f, VIEW("-0"))->number));
    /* Below the smallest double: 0 of its sign, as everywhere. */
    assert_true(parsed(f, VIEW("1e-999"))->number == 0);
    assert_true(signbit(parsed(f, VIEW("-0.00001e-400"))->number));
    assert_true(parsed(f, VIEW("0e99999999999999999999"))->number == 0);
}

static void what_no_double_holds_is_a_bad_value_and_no_fault(void **state)
{
    struct fixture *f = *state;
    const struct json_value *v =
        parsed(f, VIEW("[NaN, Infinity, -Infinity, 1e999, -1e999, 1]"));

    assert_int_equal(v->n, 6);
    for (int i = 0; i < 5; i++)
        assert_int_equal(v->items[i].type, JSON_BAD);
    assert_view(json_text(&v->items[0]), "NaN");
    assert_view(json_text(&v->items[2]), "-Infinity");
    assert_view(json_text(&v->items[3]), "1e999");
    assert_int_equal(v->items[3].offset, 27);
    assert_int_equal(v->items[5].type, JSON_NUMBER);
}

static void escapes_become_utf8(void **state)
{
    struct fixture *f = *state;
    const struct json_value *v = parsed(
        f, VIEW("\"q\\\"\\\\\\/\\b\\f\\n\\r\\t \\u00fC \\ud83d\\uDE00 \\u0000.\""));
    struct view want = VIEW("q\"\\/\b\f\n\r\t \xC3\xBC \xF0\x9F\x98\x80 \0.");

    assert_true(view_eq(json_text(v), want));
}

static void of_a_repeated_key_the_last_counts(void **state)
{
    struct fixture *f = *state;
    const struct json_value *v = parsed(f, VIEW("{\"a\":1,\"b\":2,\"\\u0061\":3}"));

    assert_int_equal(v->n, 3);
    assert_near(json_member(v, VIEW("a"))->number, 3, 0);
    assert_near(json_member(v, VIEW("b"))->number, 2, 0);
    assert_null(json_member(v, VIEW("c")));
    assert_null(json_member(json_member(v, VIEW("a")), VIEW("a")));
}

static void values_know_their_place(void **state)
{
    struct fixture *f = *state;
    const struct json_value *v = parsed(f, VIEW(" {\"a\": [1, {\"b\": null}]}"));

    assert_int_equal(v->offset, 1);
    assert_int_equal(v->members[0].value.offset, 7);
    assert_int_equal(v->members[0].value.items[1].offset, 11);
    assert_int_equal(v->members[0].value.items[1].members[0].value.offset, 17);
}

static void a_byte_order_mark_is_skipped(void **state)
{
    struct fixture *f = *state;

    assert_near(parsed(f, VIEW("\xEF\xBB\xBF[7]"))->items[0].number, 7, 0);
    assert_refused(f, VIEW("\xEF\xBB\xBF"), -EINVAL, "byte 3: empty");
}

static void refusals_name_byte_and_reason(void **state)
{
    struct fixture *f = *state;
    const struct {
        struct view text;
        const char *reason;
    } all[] = {
        { VIEW(""), "byte 0: empty" },
        { VIEW(" \n"), "byte 2: empty" },
        { VIEW("tru"), "byte 3: cut off" },
        { VIEW("trux"), "byte 0: a value is expected" },
        { VIEW("[1 2]"), "byte 3: ',' or ']' is expected" },
        { VIEW("[1,]"), "byte 3: a value is expected" },
        { VIEW("[1"), "byte 2: cut off" },
        { VIEW("{\"a\" 1}"), "byte 5: ':' is expected" },
        { VIEW("{\"a\":1,}"), "byte 7: a key in quotes is expected" },
        { VIEW("{a:1}"), "byte 1: a key in quotes is expected" },
        { VIEW("{\"a\":1]"), "byte 6: ',' or '}' is expected" },
        { VIEW("\"abc"), "byte 4: cut off" },
        { VIEW("\"a\nb\""), "byte 2: a control character inside a text" },
        { VIEW("\"a\\x\""), "byte 2: an escape that JSON does not know" },
        { VIEW("\"\\u12g4\""), "byte 5: four hex digits are expected" },
        { VIEW("01"), "byte 1: something follows the end of the document" },
        { VIEW("1."), "byte 2: cut off" },
        { VIEW("[1.]"), "byte 3: a digit is expected" },
        { VIEW("[-]"), "byte 2: a digit is expected" },
        { VIEW("[1e+]"), "byte 4: a digit is expected" },
        { VIEW("[.5]"), "byte 1: a value is expected" },
        { VIEW("[+5]"), "byte 1: a value is expected" },
        { VIEW("['a']"), "byte 1: a value is expected" },
        { VIEW("{} {}"), "byte 3: something follows the end of the document" },
        { VIEW("nul\0"), "byte 0: a value is expected" },
    };

    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        assert_refused(f, all[i].text, -EINVAL, all[i].reason);
}

static void depth_ends_at_64(void **state)
{
    struct fixture *f = *state;
    char text[131];

    memset(text, '[', 65);
    memset(text + 65, ']', 65);
    assert_int_equal(parsed(f, (struct view){ text + 1, 128 })->type, JSON_ARRAY);
    assert_refused(f, (struct view){ text, 130 }, -EINVAL,
                   "byte 64: nested too deeply");
}

static void brackets_inside_texts_are_no_depth(void **state)
{
    struct fixture *f = *state;
    char text[202] = "\"";

    memset(text + 1, '[', 200);
    text[201] = '"';
    assert_int_equal(parsed(f, (struct view){ text, 202 })->n, 200);
}

static void bytes_that_are_no_utf8_are_another_refusal(void **state)
{
    struct fixture *f = *state;

    assert_refused(f, VIEW("[\"a\xFF\"]"), -EILSEQ, "byte 3: not UTF-8");
    assert_refused(f, VIEW("[\"\\ud800\"]"), -EILSEQ,
                   "byte 2: half of a surrogate pair");
    assert_refused(f, VIEW("[\"\\udc00\\ud800\"]"), -EILSEQ,
                   "byte 2: half of a surrogate pair");
    /* What is no JSON besides is that first of all. */
    assert_refused(f, VIEW("[\"\xFF\""), -EINVAL, "byte 4: cut off");
}

static void trees_have_a_limit_of_values(void **state)
{
    struct fixture *f = *state;
    size_t n = 2 * (size_t)JSON_VALUES_MAX + 4;
    char *text = mem_alloc(n);
    const struct json_value *v;

    text[0] = '[';
    for (size_t i = 1; i + 1 < n; i += 2)
        memcpy(text + i, "1,", 2);
    memcpy(text + n - 3, "1 ]", 3);
    assert_int_equal(json_parse(f->p, (struct view){ text, n }, &f->mem, &v, &f->e),
                     -E2BIG);
    /* Only checked, there is none. */
    assert_int_equal(json_parse_piece(f->p, (struct view){ text, n },
                                      (struct view){ text, n }, 1, NULL, NULL, &f->e),
                     0);
    free(text);
}

static void pieces_count_bytes_from_the_start_of_the_whole(void **state)
{
    struct fixture *f = *state;
    struct view whole = VIEW("{\"list\":[{\"a\":\"\\ud800\"},{\"b\" 1}]}");
    const struct json_value *v;

    assert_int_equal(json_parse_piece(f->p, whole, (struct view){ whole.p + 9, 14 }, 1,
                                      &f->mem, &v, &f->e),
                     0);
    assert_int_equal(v->offset, 9);
    assert_view(json_text(&v->members[0].value), "\xEF\xBF\xBD");
    assert_int_equal(json_parse_piece(f->p, whole, (struct view){ whole.p + 24, 7 }, 1,
                                      &f->mem, &v, &f->e),
                     -EINVAL);
    assert_string_equal(f->e.text, "byte 29: ':' is expected");
    assert_int_equal(json_parse_piece(f->p, whole, (struct view){ whole.p + 9, 14 }, 0,
                                      &f->mem, &v, &f->e),
                     -EINVAL);
    assert_string_equal(f->e.text, "byte 9: nested too deeply");
}

static void an_object_splits_into_members_and_its_list_into_items(void **state)
{
    struct fixture *f = *state;
    const struct json_parts *parts;

    assert_int_equal(
        split(f,
              VIEW("\n{ \"x\" : 12 , \"list\":[ {\"a\":[1,{}]} , 5,\"t,]\" , "
                   "[ ] ,{ } ],\"\\u0079\":{\"z\":null} } "),
              0, &parts),
        0);
    assert_int_equal(parts->type, JSON_OBJECT);
    assert_int_equal(parts->member_count, 3);
    assert_view(parts->members[0].key, "x");
    assert_view(parts->members[0].text, "12");
    assert_view(parts->members[1].key, "list");
    assert_view(parts->members[1].text, "[ {\"a\":[1,{}]} , 5,\"t,]\" , [ ] ,{ } ]");
    assert_view(parts->members[2].key, "y");
    assert_view(parts->members[2].text, "{\"z\":null}");
    assert_true(parts->list_found && parts->list_is_array);
    assert_int_equal(parts->item_count, 5);
    assert_view(parts->items[0], "{\"a\":[1,{}]}");
    assert_view(parts->items[1], "5");
    assert_view(parts->items[2], "\"t,]\"");
    assert_view(parts->items[3], "[ ]");
    assert_view(parts->items[4], "{ }");
}

static void an_array_splits_into_items(void **state)
{
    struct fixture *f = *state;
    const struct json_parts *parts;

    assert_int_equal(split(f, VIEW("\xEF\xBB\xBF[{},\n{\"a\":1}]"), 2, &parts), 0);
    assert_int_equal(parts->type, JSON_ARRAY);
    assert_int_equal(parts->item_count, 2);
    assert_view(parts->items[1], "{\"a\":1}");
    assert_int_equal(split(f, VIEW("[]"), 0, &parts), 0);
    assert_int_equal(parts->item_count, 0);
}

static void of_a_repeated_list_the_last_counts(void **state)
{
    struct fixture *f = *state;
    const struct json_parts *parts;

    assert_int_equal(split(f, VIEW("{\"list\":[1,2],\"list\":[3]}"), 0, &parts), 0);
    assert_int_equal(parts->item_count, 1);
    assert_view(parts->items[0], "3");
    assert_int_equal(split(f, VIEW("{\"list\":[1,2],\"list\":7}"), 0, &parts), 0);
    assert_true(parts->list_found);
    assert_false(parts->list_is_array);
    assert_view(parts->members[1].text, "7");
    assert_int_equal(split(f, VIEW("{\"lis\":[1,2]}"), 0, &parts), 0);
    assert_false(parts->list_found);
}

static void scalar_documents_split_into_nothing(void **state)
{
    struct fixture *f = *state;
    const struct json_parts *parts;

    assert_int_equal(split(f, VIEW(" 12 "), 0, &parts), 0);
    assert_int_equal(parts->type, JSON_NUMBER);
    assert_int_equal(split(f, VIEW("NaN"), 0, &parts), 0);
    assert_int_equal(parts->type, JSON_BAD);
    assert_int_equal(split(f, VIEW("\"x\""), 0, &parts), 0);
    assert_int_equal(parts->type, JSON_STRING);
}

static void no_cut_off_text_passes_the_split(void **state)
{
    struct fixture *f = *state;
    struct view whole =
        VIEW("{\"x\":{\"y\":[1]},\"list\":[{\"a\":1},{\"b\":[{}]}],\"z\":0}");
    const struct json_parts *parts;

    for (size_t n = 0; n < whole.n; n++) {
        assert_int_equal(split(f, (struct view){ whole.p, n }, 0, &parts), -EINVAL);
        assert_non_null(strstr(f->e.text, "byte "));
    }
    assert_int_equal(split(f, whole, 0, &parts), 0);
}

static void the_split_refuses_what_stands_between_pieces(void **state)
{
    struct fixture *f = *state;
    const struct json_parts *parts;
    const struct {
        struct view text;
        const char *reason;
    } all[] = {
        { VIEW("{\"list\":[{} {}]}"), "byte 12: ',' or ']' is expected" },
        { VIEW("{\"list\":[{},]}"), "byte 12: a value is expected" },
        { VIEW("{\"list\":[1:2]}"), "byte 10: ',' or ']' is expected" },
        { VIEW("[\"a\":{\"b\":1}]"), "byte 4: ',' or ']' is expected" },
        { VIEW("{\"list\":[]} {}"),
          "byte 12: something follows the end of the document" },
        { VIEW("{\"list\":[]"), "byte 10: cut off" },
        { VIEW("{\"a\":1 \"b\":2}"), "byte 7: ',' or '}' is expected" },
        { VIEW("{\"a\\q\":1}"), "byte 3: an escape that JSON does not know" },
        { VIEW("{\"a\":\"\x01\"}"), "byte 6: a control character inside a text" },
        { VIEW("{\"a\":\"}"), "byte 7: cut off" },
        { VIEW(""), "byte 0: empty" },
    };

    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        assert_int_equal(split(f, all[i].text, 0, &parts), -EINVAL);
        assert_string_equal(f->e.text, all[i].reason);
    }
}

static void the_split_tells_bad_utf8_and_too_many_items(void **state)
{
    struct fixture *f = *state;
    const struct json_parts *parts;

    assert_int_equal(split(f, VIEW("{\"list\":[\"\xFF\"]}"), 0, &parts), -EILSEQ);
    assert_string_equal(f->e.text, "byte 10: not UTF-8");
    assert_int_equal(split(f, VIEW("{\"list\":[1,2,3]}"), 2, &parts), -E2BIG);
    assert_int_equal(split(f, VIEW("{\"list\":[1,2,3]}"), 3, &parts), 0);
    /* Lone surrogates in keys are repaired. */
    assert_int_equal(split(f, VIEW("{\"\\ud800\":1}"), 2, &parts), 0);
    assert_view(parts->members[0].key, "\xEF\xBF\xBD");
}

static void types_have_names_for_people(void **state)
{
    (void)state;
    assert_string_equal(json_type_name(JSON_OBJECT), "an object");
    assert_string_equal(json_type_name(JSON_BAD), "no number");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(scalars_have_their_types),
        TEST(numbers_are_read_exactly),
        TEST(what_no_double_holds_is_a_bad_value_and_no_fault),
        TEST(escapes_become_utf8),
        TEST(of_a_repeated_key_the_last_counts),
        TEST(values_know_their_place),
        TEST(a_byte_order_mark_is_skipped),
        TEST(refusals_name_byte_and_reason),
        TEST(depth_ends_at_64),
        TEST(brackets_inside_texts_are_no_depth),
        TEST(bytes_that_are_no_utf8_are_another_refusal),
        TEST(trees_have_a_limit_of_values),
        TEST(pieces_count_bytes_from_the_start_of_the_whole),
        TEST(an_object_splits_into_members_and_its_list_into_items),
        TEST(an_array_splits_into_items),
        TEST(of_a_repeated_list_the_last_counts),
        TEST(scalar_documents_split_into_nothing),
        TEST(no_cut_off_text_passes_the_split),
        TEST(the_split_refuses_what_stands_between_pieces),
        TEST(the_split_tells_bad_utf8_and_too_many_items),
        TEST(types_have_names_for_people),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
