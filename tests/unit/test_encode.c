/* How an encode that is watched stands, and how fast it is. */
#include "modules/live/encode.h"

#include "tests/unit/test.h"

static struct encode *made(void)
{
    struct encode *e = encode_new(VIEW("a"), 100);

    assert_int_equal(e->state, SCENARIO_TOLD);
    encode_begin(e, 100);
    return e;
}

static struct progress_block told(double frames, bool end)
{
    return (struct progress_block){ .run = 1,
                                    .end = end,
                                    .frames = frames,
                                    .fps = 25,
                                    .speed = 1,
                                    .out_time_s = frames / 25,
                                    .total_bytes = frames * 100,
                                    .bitrate_bps = NAN,
                                    .drop_frames = NAN,
                                    .dup_frames = NAN };
}

static void hear(struct encode *e, double frames, double at_s)
{
    struct progress_block b = told(frames, false);

    encode_hear(e, &b, at_s);
}

static void its_state_follows_what_is_heard(void **state)
{
    (void)state;
    struct encode *e = made();
    struct progress_block end = told(50, true);

    assert_int_equal(e->state, SCENARIO_RUNNING);
    assert_near(encode_look(e, 105, 10, 60), 110, 0);
    hear(e, 10, 106);
    assert_near(encode_look(e, 110, 10, 60), 116, 0);
    assert_near(encode_look(e, 116, 10, 60), 166, 0);
    assert_int_equal(e->state, SCENARIO_STALLED);
    hear(e, 20, 117);
    assert_int_equal(e->state, SCENARIO_RUNNING);
    assert_true(isinf(encode_look(e, 177, 10, 60)));
    assert_int_equal(e->state, SCENARIO_ABORTED);
    assert_near(e->end_s, 117, 0); /* its last block */
    hear(e, 30, 200);
    assert_int_equal(e->state, SCENARIO_RUNNING);
    assert_true(isnan(e->end_s));
    encode_hear(e, &end, 201);
    assert_int_equal(e->state, SCENARIO_ENDED);
    encode_cut(e, 300);
    assert_int_equal(e->state, SCENARIO_ENDED);
    assert_near(e->end_s, 201, 0);
    encode_begin(e, 400);
    encode_cut(e, 401);
    assert_int_equal(e->state, SCENARIO_ABORTED);
    encode_free(e);
}

static void a_clock_that_is_set_back_stalls_nobody(void **state)
{
    (void)state;
    struct encode *e = made();

    hear(e, 10, 5000);
    assert_near(encode_look(e, 1000, 10, 60), 1010, 0);
    assert_int_equal(e->state, SCENARIO_RUNNING);
    hear(e, 20, 1001);
    assert_near(e->fps, 25, 0); /* as told: the times tell nothing */
    encode_free(e);
}

static void the_pace_is_that_of_the_last_seconds(void **state)
{
    (void)state;
    struct encode *e = made();

    for (int i = 0; i <= 20; i++)
        hear(e, i * 10, 100 + i * 0.5); /* 20 frames a second, tells 25 */
    assert_near(e->fps, 20, 1e-9);
    assert_near(e->speed_ratio, 0.8, 1e-9);
    hear(e, 200, 120); /* nothing for ten seconds */
    assert_true(e->fps < 1);
    encode_free(e);
}

static void where_its_end_is(void **state)
{
    (void)state;
    struct encode *e = made();

    hear(e, 250, 110);
    assert_true(isnan(encode_progress_ratio(e)) && isnan(encode_eta_s(e)));
    e->told_length_s = 40;
    assert_near(encode_progress_ratio(e), 0.25, 1e-12);
    assert_near(encode_eta_s(e), 30, 1e-9);
    e->length_s = 20; /* who sends it knows better */
    assert_near(encode_progress_ratio(e), 0.5, 1e-12);
    e->length_s = 5;
    assert_near(encode_progress_ratio(e), 1, 0);
    assert_near(encode_eta_s(e), 0, 0);
    encode_free(e);
}

static void one_that_begins_anew_forgets(void **state)
{
    (void)state;
    struct encode *e = made();
    struct progress_block b = told(5, false);

    hear(e, 500, 110);
    b.run = 2;
    encode_hear(e, &b, 120);
    assert_near(e->start_s, 120, 0);
    assert_near(e->frames, 5, 0);
    encode_free(e);
}

static void one_that_was_found_began_before(void **state)
{
    (void)state;
    struct encode *e = made();

    hear(e, 250, 110);
    encode_found(e);
    assert_near(e->start_s, 100, 1e-9);
    e->fps = 0;
    e->speed_ratio = 0;
    encode_found(e); /* nothing can be said */
    assert_near(e->start_s, 100, 1e-9);
    encode_free(e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(its_state_follows_what_is_heard),
        cmocka_unit_test(a_clock_that_is_set_back_stalls_nobody),
        cmocka_unit_test(the_pace_is_that_of_the_last_seconds),
        cmocka_unit_test(where_its_end_is),
        cmocka_unit_test(one_that_begins_anew_forgets),
        cmocka_unit_test(one_that_was_found_began_before),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
