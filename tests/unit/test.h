/*
 * test.h - what every unit test includes, and the checks cmocka lacks.
 */
#ifndef TESTS_UNIT_TEST_H
#define TESTS_UNIT_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>

#include "core/view.h"

/* |got - want| <= tolerance * max(1, |want|); NaN equals NaN, +Inf equals +Inf. */
#define assert_near(got, want, tolerance)                                              \
    assert_near_at((got), (want), (tolerance), #got, __FILE__, __LINE__)

static inline void assert_near_at(double got, double want, double tolerance,
                                  const char *what, const char *file, int line)
{
    double size = fabs(want) > 1 ? fabs(want) : 1;

    if ((isnan(got) && isnan(want)) || got == want ||
        fabs(got - want) <= tolerance * size)
        return;
    print_error("%s: got %.17g, want %.17g\n", what, got, want);
    _fail(file, line);
}

#define assert_unknown(got) assert_near((got), NAN, 0)

#define assert_view(got, want) assert_view_at((got), (want), #got, __FILE__, __LINE__)

static inline void assert_view_at(struct view got, const char *want, const char *what,
                                  const char *file, int line)
{
    if (view_eq(got, view_of(want)))
        return;
    print_error("%s: got \"%.*s\", want \"%s\"\n", what, VIEW_ARG(got), want);
    _fail(file, line);
}

#endif
