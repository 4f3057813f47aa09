#include "server/compute/pairs.h"

#include "tests/unit/module_host.h"

static struct scenario candidate(const char *name, double end_s)
{
    struct scenario s = unknown_scenario(name);

    s.end_s = end_s;
    s.output = VIEW("out.mp4");
    s.reference = VIEW("ref.mp4");
    return s;
}

/* Its name; "": none. What is next was looked at then. */
static const char *next(struct pairs *p, const struct run *run, bool vmaf)
{
    static char name[64];
    const struct scenario *s;
    struct pair *one = pairs_next(p, run, vmaf, &s);

    if (!one)
        return "";
    one->round = p->round;
    memcpy(one->hash, s->hash, sizeof one->hash);
    snprintf(name, sizeof name, "%.*s", VIEW_ARG(one->name));
    return name;
}

static void the_newest_comes_first_and_each_once_a_round(void **state)
{
    const struct scenario all[] = { candidate("a", 10), candidate("b", 30),
                                    candidate("c", 20), candidate("d", NAN) };
    const struct run *run = make_run("r", all, 4);
    struct pairs p = { .round = 1 };

    (void)state;
    for (int round = 1; round <= 2; round++) {
        assert_string_equal(next(&p, run, false), "b");
        assert_string_equal(next(&p, run, false), "c");
        assert_string_equal(next(&p, run, false), "a");
        assert_string_equal(next(&p, run, false), "d");
        assert_string_equal(next(&p, run, false), "");
        p.round++;
    }
    pairs_deinit(&p);
    run_unref(run);
}

static void what_is_meant(void **state)
{
    struct scenario all[7];
    const struct run *run;
    struct pairs p = { .round = 1 };

    (void)state;
    for (size_t i = 0; i < 7; i++)
        all[i] = candidate("x", 10);
    all[0].name = VIEW("no reference");
    all[0].reference = VIEW("");
    all[1].name = VIEW("no output");
    all[1].output = VIEW("");
    all[2].name = VIEW("a baseline");
    all[2].is_baseline = true;
    all[3].name = VIEW("runs");
    all[3].state = SCENARIO_RUNNING;
    all[4].name = VIEW("is watched");
    all[4].watched = SCENARIO_STALLED;
    all[5].name = VIEW("has scores");
    all[5].facts.psnr_db = 30;
    all[6].name = VIEW("has VMAF");
    all[6].facts.vmaf = 90;
    run = make_run("r", all, 7);
    assert_string_equal(next(&p, run, true), "has scores"); /* but no VMAF */
    assert_string_equal(next(&p, run, true), "");
    pairs_deinit(&p);
    p.round = 1;
    assert_string_equal(next(&p, run, false), "has VMAF");
    assert_string_equal(next(&p, run, false), "");
    pairs_deinit(&p);
    run_unref(run);
}

static void what_was_measured_is_looked_at_again(void **state)
{
    struct scenario s = candidate("a", 10);
    const struct run *before = make_run("r", &s, 1), *after;
    const struct scenario *found;
    struct pairs p = { .round = 1 };
    struct pair *one;

    (void)state;
    one = pairs_next(&p, before, false, &found);
    assert_true(pairs_wants(&p, one, before, false));
    one->round = 1;
    one->done = true;
    s.facts.psnr_db = 30; /* ours */
    after = make_run("r", &s, 1);
    assert_null(pairs_next(&p, after, false, &found));
    assert_true(pairs_wants(&p, one, after, false));
    p.round++;
    assert_ptr_equal(pairs_next(&p, after, false, &found), one);
    one->round = 2;
    run_unref(after);
    s.hash[1]++; /* its file tells something new */
    after = make_run("r", &s, 1);
    assert_ptr_equal(pairs_next(&p, after, false, &found), one);
    one->done = false; /* a log tells them now */
    assert_null(pairs_next(&p, after, false, &found));
    assert_false(pairs_wants(&p, one, after, false));
    pairs_deinit(&p);
    run_unref(before);
    run_unref(after);
}

