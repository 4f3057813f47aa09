#include "core/ladder.h"

#include "tests/unit/test.h"

static void wider_outputs_come_first_and_equal_ones_stay_in_order(void **state)
{
    (void)state;
    const struct derive_output outputs[] = { { 640, 360, 30 },
                                             { 1920, 800, 29.97 },
                                             { 1920, 1080, 25 },
                                             { 640, 360, 60 },
                                             { 0, 0, 0 } };
    struct arena a = { 0 };

    assert_view(ladder_label(outputs, 5, &a),
                "1920x1080@25,1920x800@29.97,640x360@30,640x360@60,0x0@0");
    arena_deinit(&a);
}

static void without_outputs_there_is_no_label(void **state)
{
    (void)state;
    struct arena a = { 0 };

    assert_view(ladder_label(NULL, 0, &a), "");
    arena_deinit(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wider_outputs_come_first_and_equal_ones_stay_in_order),
        cmocka_unit_test(without_outputs_there_is_no_label),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
