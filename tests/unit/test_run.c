#include "core/run.h"
#include "core/hash.h"

#include "tests/unit/test.h"

static const struct scenario *made(const char *name, const char *bitrate,
                                   const char *region, bool baseline)
{
    struct scenario from = { .name = view_of(name),
                             .bitrate = view_of(bitrate),
                             .encoder = VIEW("h264"),
                             .preset = VIEW("veryfast"),
                             .region = view_of(region),
                             .is_baseline = baseline };

    return scenario_new(&from);
}

static void repeats_are_numbered_in_file_order(void **state)
{
    (void)state;
    const struct scenario *all[] = {
        made("a", "1k", "", false), made("b", "1k", "", false),
        made("a", "2k", "", false), made("a", "1k", "eu", false),
        made("a", "1k", "", false), made("b", "1k", "", false),
    };
    const uint32_t want[] = { 1, 1, 1, 2, 3, 2 }; /* the region is no identity */
    struct run *run = run_new(VIEW("id"), all, 6);

    assert_view(run->id, "id");
    assert_int_equal(run->count, 6);
    for (int i = 0; i < 6; i++)
        assert_int_equal(run->ordinals[i], want[i]);
    assert_int_equal(run->repeated, 3);
    assert_int_equal(run->schema_version, 1);
    run_unref(run);
}

static void identity_is_name_bitrate_resolution_encoder_preset(void **state)
{
    (void)state;
    struct scenario a = { .name = VIEW("ab"), .bitrate = VIEW("c") };
    struct scenario b = { .name = VIEW("a"), .bitrate = VIEW("bc") };
    struct scenario c = { .name = VIEW("ab"), .bitrate = VIEW("c"), .host = VIEW("h") };
    const struct scenario *s[] = { scenario_new(&a), scenario_new(&b),
                                   scenario_new(&c) };
    uint64_t h[3][2];

    for (int i = 0; i < 3; i++)
        scenario_identity(s[i], h[i]);
    assert_false(hash_eq(h[0], h[1])); /* parts do not run into each other */
    assert_true(hash_eq(h[0], h[2]));
    for (int i = 0; i < 3; i++)
        scenario_unref(s[i]);
}

static void the_first_baseline_counts(void **state)
{
    (void)state;
    const struct scenario *all[] = { made("a", "", "", false),
                                     made("idle", "", "", true),
                                     made("baseline", "", "", true) };
    struct run *run = run_new(VIEW("x"), all, 3);

    assert_int_equal(run->baseline, 1);
    assert_ptr_equal(run_baseline(run), all[1]);
    run_unref(run);
}

static void regions_are_listed_once_in_order_of_appearance(void **state)
{
    (void)state;
    const struct scenario *all[] = {
        made("a", "", "eu", false), made("b", "", "", false),
        made("c", "", "eu", false), made("d", "", "us", false),
        made("e", "", "us", false),
    };
    struct run *run = run_new(VIEW("x"), all, 5);

    assert_int_equal(run->region_count, 3);
    assert_view(run->regions[0], "eu");
    assert_view(run->regions[1], "");
    assert_view(run->regions[2], "us");
    run_unref(run);
}

static void a_run_may_be_empty(void **state)
{
    (void)state;
    struct run *run = run_new(VIEW(""), NULL, 0);

    assert_int_equal(run->count, 0);
    assert_int_equal(run->baseline, RUN_NO_BASELINE);
    assert_null(run_baseline(run));
    assert_int_equal(run->region_count, 0);
    run_unref(run);
    run_unref(NULL);
}

static void runs_may_share_scenarios(void **state)
{
    (void)state;
    const struct scenario *s = made("a", "", "", false);
    struct run *one = run_new(VIEW("x"), &s, 1);
    const struct scenario *same = scenario_ref(s);
    struct run *two = run_new(VIEW("x"), &same, 1);

    assert_ptr_equal(run_ref(one), one);
    run_unref(one);
    run_unref(one);
    assert_view(two->scenarios[0]->name, "a");
    run_unref(two);
}

/* A run of two scenarios that began and ended then, and took so long. */
static double end_of_run(const double start_s[2], const double end_s[2],
                         const double duration_s[2])
{
    const struct scenario *all[2];
    struct run *run;
    double end;

    for (int i = 0; i < 2; i++) {
        struct scenario from = { .name = VIEW("x"),
                                 .start_s = start_s[i],
                                 .end_s = end_s[i],
                                 .facts.duration_s = duration_s[i] };

        all[i] = scenario_new(&from);
    }
    run = run_new(VIEW("id"), all, 2);
    end = run->end_s;
    run_unref(run);
    return end;
}

#define PAIR(a, b) ((const double[]){ (a), (b) })

static void a_run_ends_with_the_last_of_its_scenarios(void **state)
{
    const double *none = PAIR(NAN, NAN);

    (void)state;
    assert_near(end_of_run(none, PAIR(1.7e9, 1.6e9), none), 1.7e9, 0);
    assert_near(end_of_run(none, PAIR(NAN, 1.6e9), none), 1.6e9, 0);
    assert_near(end_of_run(PAIR(1.7e9, 1.5e9), PAIR(NAN, 1.6e9), PAIR(60, 10)),
                1.7e9 + 60, 0);
    assert_unknown(end_of_run(PAIR(1.7e9, NAN), none, none)); /* how long? */
    assert_unknown(end_of_run(none, none, PAIR(60, 60)));
}

static void a_time_that_is_no_unix_time_dates_nothing(void **state)
{
    const double *none = PAIR(NAN, NAN);

    (void)state;
    assert_unknown(end_of_run(PAIR(0, 1000), PAIR(120, 1050.75), none));
    assert_unknown(end_of_run(none, PAIR(1.7e12, -5), none)); /* milliseconds */
    assert_near(end_of_run(none, PAIR(1.7e12, 1.6e9), none), 1.6e9, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(repeats_are_numbered_in_file_order),
        cmocka_unit_test(identity_is_name_bitrate_resolution_encoder_preset),
        cmocka_unit_test(the_first_baseline_counts),
        cmocka_unit_test(regions_are_listed_once_in_order_of_appearance),
        cmocka_unit_test(a_run_may_be_empty),
        cmocka_unit_test(runs_may_share_scenarios),
        cmocka_unit_test(a_run_ends_with_the_last_of_its_scenarios),
        cmocka_unit_test(a_time_that_is_no_unix_time_dates_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
