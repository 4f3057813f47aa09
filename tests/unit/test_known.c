#include "tests/unit/made_lessons.h"

/* Presets whose cost jumps where others of the same encoder hardly differ. */
static void presets_may_stand_unevenly(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        double cost;
    } presets[] = { { "ultrafast", 1 }, { "superfast", 1.1 }, { "veryfast", 4 },
                    { "faster", 4.2 },  { "fast", 4.4 },      { "medium", 15 } };
    static const char *const sources[] = { "sea", "sky", "street", "stage" };
    struct made *m = made_new("run");
    struct outlook *o;

    for (size_t s = 0; s < 4; s++)
        for (size_t p = 0; p < 6; p++)
            for (int rate = 0; rate < 4; rate++) {
                double kbps = 300.0 * (1 << rate);
                struct lesson *l =
                    made_add(m, sources[s], "libx264", presets[p].name, kbps);

                l->y[TARGET_CORE_SECONDS] = 0.05 * presets[p].cost *
                                            (1 + 0.1 * (double)s) *
                                            pow(kbps / 300, 0.2);
            }
    o = look(m);
    assert_true(report_of(o, TARGET_CORE_SECONDS, SCOPE_KNOWN)->r2 > 0.999);
    outlook_free(o);
    free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(presets_may_stand_unevenly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
