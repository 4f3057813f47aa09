/* Encodes that are watched: what one run was charged for is not charged for in another. */
#include "core/watched.h"

#include "tests/unit/ledger_desk.h"

static struct scenario watched(const char *name, double kwh)
{
    struct scenario s = used(name, kwh, 0);

    s.watched = SCENARIO_RUNNING;
    return s;
}

static void a_results_file_goes_on_where_progress_was(void **state)
{
    (void)state;
    struct scenario s = watched("a_b", 2);
    struct desk d;

    open_desk(&d);
    tell(&d, WATCHED_RUN, &s, 1, NULL, false);
    s = watched("a b", 3);
    tell(&d, "r1", &s, 1, NULL, false);
    assert_near(usd(&d, "default"), 3, 1e-12);

    /* another file is the newest: its progress alone tells of it again */
    s = watched("a_b", 3);
    tell(&d, WATCHED_RUN, &s, 1, NULL, false);
    assert_near(usd(&d, "default"), 3, 1e-12);
    s = watched("a_b", 4);
    tell(&d, WATCHED_RUN, &s, 1, NULL, false);
    assert_near(usd(&d, "default"), 4, 1e-12);
    close_desk(&d);
}

static void what_a_file_was_charged_before_that_was_known_is_given_back(void **state)
{
    (void)state;
    struct scenario s = watched("a", 2);
    struct desk d;

    open_desk(&d);
    tell(&d, WATCHED_RUN, &s, 1, NULL, false);
    s = used("a", 4, 0);
    tell(&d, "r1", &s, 1, NULL, false);
    assert_near(usd(&d, "default"), 6, 1e-12);
    s = watched("a", 7);
    tell(&d, "r1", &s, 1, NULL, false);
    assert_near(usd(&d, "default"), 7, 1e-12);
    close_desk(&d);
}

static void a_file_that_tells_less_gives_back(void **state)
{
    (void)state;
    struct scenario s = watched("a", 2);
    struct desk d;

    open_desk(&d);
    tell(&d, WATCHED_RUN, &s, 1, NULL, false);
    s = watched("a", 1.5);
    tell(&d, "r1", &s, 1, NULL, false);
    assert_near(usd(&d, "default"), 2, 1e-12);
    s = used("b", 1, 0);
    tell(&d, "r2", &s, 1, NULL, false);
    assert_near(usd(&d, "default"), 2.5, 1e-12);
    close_desk(&d);
}

static void one_that_gets_a_size_when_it_ends_is_charged_once(void **state)
{
    (void)state;
    struct scenario s = used("a", 2, 0), other = used("b", 2, 0);
    const struct run *before;
    struct desk d;

    s.start_s = other.start_s = 2e9;
    s.facts.duration_s = NAN;
    open_desk(&d);
    before = make_run("r1", &s, 1);
    tell(&d, "r1", &s, 1, NULL, false);
    s.resolution = VIEW("640x360");
    s.end_s = 2e9 + 10;
    s.facts.duration_s = 10;
    s.facts.energy_j = 3 * 3.6e6;
    tell(&d, "r1", &s, 1, before, false);
    assert_near(usd(&d, "default"), 3, 1e-12);
    run_unref(before);

    /* Another encode in its place is another. */
    before = make_run("r1", &s, 1);
    tell(&d, "r1", &other, 1, before, false);
    assert_near(usd(&d, "default"), 5, 1e-12);
    run_unref(before);
    close_desk(&d);
}

static void one_that_begins_anew_is_charged_anew(void **state)
{
    (void)state;
    struct scenario s = watched("a", 2);
    struct desk d;

    open_desk(&d);
    s.start_s = 100;
    s.facts.duration_s = 50;
    tell(&d, WATCHED_RUN, &s, 1, NULL, false);
    s = watched("a", 0.5);
    s.start_s = 151;
    s.facts.duration_s = 1;
    tell(&d, WATCHED_RUN, &s, 1, NULL, false);
    assert_near(usd(&d, "default"), 2.5, 1e-12);

    /* and so is one that a file tells of later */
    s.start_s = 300;
    tell(&d, "r1", &s, 1, NULL, false);
    assert_near(usd(&d, "default"), 3, 1e-12);
    close_desk(&d);
}

static void files_of_one_name_are_two_encodes(void **state)
{
    (void)state;
    struct scenario s = watched("a", 2);
    struct desk d;

    open_desk(&d);
    tell(&d, "r1", &s, 1, NULL, false);
    tell(&d, "r2", &s, 1, NULL, false);
    assert_near(usd(&d, "default"), 4, 1e-12);
    close_desk(&d);
}

static void what_was_there_at_start_is_the_zero_of_both(void **state)
{
    (void)state;
    struct scenario s = watched("a", 2);
    struct desk d;

    open_desk(&d);
    tell(&d, WATCHED_RUN, &s, 1, NULL, true);
    tell(&d, WATCHED_RUN, &s, 1, NULL, true);
    s = watched("a", 3);
    tell(&d, "r1", &s, 1, NULL, false);
    assert_near(usd(&d, "default"), 1, 1e-12);
    gone(&d, "r1");
    tell(&d, WATCHED_RUN, &s, 1, NULL, true);
    assert_near(usd(&d, "default"), 1, 1e-12);
    close_desk(&d);
}

static void not_all_names_are_remembered(void **state)
{
    (void)state;
    struct charged_all all = { 0 };
    char name[16];

    for (int i = 0; i < CHARGED_MAX + 5; i++) {
        snprintf(name, sizeof name, "%d", i);
        charged_here(&all, view_of(name));
        charged_here(&all, VIEW("0"))->noted.level[0] =
            7; /* always the newest but one */
    }
    assert_int_equal(all.by_name.count, CHARGED_MAX);
    assert_true(charged_here(&all, VIEW("0"))->noted.level[0] == 7);
    charged_deinit(&all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_results_file_goes_on_where_progress_was),
        cmocka_unit_test(what_a_file_was_charged_before_that_was_known_is_given_back),
        cmocka_unit_test(a_file_that_tells_less_gives_back),
        cmocka_unit_test(one_that_gets_a_size_when_it_ends_is_charged_once),
        cmocka_unit_test(one_that_begins_anew_is_charged_anew),
        cmocka_unit_test(files_of_one_name_are_two_encodes),
        cmocka_unit_test(what_was_there_at_start_is_the_zero_of_both),
        cmocka_unit_test(not_all_names_are_remembered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
