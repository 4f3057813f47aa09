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
    struct chunk *const *pieces;
    uint32_t count = body_pieces(b, &pieces);
    size_t n = 0;

    for (uint32_t i = 0; i < count; i++) {
        memcpy(got + n, pieces[i]->bytes, pieces[i]->n);
        n += pieces[i]->n;
    }
    assert_view(((struct view){ got, n }), want);
    assert_int_equal(b->bytes, strlen(want));
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
    assert_view(((struct view){ c->bytes, c->n }), "text");
    chunk_unref(c);
    chunk_unref(NULL);
    body_unref(NULL);
}

static void equal_bytes_have_equal_hashes(void **state)
{
    struct chunk *a = chunk_new(VIEW("x 1\n")), *b = chunk_new(VIEW("x 1\n")),
                 *c = chunk_new(VIEW("x 2\n")), *none = chunk_new(VIEW(""));

    (void)state;
    assert_true(a->hash == b->hash);
    assert_true(a->hash != c->hash);
    assert_int_equal(none->n, 0);
    chunk_unref(a);
    chunk_unref(b);
    chunk_unref(c);
    chunk_unref(none);
}

static void small_bodies_are_sent_in_one_piece(void **state)
{
    struct chunk *const *first, *const *again;
    struct body *b = example();

    (void)state;
    assert_int_equal(body_pieces(b, &first), 1);
    assert_int_equal(body_pieces(b, &again), 1);
    assert_ptr_equal(first[0], again[0]);
    /* what may be shared with the next generation stays */
    assert_int_equal(b->chunk_count, 6);
    body_unref(b);
}

static void large_bodies_are_sent_as_they_are(void **state)
{
    static char large[80 * 1024];
    struct chunk *const *pieces;
    struct body *b = body_new();

    (void)state;
    body_family(b, "f");
    for (int i = 0; i < 4; i++)
        body_add(b, chunk_new((struct view){ large, sizeof(large) }));
    assert_int_equal(body_pieces(b, &pieces), 4);
    assert_ptr_equal(pieces, b->chunks);
    body_unref(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_body_is_its_chunks_in_order),
        cmocka_unit_test(every_body_has_a_generation_of_its_own),
        cmocka_unit_test(selected_families_keep_the_order_of_the_body),
        cmocka_unit_test(names_must_be_whole),
        cmocka_unit_test(chunks_live_as_long_as_somebody_holds_them),
        cmocka_unit_test(equal_bytes_have_equal_hashes),
        cmocka_unit_test(small_bodies_are_sent_in_one_piece),
        cmocka_unit_test(large_bodies_are_sent_as_they_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
