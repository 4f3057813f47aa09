#include "tests/unit/test.h"

#include <stdlib.h>
#include <string.h>

#include "server/join.h"
#include "server/strand.h"

/*
 * Families of some chunks, one for each segment. As in the program the blocks of a segment
 * lie together, and a body has those of a family together.
 */
enum { FAMILIES = 12, SEGMENTS = 40, CHUNKS = FAMILIES * SEGMENTS, TEXT_BYTES = 9000 };

static struct gzip zip;

/* Text that deflates to a good part of its size; another one for every seed. */
static struct chunk *make(unsigned seed, struct shelf *shelf)
{
    static char text[TEXT_BYTES];
    uint64_t x = seed * 2654435761u + 1;

    for (size_t i = 0; i < sizeof text; i++) {
        x = x * 6364136223846793005u + 1442695040888963407u;
        text[i] = (char)('a' + (x >> 33) % 26);
    }

    struct view v = { text, sizeof text - seed % 100 };

    return shelf ? chunk_new_shelved(v, &zip, shelf) : chunk_new_deflated(v, &zip);
}

static void make_chunks(struct chunk *chunks[CHUNKS])
{
    struct shelf shelf = { 0 };

    for (unsigned s = 0; s < SEGMENTS; s++) {
        for (unsigned f = 0; f < FAMILIES; f++)
            chunks[f * SEGMENTS + s] = make(f * SEGMENTS + s, &shelf);
        shelf_clear(&shelf);
    }
    shelf_deinit(&shelf);
}

/* Shares the chunks; prepared. */
static struct body *body_of(struct chunk *chunks[CHUNKS])
{
    struct body *b = body_new();

    body_family(b, "f");
    for (size_t i = 0; i < CHUNKS; i++)
        body_add(b, chunk_ref(chunks[i]));
    body_prepare(b, BODY_TEXT, &zip);
    return b;
}

static void unref_chunks(struct chunk *chunks[CHUNKS])
{
    for (size_t i = 0; i < CHUNKS; i++)
        chunk_unref(chunks[i]);
}

/* Returns the bytes that were copied. */
static size_t join_all(struct body *b)
{
    size_t copied = 0;
    uint32_t at = 0;

    while (at < b->chunk_count) {
        size_t n = body_join(b, &at);

        assert_true(n <= SLAB_BYTES || n == b->chunks[at - 1]->zn);
        copied += n;
    }
    body_strands_release(b);
    return copied;
}

static struct buf bytes_of(const struct strand *s)
{
    struct buf out = { 0 };

    for (uint32_t i = 0; i < s->count; i++)
        buf_add(&out, s->pieces[i].p, s->pieces[i].n);
    return out;
}

static uint32_t piece_count(struct body *b)
{
    struct strand *s = body_strand(b, BODY_TEXT);
    uint32_t n = s->count;

    strand_unref(s);
    return n;
}

/* Every block is where its chunk says, and gives its text. */
static void says_what_it_said(struct body *b)
{
    static char text[TEXT_BYTES];
    struct strand *s = body_strand(b, BODY_TEXT);
    struct buf bytes = bytes_of(s);
    size_t at = 0;

    for (uint32_t i = 0; i < b->chunk_count; i++) {
        const struct chunk *c = b->chunks[i];

        assert_true(at + c->zn <= bytes.n);
        assert_memory_equal(bytes.p + at, c->z, c->zn);
        assert_true(gzip_text(&zip, (struct view){ bytes.p + at, c->zn }, text, c->n));
        assert_true(chunk_is(c, (struct view){ text, c->n }));
        at += c->zn;
    }
    assert_int_equal(at, bytes.n);
    assert_int_equal(at, b->form[BODY_TEXT].zbytes);
    buf_deinit(&bytes);
    strand_unref(s);
}

/* Pieces of a body that is joined as well as can be. */
static uint32_t fewest(const struct body *b)
{
    return (uint32_t)(b->form[BODY_TEXT].zbytes / (SLAB_BYTES - TEXT_BYTES)) + 1;
}

