/*
 * scored.h - encodes whose frames have scores, made by hand.
 */
#ifndef TESTS_UNIT_SCORED_H
#define TESTS_UNIT_SCORED_H

#include "tests/unit/test.h"

#include "modules/live/encode.h"

/* Appends a row: the score of each name; NaN: it has none. */
static inline void scored_row(struct frame_table *t, uint32_t number,
                              const char *const names[], const double scores[],
                              size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!isnan(scores[i]))
            frame_table_set(t, view_of(names[i]), scores[i]);
    assert_true(frame_table_commit(t, number));
}

/* One column, frames numbered from `first`, each `step` behind the other. */
static inline void scored_column(struct frame_table *t,
                                 struct frame_metric (*naming)(struct view name),
                                 const char *name, const double scores[], size_t n,
                                 uint32_t first, uint32_t step)
{
    frame_table_init(t, (struct frame_limits){ 0 }, naming);
    for (size_t i = 0; i < n; i++)
        scored_row(t, first + (uint32_t)i * step, &name, &scores[i], 1);
}

#endif
