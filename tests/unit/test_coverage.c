/*
 * 95 % intervals hold about 95 % of what comes: of left-out encodes, and of encodes of
 * sources that are drawn anew, over many made-up sets of lessons.
 */
#include "tests/unit/made_lessons.h"

enum { SETS = 40, SOURCES = 6, DRAWN = 20 };

static uint64_t seed;

static double chance(void)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (double)(seed >> 11) / 9007199254740992.0;
}

/* Box and Muller: of a normal distribution. */
static double normal(void)
{
    double radius = sqrt(-2 * log(1 - chance()));

    return radius * cos(6.283185307179586 * chance());
}

/* The log of core-seconds: sources differ by 0.3, encodes of one by 0.1. */
static double truth(double kbps, int encoder, double of_source)
{
    return 0.3 * log(kbps / 576) + 0.5 * encoder + of_source + 0.1 * normal();
}

static struct made *draw(void)
{
    struct made *m = made_new("drawn");

    for (int s = 0; s < SOURCES; s++) {
        double of_source = 0.3 * normal();
        char name[16];

        snprintf(name, sizeof name, "s%d", s);
        for (int i = 0; i < 8; i++) {
            double kbps = 200.0 * (1 << i % 4);
            const char *encoder = i < 4 ? "libx264" : "libx265";
            struct lesson *l = made_add(m, name, encoder, "fast", kbps);

            l->y[TARGET_CORE_SECONDS] = exp(truth(kbps, i >= 4, of_source));
        }
    }
    return m;
}

static void intervals_hold_what_they_say(void **state)
{
    (void)state;
    double known = 0, nested = 0, drawn = 0;

    seed = 20261121;
    for (int set = 0; set < SETS; set++) {
        struct made *m = draw();
        struct outlook *o = look(m);
        struct whatif_outlook w = ask(o, "libx265", 600);

        known += report_of(o, TARGET_CORE_SECONDS, SCOPE_KNOWN)->coverage / SETS;
        nested += report_of(o, TARGET_CORE_SECONDS, SCOPE_NEW)->coverage / SETS;
        for (int i = 0; i < DRAWN; i++) {
            double y = exp(truth(600, 1, 0.3 * normal()));

            drawn += (w.core_seconds.low <= y && y <= w.core_seconds.high) /
                     (double)(SETS * DRAWN);
        }
        outlook_free(o);
        free(m);
    }
    print_message("known %.3f, new %.3f, drawn anew %.3f\n", known, nested, drawn);
    assert_true(known > 0.92 && known < 0.98);
    assert_true(nested > 0.90 && nested < 0.995);
    assert_true(drawn > 0.90 && drawn < 0.995);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(intervals_hold_what_they_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
