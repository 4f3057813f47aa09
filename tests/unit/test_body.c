#include "tests/unit/test.h"

#include <string.h>

#include "server/body.h"

/* family one: head, two chunks; family two: head alone; family three: head, chunk */
static struct body *example(void)
{
    struct body *b = body_new();

    body_family(b, "one");
    body_add(b, chunk_new(VIEW("1h ")));
    body_add(b, chunk_new(VIEW("1a ")));
    body_add(b, chunk_new(VIEW("1b ")));
    body_family(b, "two");
    body_add(b, chunk_new(VIEW("2h ")));
    body_family(b, "three");
    body_add(b, chunk_new(VIEW("3h ")));
    body_add(b, chunk_new(VIEW("3a ")));
    return b;
}

static void is(struct body *b, const char *want)
{
    char got[256];
    uint32_t count = body_pieces(b, BODY_TEXT);
    size_t n = 0;

    for (uint32_t i = 0; i < count; i++) {
        const struct chunk *c = body_piece(b, BODY_TEXT, i);

        memcpy(got + n, c->text, c->n);
        n += c->n;
    }
    assert_view(((struct view){ got, n }), want);
    assert_int_equal(body_bytes(b), strlen(want));
}

static void a_body_is_its_chunks_in_order(void **state)
{
    struct body *b = example();

    (void)state;
    assert_int_equal(b->family_count, 3);
    assert_int_equal(b->chunk_count, 6);
    assert_int_equal(b->families[2].first, 4);
    assert_int_equal(b->families[2].count, 2);
    is(b, "1h 1a 1b 2h 3h 3a ");
    body_unref(b);
}

static void every_body_has_a_generation_of_its_own(void **state)
{
    struct body *a = body_new(), *b = body_new();

    (void)state;
    assert_true(a->generation != b->generation);
    body_unref(a);
    body_unref(b);
}

static void selected_families_keep_the_order_of_the_body(void **state)
{
    const struct view names[] = { VIEW("three"), VIEW("none"), VIEW("one") };
    struct body *b = example(), *some = body_select(b, names, 3);

    (void)state;
    assert_int_equal(some->family_count, 2);
    assert_string_equal(some->families[0].name, "one");
    assert_string_equal(some->families[1].name, "three");
    is(some, "1h 1a 1b 3h 3a ");
    /* the chunks are shared, and outlive the body they came from */
    assert_ptr_equal(some->chunks[0], b->chunks[0]);
    body_unref(b);
    is(some, "1h 1a 1b 3h 3a ");
    body_unref(some);
}

static void names_must_be_whole(void **state)
{
    const struct view names[] = { VIEW("on"), VIEW("ones"), VIEW("") };
    struct body *b = example(), *some = body_select(b, names, 3);

    (void)state;
    assert_int_equal(some->family_count, 0);
    is(some, "");
    body_unref(some);
    body_unref(b);
}

static void chunks_live_as_long_as_somebody_holds_them(void **state)
{
    struct chunk *c = chunk_new(VIEW("text"));
    struct body *b = body_new();

    (void)state;
    body_family(b, "f");
    body_add(b, chunk_ref(c));
    body_ref(b);
    body_unref(b);
    assert_int_equal(c->refs, 2);
    body_unref(b);
    assert_int_equal(c->refs, 1);
    assert_view(((struct view){ c->text, c->n }), "text");
    chunk_unref(c);
    chunk_unref(NULL);
    body_unref(NULL);
}

static void a_chunk_knows_its_text_with_and_without_it(void **state)
{
    struct chunk *c = chunk_new(VIEW("x 1\n")), *none = chunk_new(VIEW(""));
    struct gzip g = { 0 };

    (void)state;
    assert_true(chunk_is(c, VIEW("x 1\n")));
    assert_false(chunk_is(c, VIEW("x 2\n")));
    assert_true(chunk_is(none, VIEW("")));
    chunk_drop_text(c); /* no block yet: the text stays */
    assert_non_null(c->text);
    chunk_deflate(c, &g);
    chunk_drop_text(c);
    assert_null(c->text);
    assert_true(chunk_is(c, VIEW("x 1\n")));
    assert_false(chunk_is(c, VIEW("x 2\n")));
    chunk_restore_text(c, &g);
    assert_view(((struct view){ c->text, c->n }), "x 1\n");
    chunk_unref(c);
    chunk_unref(none);
    gzip_deinit(&g);
}