static void joined_blocks_are_few_pieces_of_the_same_bytes(void **state)
{
    struct chunk *chunks[CHUNKS];
    size_t before = slab_bytes(), zbytes;
    struct body *b;

    (void)state;
    make_chunks(chunks);
    b = body_of(chunks);
    zbytes = b->form[BODY_TEXT].zbytes;
    assert_int_equal(slab_bytes() - before, zbytes);
    assert_int_equal(piece_count(b), CHUNKS);
    assert_int_equal(join_all(b), zbytes);
    assert_in_range(piece_count(b), 2, fewest(b));
    says_what_it_said(b);
    /* what they left is gone */
    assert_int_equal(slab_bytes() - before, zbytes);
    /* in order is in order */
    assert_int_equal(join_all(b), 0);
    body_unref(b);
    unref_chunks(chunks);
    assert_int_equal(slab_bytes(), before);
}

static void an_answer_under_way_keeps_the_bytes_where_they_were(void **state)
{
    struct chunk *chunks[CHUNKS];
    size_t before = slab_bytes(), zbytes;
    struct strand *slow;
    struct body *b;
    struct buf want, got;

    (void)state;
    make_chunks(chunks);
    b = body_of(chunks);
    zbytes = b->form[BODY_TEXT].zbytes;
    slow = body_strand(b, BODY_TEXT);
    want = bytes_of(slow);
    join_all(b);
    assert_int_equal(slab_bytes() - before, 2 * zbytes);
    unref_chunks(chunks);
    body_unref(b);
    assert_int_equal(slab_bytes() - before, zbytes);
    got = bytes_of(slow);
    assert_int_equal(got.n, want.n);
    assert_memory_equal(got.p, want.p, want.n);
    strand_unref(slow);
    assert_int_equal(slab_bytes(), before);
    buf_deinit(&want);
    buf_deinit(&got);
}

static void a_change_in_the_middle_moves_one_slab(void **state)
{
    struct chunk *chunks[CHUNKS];
    size_t before = slab_bytes(), zbytes;
    struct body *old, *new;
    const char *first, *last;
    uint32_t pieces;

    (void)state;
    make_chunks(chunks);
    old = body_of(chunks);
    join_all(old);
    pieces = piece_count(old);
    first = chunks[0]->z;
    last = chunks[CHUNKS - 1]->z;
    chunk_unref(chunks[CHUNKS / 2]);
    chunks[CHUNKS / 2] = make(CHUNKS, NULL);
    new = body_of(chunks);
    zbytes = new->form[BODY_TEXT].zbytes;
    assert_int_equal(piece_count(new), pieces + 2);
    /* somebody still reads the old generation */
    assert_in_range(join_all(new), 1, 2 * SLAB_BYTES);
    says_what_it_said(new);
    says_what_it_said(old);
    assert_in_range(piece_count(new), 2, pieces + 1);
    assert_ptr_equal(chunks[0]->z, first);
    assert_ptr_equal(chunks[CHUNKS - 1]->z, last);
    body_unref(old);
    assert_int_equal(slab_bytes() - before, zbytes);
    body_unref(new);
    unref_chunks(chunks);
    assert_int_equal(slab_bytes(), before);
}

static void what_is_wasted_is_known_and_comes_back(void **state)
{
    struct chunk *chunks[CHUNKS];
    size_t before = slab_bytes(), gone = 0;
    const struct slab *slab;
    struct body *b;

    (void)state;
    make_chunks(chunks);
    b = body_of(chunks);
    join_all(b);
    body_unref(b);
    slab = chunks[0]->slab;
    for (size_t i = 1; gone <= slab->n / 8; i++) {
        assert_ptr_equal(chunks[i]->slab, slab);
        assert_false(slab_wasted(slab));
        gone += chunks[i]->zn;
        chunk_unref(chunks[i]);
        chunks[i] = make((unsigned)(CHUNKS + i), NULL);
    }
    assert_true(slab_wasted(slab));
    b = body_of(chunks);
    assert_int_equal(slab_bytes() - before, b->form[BODY_TEXT].zbytes + gone);
    /* no byte is left out, and at most the rounding of each chunk */
    assert_in_range(body_kept_bytes(b), chunk_kept_bytes() - before - CHUNKS,
                    chunk_kept_bytes() - before);
    join_all(b);
    says_what_it_said(b);
    assert_int_equal(slab_bytes() - before, b->form[BODY_TEXT].zbytes);
    body_unref(b);
    unref_chunks(chunks);
    assert_int_equal(slab_bytes(), before);
}

