#include "tests/unit/test.h"

#include <stdlib.h>
#include <string.h>

#include "server/strand.h"
#include "server/tidy.h"

enum { CHUNKS = 200, TEXT_BYTES = 8000 };

static struct {
    uv_loop_t loop;
    struct body *bodies[MODULES_MAX];
    struct chunk *chunks[CHUNKS]; /* as segments hold them */
    struct gzip gzip;
    struct tidy tidy;
} t;

/* The first is a head: short, so its text is kept. */
static struct chunk *make(unsigned seed)
{
    static char text[TEXT_BYTES];
    uint64_t x = seed + 1;

    for (size_t i = 0; i < sizeof text; i++) {
        x = x * 6364136223846793005u + 1442695040888963407u;
        text[i] = (char)('a' + (x >> 33) % 26);
    }
    return chunk_new((struct view){ text, seed ? sizeof text : 100 });
}

static void publish(size_t chunks)
{
    body_unref(t.bodies[0]);
    t.bodies[0] = body_new();
    body_family(t.bodies[0], "f");
    for (size_t i = 0; i < chunks; i++)
        body_add(t.bodies[0], chunk_ref(t.chunks[i]));
    tidy_start(&t.tidy);
}

static int begin(void **state)
{
    (void)state;
    uv_loop_init(&t.loop);
    for (unsigned i = 0; i < CHUNKS; i++)
        t.chunks[i] = make(i);
    tidy_init(&t.tidy, &t.loop, t.bodies, &t.gzip, 0);
    publish(CHUNKS);
    return 0;
}

static int finish(void **state)
{
    (void)state;
    tidy_close(&t.tidy);
    uv_run(&t.loop, UV_RUN_DEFAULT);
    uv_loop_close(&t.loop);
    body_unref(t.bodies[0]);
    for (size_t i = 0; i < CHUNKS; i++)
        chunk_unref(t.chunks[i]);
    gzip_deinit(&t.gzip);
    memset(&t, 0, sizeof t);
    return 0;
}

/* Until there is nothing to do: the loop ends when the handle is idle no more. */
static void settle(void)
{
    uv_run(&t.loop, UV_RUN_DEFAULT);
}

static void scrape(unsigned times)
{
    for (unsigned i = 0; i < times; i++)
        tidy_scraped(&t.tidy, 0);
}

static uint32_t piece_count(void)
{
    struct strand *s = body_strand(t.bodies[0], BODY_TEXT);
    uint32_t n = s->count;

    strand_unref(s);
    return n;
}

static void replace(unsigned first, unsigned count)
{
    for (unsigned i = first; i < first + count; i++) {
        chunk_unref(t.chunks[i]);
        t.chunks[i] = make(CHUNKS + i);
    }
}

static void after_a_change_there_are_blocks_and_no_texts(void **state)
{
    size_t other = slab_bytes();

    (void)state;
    settle();
    assert_true(t.bodies[0]->form[BODY_TEXT].prepared);
    assert_int_equal(piece_count(), CHUNKS);
    assert_int_equal(chunk_text_bytes(), t.chunks[0]->n);
    assert_int_equal(slab_bytes() - other, t.bodies[0]->form[BODY_TEXT].zbytes);
}

static void what_is_scraped_again_is_joined(void **state)
{
    (void)state;
    settle();
    scrape(TIDY_JOIN_AFTER - 1);
    settle();
    assert_int_equal(piece_count(), CHUNKS);
    scrape(1);
    settle();
    assert_in_range(piece_count(), 2, 8);
    for (int i = 0; i < 10; i++) {
        const char *at = t.chunks[0]->z;

        tidy_scraped(&t.tidy, 0);
        assert_false(uv_is_active((uv_handle_t *)&t.tidy.idle));
        assert_ptr_equal(t.chunks[0]->z, at);
    }
}

static void what_changes_with_every_scrape_is_left_alone(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 10; i++) {
        replace(i, 1);
        publish(CHUNKS);
        settle();
        scrape(TIDY_JOIN_AFTER - 1);
        settle();
        assert_int_equal(piece_count(), CHUNKS);
    }
}

/* Also before the blocks are made. */
static void a_scrape_may_come_at_any_time(void **state)
{
    (void)state;
    for (int i = 0; i < TIDY_JOIN_AFTER; i++) {
        scrape(1);
        tidy_scraped(&t.tidy, 1); /* there is no such body */
        uv_run(&t.loop, UV_RUN_NOWAIT);
    }
    settle();
    assert_in_range(piece_count(), 2, 8);
}

static void a_change_during_the_joining_is_taken_up(void **state)
{
    (void)state;
    settle();
    scrape(TIDY_JOIN_AFTER);
    for (unsigned i = 0; i < CHUNKS && uv_is_active((uv_handle_t *)&t.tidy.idle); i++) {
        replace(i, 1);
        publish(CHUNKS);
        uv_run(&t.loop, UV_RUN_NOWAIT);
        scrape(TIDY_JOIN_AFTER);
    }
    settle();
    assert_in_range(piece_count(), 2, 8);
    assert_int_equal(slab_bytes(), t.bodies[0]->form[BODY_TEXT].zbytes);
}

static void slabs_that_become_empty_are_joined_unasked(void **state)
{
    (void)state;
    settle();
    scrape(TIDY_JOIN_AFTER);
    settle();
    replace(0, 2); /* little of a slab: it stays as it is */
    publish(CHUNKS);
    settle();
    assert_true(slab_bytes() > t.bodies[0]->form[BODY_TEXT].zbytes);
    replace(2, 20);
    publish(CHUNKS);
    settle();
    assert_int_equal(slab_bytes(), t.bodies[0]->form[BODY_TEXT].zbytes);
    assert_in_range(piece_count(), 2, 8);
}

/* A head outlives the large body that it was joined in. */
static void a_small_body_keeps_no_large_slab(void **state)
{
    (void)state;
    settle();
    scrape(TIDY_JOIN_AFTER);
    settle();
    replace(1, CHUNKS - 1);
    publish(5);
    settle();
    assert_true(body_is_small(t.bodies[0], BODY_TEXT));
    scrape(TIDY_JOIN_AFTER);
    assert_false(uv_is_active((uv_handle_t *)&t.tidy.idle));
    assert_int_equal(t.chunks[0]->slab->n, t.chunks[0]->zn);
    assert_int_equal(slab_bytes(),
                     t.chunks[0]->zn + t.bodies[0]->form[BODY_TEXT].zbytes);
}

static void nothing_is_done_after_the_end(void **state)
{
    (void)state;
    settle();
    tidy_close(&t.tidy);
    tidy_start(&t.tidy);
    scrape(TIDY_JOIN_AFTER);
    settle();
    assert_int_equal(piece_count(), CHUNKS);
}

#define EACH(f) cmocka_unit_test_setup_teardown(f, begin, finish)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(after_a_change_there_are_blocks_and_no_texts),
        EACH(what_is_scraped_again_is_joined),
        EACH(what_changes_with_every_scrape_is_left_alone),
        EACH(a_scrape_may_come_at_any_time),
        EACH(a_change_during_the_joining_is_taken_up),
        EACH(slabs_that_become_empty_are_joined_unasked),
        EACH(a_small_body_keeps_no_large_slab),
        EACH(nothing_is_done_after_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