static void other_files_make_another_pair(void **state)
{
    struct scenario s = candidate("a", 10);
    const struct run *before = make_run("r", &s, 1), *after;
    const struct scenario *found;
    struct pairs p = { .round = 1 };
    struct pair *one;

    (void)state;
    one = pairs_next(&p, before, false, &found);
    one->settled = true;
    s.output = VIEW("other.mp4");
    after = make_run("r", &s, 1);
    assert_false(pairs_wants(&p, one, after, false));
    one = pairs_next(&p, after, false, &found);
    assert_view(one->output, "other.mp4");
    assert_false(one->settled);
    assert_int_equal(p.by_name.count, 1);
    pairs_deinit(&p);
    run_unref(before);
    run_unref(after);
}

static void what_is_gone_is_forgotten(void **state)
{
    const struct scenario two[] = { candidate("a", 10), candidate("b", 30) };
    const struct run *both = make_run("r", two, 2), *first = make_run("r", two, 1);
    const struct run *other = make_run("s", two, 2);
    const struct scenario *found;
    struct pairs p = { .round = 1 };
    struct pair *one;

    (void)state;
    next(&p, both, false);
    next(&p, both, false);
    assert_int_equal(p.by_name.count, 2);
    assert_string_equal(next(&p, first, false), "");
    assert_int_equal(p.by_name.count, 1);
    one = pairs_next(&p, other, false, &found); /* nothing of it was looked at */
    assert_view(one->name, "b");
    assert_int_equal(p.by_name.count, 2);
    assert_false(pairs_wants(&p, one, both, false));
    assert_false(pairs_wants(&p, one, NULL, false));
    assert_null(pairs_next(&p, NULL, false, &found));
    assert_int_equal(p.by_name.count, 0);
    pairs_deinit(&p);
    run_unref(both);
    run_unref(first);
    run_unref(other);
}

/* Several of one name: the first is asked for once, not one after the other for ever. */
static void a_name_has_one_pair(void **state)
{
    struct scenario two[] = { candidate("a", 10), candidate("a", 30) };
    const struct run *run;
    struct pairs p = { .round = 1 };

    (void)state;
    two[1].hash[0] = 1;
    two[1].output = VIEW("other.mp4");
    run = make_run("r", two, 2);
    assert_true(pairs_ambiguous(run, VIEW("a")));
    assert_false(pairs_ambiguous(run, VIEW("b")));
    assert_string_equal(next(&p, run, false), "a");
    assert_string_equal(next(&p, run, false), "");
    pairs_deinit(&p);
    run_unref(run);
}

/* One search suffices for all of a round; what is due no more meanwhile is passed over. */
static void what_was_found_is_not_searched_again(void **state)
{
    enum { MANY = 3000 };
    struct scenario *all = calloc(MANY, sizeof *all);
    char(*names)[16] = calloc(MANY, sizeof *names);
    const struct scenario *found;
    const struct run *run;
    struct pairs p = { .round = 1 };
    struct pair *one;

    (void)state;
    for (size_t i = 0; i < MANY; i++) {
        snprintf(names[i], sizeof names[i], "%zu", i);
        all[i] = candidate(names[i], (double)i);
    }
    run = make_run("r", all, MANY);
    for (size_t i = MANY; i-- > 1;) {
        assert_string_equal(next(&p, run, false), names[i]);
        assert_int_equal(p.marks, 1);
    }
    one = pairs_next(&p, run, false, &found);
    assert_ptr_equal(pairs_next(&p, run, false, &found), one);
    memcpy(one->hash, found->hash, sizeof one->hash);
    one->round = p.round;
    assert_null(pairs_next(&p, run, false, &found));
    assert_null(p.found.run);
    pairs_deinit(&p);
    run_unref(run);
    free(names);
    free(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_newest_comes_first_and_each_once_a_round),
        cmocka_unit_test(what_is_meant),
        cmocka_unit_test(what_was_measured_is_looked_at_again),
        cmocka_unit_test(other_files_make_another_pair),
        cmocka_unit_test(what_is_gone_is_forgotten),
        cmocka_unit_test(a_name_has_one_pair),
        cmocka_unit_test(what_was_found_is_not_searched_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
