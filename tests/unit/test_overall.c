#include "tests/unit/module_host.h"

#include "server/body.h"
#include "server/overall.h"

/* The modules with their defaults, and what they remember. */
struct desk {
    struct config config;
    struct module_set *set;
    struct overall *o;
    struct segment_scratch scratch;
};

static const char *nothing(void *ctx, const char *name)
{
    (void)ctx;
    (void)name;
    return NULL;
}

static int set_up(void **state)
{
    static char program[] = "encode_exporter", price[] = "--energy-cost=1";
    char *argv[] = { program, price, NULL };
    struct desk *d = mem_zalloc(sizeof *d);
    struct err e = { 0 };

    if (config_parse(&d->config, 2, argv, nothing, NULL, &e) < 0 ||
        module_set_new(&d->config, true, &d->set, &e) < 0)
        fail_msg("%s", e.text);
    d->o = overall_new(d->set);
    *state = d;
    return 0;
}

static int tear_down(void **state)
{
    struct desk *d = *state;

    overall_free(d->o);
    segment_scratch_deinit(&d->scratch);
    assert_int_equal(d->set->refs, 1);
    module_set_unref(d->set);
    config_deinit(&d->config);
    free(d);
    return 0;
}

/* count scenarios of 1 kWh each, that differ in name. */
static const struct run *run_of(const char *id, uint32_t count)
{
    const struct scenario **all = mem_alloc((count + 1) * sizeof *all);
    const struct run *run;

    for (uint32_t i = 0; i < count; i++) {
        char name[16];

        snprintf(name, sizeof name, "s%u", (unsigned)i);

        struct scenario s = unknown_scenario(name);

        s.facts.energy_j = 3.6e6;
        all[i] = scenario_new(&s);
    }
    run = run_new(view_of(id), all, count);
    free(all);
    return run;
}

/* Tells that all of after is new; takes no reference. */
static void tell(struct desk *d, const struct run *before, const struct run *after)
{
    uint32_t *changed = mem_alloc((after->count + 1) * sizeof *changed);
    struct diff diff = {
        .id = after->id, .before = before, .after = after, .changed = changed
    };

    for (; diff.changed_count < after->count; diff.changed_count++)
        changed[diff.changed_count] = diff.changed_count;
    overall_tell(d->o, d->set, &diff, 1000);
    free(changed);
}

static void tell_gone(struct desk *d, const char *id)
{
    char text[16];
    struct diff diff = { .id = { text, strlen(id) } };

    memcpy(text, id, diff.id.n);
    overall_tell(d->o, d->set, &diff, 1000);
    memset(text, '?', sizeof text); /* the caller's text ends with the call */
}

static void begin(struct desk *d)
{
    const struct served served = { .newest_ok = true };

    overall_begin(d->o, d->set, &served);
}

static void make(struct desk *d)
{
    overall_make(d->o, &d->scratch, false);
    overall_end(d->o);
}

static struct chunk *chunk_of(const struct desk *d, const char *name)
{
    for (size_t i = 0, at = 0; i < registry_count; i++)
        for (size_t f = 0; f < registry[i]->family_count; f++, at++)
            if (strcmp(registry[i]->families[f].name, name) == 0)
                return overall_chunk(d->o, at);
    fail_msg("no family %s", name);
    return NULL;
}

static void assert_accrued(const struct desk *d, const char *value)
{
    const struct chunk *c = chunk_of(d, "cost_accrued_total");
    struct buf due = { 0 };

    buf_fmt(&due, "cost_accrued_total{region=\"default\",currency=\"USD\"} %s\n",
            value);
    assert_non_null(c);
    if (!view_eq((struct view){ c->text, c->n }, buf_as_view(&due)))
        fail_msg("due %.*sis  %.*s", VIEW_ARG(buf_as_view(&due)), (int)c->n, c->text);
    buf_deinit(&due);
}

static void what_is_told_is_in_the_next_chunks(void **state)
{
    struct desk *d = *state;
    const struct run *few = run_of("few", 3), *many = run_of("many", 5000);

    assert_null(chunk_of(d, "cost_accrued_total"));
    begin(d);
    make(d);
    assert_accrued(d, "0");
    tell(d, NULL, few);
    tell(d, NULL, many); /* waits */
    run_unref(many);     /* and is held meanwhile */
    assert_accrued(d, "0");
    begin(d);
    make(d);
    assert_accrued(d, "5003");
    run_unref(few);
}

static void what_is_told_meanwhile_comes_next(void **state)
{
    struct desk *d = *state;
    const struct run *few = run_of("few", 3), *more = run_of("few", 5);

    begin(d);
    tell(d, NULL, few);
    make(d);
    assert_accrued(d, "0");
    begin(d);
    tell(d, few, more);
    make(d);
    assert_accrued(d, "3");
    begin(d);
    make(d);
    assert_accrued(d, "5");
    run_unref(few);
    run_unref(more);
}

static void what_waits_is_told_in_order(void **state)
{
    struct desk *d = *state;
    const struct run *run = run_of("r", 1000), *small = run_of("r", 2);

    tell(d, NULL, run); /* waits, and so does all that follows: */
    tell(d, run, small);
    tell_gone(d, "r");    /* forgotten, */
    tell(d, NULL, small); /* so these two count again */
    begin(d);
    make(d);
    assert_accrued(d, "1002");
    run_unref(run);
    run_unref(small);
}

static void what_still_waits_at_the_end_is_freed(void **state)
{
    struct desk *d = *state;
    const struct run *run = run_of("r", 1000);

    tell(d, NULL, run);
    tell_gone(d, "r");
    run_unref(run);
}

static void chunks_that_say_the_same_stay(void **state)
{
    struct desk *d = *state;
    const struct run *run = run_of("r", 1);
    const struct chunk *price, *accrued;

    begin(d);
    make(d);
    price = chunk_of(d, "cost_electricity_price_per_kwh");
    accrued = chunk_of(d, "cost_accrued_total");
    assert_non_null(price);
    begin(d);
    make(d);
    assert_ptr_equal(chunk_of(d, "cost_electricity_price_per_kwh"), price);
    assert_ptr_equal(chunk_of(d, "cost_accrued_total"), accrued); /* both formats */
    assert_int_equal(price->refs, 1);
    tell(d, NULL, run);
    begin(d);
    make(d);
    assert_ptr_equal(chunk_of(d, "cost_electricity_price_per_kwh"), price);
    assert_accrued(d, "1");
    run_unref(run);
}

static void its_weight_grows_with_what_there_is_to_do(void **state)
{
    struct desk *d = *state;
    const struct run *many = run_of("many", 100000);
    struct served served = { 0 };
    uint64_t idle;

    begin(d);
    make(d);
    idle = overall_weight(d->o, &served);
    assert_in_range(idle, 0, 16);
    tell(d, NULL, many);
    assert_true(overall_weight(d->o, &served) > idle + 1000);
    begin(d);
    make(d);
    assert_int_equal(overall_weight(d->o, &served), idle);
    run_unref(many);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_told_is_in_the_next_chunks, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_is_told_meanwhile_comes_next, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_waits_is_told_in_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_still_waits_at_the_end_is_freed, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(chunks_that_say_the_same_stay, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(its_weight_grows_with_what_there_is_to_do,
                                        set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
