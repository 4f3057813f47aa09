/*
 * timeline.h - one measured quantity over time, on a grid of equal steps: power in watts,
 * use of cores, and whatever else has a rate.
 *
 * Cell k belongs to the Unix time k·step. What a cell holds is either the mean of the
 * interval that begins there (a sampler that reads counters) or the value at that instant
 * (the answer of a time series database). A cell nobody measured is NaN. Cells lie in
 * pages that exist where something was measured, so hours that are weeks apart cost no
 * more than hours side by side.
 */
#ifndef CORE_TIMELINE_H
#define CORE_TIMELINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TIMELINE_PAGE_CELLS = 512 };

struct timeline_page {
    int64_t number; /* of its first cell, in pages */
    double cells[TIMELINE_PAGE_CELLS];
};

struct timeline { /* zeroed but for step_s and of_means: empty */
    double step_s;
    bool of_means;
    struct timeline_page **pages; /* by number, ascending */
    size_t page_count, page_cap;
};

void timeline_deinit(struct timeline *t);

/* The cell that a Unix time lies in. A time beyond all grids, and NaN, has the outermost. */
int64_t timeline_cell(const struct timeline *t, double time_s);

/* NaN: not measured. What is set to NaN or to an infinity is not measured either. */
double timeline_get(const struct timeline *t, int64_t cell);
void timeline_set(struct timeline *t, int64_t cell, double value);

/* Makes the straight line between the known values around each hole that lies between two
 * known cells from `from` to `to` and is at most max_cells long; longer ones, and what is
 * missing at either end, stay. For holes in a measurement, before anything rests on it. */
void timeline_bridge(struct timeline *t, int64_t from, int64_t to, int64_t max_cells);

/* Forgets pages that end before this cell. */
void timeline_forget(struct timeline *t, int64_t before);

/* Bytes of memory. */
size_t timeline_bytes(const struct timeline *t);

/*
 * ∫ value dt from from_s to to_s, in the value's unit times seconds: watts → joules.
 * Means: each cell times the part of it that lies inside. Instants: the trapezoid rule
 * between neighbouring cells, cut exactly at both ends; a cell whose neighbour is unknown
 * bounds nothing. Unknown parts count as nothing; *covered_s (NULL is accepted) tells how
 * much of the time is known. NaN where nothing is.
 */
double timeline_total(const struct timeline *t, double from_s, double to_s,
                      double *covered_s);

/*
 * Whether enough is known of an interval to say what happened in it: nothing is missing at
 * its ends but at most slack_s of each, and at least the given part (0–1) of all of it is
 * known.
 */
bool timeline_covers(const struct timeline *t, double from_s, double to_s,
                     double slack_s, double least_part);

#endif