static void kept_text_is_accounted_for(void **state)
{
    size_t before = chunk_text_bytes();
    struct gzip g = { 0 };
    struct chunk *c = chunk_new(VIEW("12345"));

    (void)state;
    assert_int_equal(chunk_text_bytes(), before + 5);
    chunk_deflate(c, &g);
    chunk_drop_text(c);
    assert_int_equal(chunk_text_bytes(), before);
    chunk_restore_text(c, &g);
    assert_int_equal(chunk_text_bytes(), before + 5);
    chunk_unref(c);
    assert_int_equal(chunk_text_bytes(), before);
    gzip_deinit(&g);
}

static void small_bodies_are_sent_in_one_piece(void **state)
{
    struct body *b = example();
    const struct chunk *first;

    (void)state;
    assert_int_equal(body_pieces(b, BODY_TEXT), 1);
    first = body_piece(b, BODY_TEXT, 0);
    assert_int_equal(body_pieces(b, BODY_TEXT), 1);
    assert_ptr_equal(first, body_piece(b, BODY_TEXT, 0));
    /* what may be shared with the next generation stays */
    assert_int_equal(b->chunk_count, 6);
    body_unref(b);
}

static void large_bodies_are_sent_as_they_are(void **state)
{
    static char large[80 * 1024];
    struct body *b = body_new();

    (void)state;
    body_family(b, "f");
    for (int i = 0; i < 4; i++)
        body_add(b, chunk_new((struct view){ large, sizeof(large) }));
    assert_int_equal(body_pieces(b, BODY_TEXT), 4);
    assert_ptr_equal(body_piece(b, BODY_TEXT, 3), b->chunks[3]);
    body_unref(b);
}

static void openmetrics_has_its_own_bytes_where_they_differ(void **state)
{
    struct chunk *head = chunk_new(VIEW("text head\n"));
    struct body *b = body_new();

    (void)state;
    chunk_set_alt(head, chunk_new(VIEW("OM head\n")));
    body_family(b, "f");
    body_add(b, head);
    body_add(b, chunk_new(VIEW("f 1\n")));
    assert_int_equal(b->form[BODY_TEXT].bytes, 14);
    assert_int_equal(b->form[BODY_OPENMETRICS].bytes, 12);
    assert_int_equal(body_pieces(b, BODY_OPENMETRICS), 2);
    assert_view(((struct view){ body_piece(b, BODY_OPENMETRICS, 0)->text, 8 }),
                "OM head\n");
    assert_ptr_equal(body_piece(b, BODY_OPENMETRICS, 1), b->chunks[1]);
    body_unref(b);
}

/* The CRC that is put together from the pieces is that of the whole text. */
static void a_prepared_body_knows_its_checksum(void **state)
{
    static char large[100 * 1024];
    struct gzip g = { 0 };

    (void)state;
    for (int pieces = 1; pieces < 6; pieces++) {
        struct body *b = body_new();
        struct buf whole = { 0 };

        body_family(b, "f");
        for (int i = 0; i < pieces; i++) {
            memset(large, 'a' + i, sizeof large);
            body_add(b, chunk_new((struct view){ large, sizeof large }));
            buf_add(&whole, large, sizeof large);
        }
        body_prepare(b, BODY_TEXT, &g);
        assert_int_equal(b->form[BODY_TEXT].crc, gzip_crc(buf_as_view(&whole)));
        assert_true(b->form[BODY_TEXT].zbytes < whole.n / 50);
        buf_deinit(&whole);
        body_unref(b);
    }
    gzip_deinit(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_body_is_its_chunks_in_order),
        cmocka_unit_test(every_body_has_a_generation_of_its_own),
        cmocka_unit_test(selected_families_keep_the_order_of_the_body),
        cmocka_unit_test(names_must_be_whole),
        cmocka_unit_test(chunks_live_as_long_as_somebody_holds_them),
        cmocka_unit_test(a_chunk_knows_its_text_with_and_without_it),
        cmocka_unit_test(kept_text_is_accounted_for),
        cmocka_unit_test(small_bodies_are_sent_in_one_piece),
        cmocka_unit_test(large_bodies_are_sent_as_they_are),
        cmocka_unit_test(openmetrics_has_its_own_bytes_where_they_differ),
        cmocka_unit_test(a_prepared_body_knows_its_checksum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