static void a_chunk_that_moves_out_lets_the_others_go(void **state)
{
    struct chunk *chunks[CHUNKS], *one;
    size_t before = slab_bytes();
    struct body *b;

    (void)state;
    make_chunks(chunks);
    b = body_of(chunks);
    join_all(b);
    one = chunk_ref(chunks[5]);
    body_unref(b);
    unref_chunks(chunks);
    assert_true(slab_bytes() - before > one->zn);
    chunk_move_alone(one);
    assert_int_equal(slab_bytes() - before, one->zn);
    chunk_move_alone(one);
    chunk_unref(one);
    assert_int_equal(slab_bytes(), before);
}

/* One by one, with a joining after each: slabs that fall to pieces are put together. */
static void ever_new_changes_leave_few_pieces(void **state)
{
    struct chunk *chunks[CHUNKS];
    size_t before = slab_bytes();

    (void)state;
    make_chunks(chunks);
    for (unsigned i = 0; i < CHUNKS; i++) {
        size_t at = i * 7 % CHUNKS;
        struct body *b;

        chunk_unref(chunks[at]);
        chunks[at] = make(CHUNKS + i, NULL);
        b = body_of(chunks);
        join_all(b);
        assert_in_range(piece_count(b), 2, 2 * fewest(b));
        assert_int_equal(slab_bytes() - before, b->form[BODY_TEXT].zbytes);
        if (i % 100 == 0)
            says_what_it_said(b);
        body_unref(b);
    }
    unref_chunks(chunks);
    assert_int_equal(slab_bytes(), before);
}

static void a_block_larger_than_a_slab_has_its_own(void **state)
{
    const size_t n = (size_t)3 * SLAB_BYTES;
    struct body *b = body_new();
    char *text = malloc(n);
    uint64_t x = 1;

    (void)state;
    for (size_t i = 0; i < n; i++) {
        x = x * 6364136223846793005u + 1442695040888963407u;
        text[i] = (char)(x >> 56);
    }
    body_family(b, "f");
    body_add(b, make(1, NULL));
    body_add(b, chunk_new_deflated((struct view){ text, n }, &zip));
    body_add(b, make(2, NULL));
    body_add(b, make(3, NULL));
    body_prepare(b, BODY_TEXT, &zip);
    assert_true(b->chunks[1]->zn > SLAB_BYTES);
    join_all(b);
    assert_int_equal(piece_count(b), 3);
    body_unref(b);
    free(text);
}

static void openmetrics_is_sent_from_the_same_slabs(void **state)
{
    struct body *b = body_new();
    struct chunk *head = make(1, NULL);
    struct strand *s;

    (void)state;
    chunk_set_alt(head, chunk_new_deflated(VIEW("# another head\n"), &zip));
    body_family(b, "f");
    for (unsigned i = 0; i < 30; i++)
        body_add(b, make(10 + i, NULL));
    body_add(b, head);
    for (unsigned i = 0; i < 30; i++)
        body_add(b, make(40 + i, NULL));
    body_prepare(b, BODY_TEXT, &zip);
    body_prepare(b, BODY_OPENMETRICS, &zip);
    join_all(b);
    s = body_strand(b, BODY_OPENMETRICS);
    assert_in_range(s->count, 3, 5);
    strand_unref(s);
    s = body_strand(b, BODY_TEXT);
    assert_in_range(s->count, 1, 3);
    strand_unref(s);
    body_unref(b);
}

static int end(void **state)
{
    (void)state;
    gzip_deinit(&zip);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(joined_blocks_are_few_pieces_of_the_same_bytes),
        cmocka_unit_test(an_answer_under_way_keeps_the_bytes_where_they_were),
        cmocka_unit_test(a_change_in_the_middle_moves_one_slab),
        cmocka_unit_test(what_is_wasted_is_known_and_comes_back),
        cmocka_unit_test(a_chunk_that_moves_out_lets_the_others_go),
        cmocka_unit_test(ever_new_changes_leave_few_pieces),
        cmocka_unit_test(a_block_larger_than_a_slab_has_its_own),
        cmocka_unit_test(openmetrics_is_sent_from_the_same_slabs),
    };
    return cmocka_run_group_tests(tests, NULL, end);
}
