#include "core/scenario.h"

#include "tests/unit/test.h"

#include <stdlib.h>

static void a_copy_owns_its_texts_and_params(void **state)
{
    (void)state;
    char name[] = "name", key[] = "tune", value[] = "film", host[] = "box";
    struct param params[] = { { view_of(key), view_of(value) },
                              { VIEW("gop"), VIEW("60") } };
    struct scenario from = { .name = view_of(name),
                             .host = view_of(host),
                             .output = VIEW("out.mkv"),
                             .params = params,
                             .param_count = 2,
                             .start_s = 5,
                             .facts = { .streams = 3 } };
    struct scenario *s = scenario_new(&from);

    memset(name, 'x', 4);
    memset(key, 'x', 4);
    memset(value, 'x', 4);
    memset(host, 'x', 3);
    memset(params, 0, sizeof params);
    assert_view(s->name, "name");
    assert_view(s->host, "box");
    assert_view(s->output, "out.mkv");
    assert_view(s->bitrate, "");
    assert_int_equal(s->param_count, 2);
    assert_view(s->params[0].key, "tune");
    assert_view(s->params[0].value, "film");
    assert_view(s->params[1].value, "60");
    assert_near(s->start_s, 5, 0);
    assert_near(s->facts.streams, 3, 0);
    scenario_unref(s);
}

static void the_last_holder_frees(void **state)
{
    (void)state;
    struct scenario from = { .name = VIEW("x") };
    const struct scenario *s = scenario_new(&from);

    assert_ptr_equal(scenario_ref(s), s);
    scenario_unref(s);
    assert_view(s->name, "x"); /* the address sanitizer knows if it is not ours */
    scenario_unref(s);
    scenario_unref(NULL);
}

static void bases_have_the_names_of_the_label(void **state)
{
    (void)state;
    assert_string_equal(energy_basis_name(ENERGY_NONE), "none");
    assert_string_equal(energy_basis_name(ENERGY_SAMPLES), "samples");
    assert_string_equal(energy_basis_name(ENERGY_SAMPLES_PARTIAL), "samples_partial");
    assert_string_equal(energy_basis_name(ENERGY_REPORTED), "reported");
    assert_string_equal(compute_basis_name(COMPUTE_NONE), "none");
    assert_string_equal(compute_basis_name(COMPUTE_USAGE), "usage");
    assert_string_equal(compute_basis_name(COMPUTE_USAGE_PARTIAL), "usage_partial");
    assert_string_equal(compute_basis_name(COMPUTE_REPORTED), "reported");
    assert_string_equal(compute_basis_name(COMPUTE_WALL_CLOCK), "wall_clock");
}

static void a_scenario_takes_less_than_a_kilobyte(void **state)
{
    (void)state;
    /* 10 000 of them with their texts are to stay below 10 MB. */
    assert_true(sizeof(struct scenario) <= 860);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_copy_owns_its_texts_and_params),
        cmocka_unit_test(the_last_holder_frees),
        cmocka_unit_test(bases_have_the_names_of_the_label),
        cmocka_unit_test(a_scenario_takes_less_than_a_kilobyte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
