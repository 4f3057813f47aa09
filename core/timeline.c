/*
 * timeline.c - cells in pages, and what lies between two times.
 *
 * Both kinds of cells are read as segments, one for each step: means are level, instants
 * are the straight line to the next one. So one walk serves totals and coverage of both,
 * it touches only pages that exist, and totals of adjacent intervals add up.
 */
#include "core/timeline.h"
#include "core/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Of times in seconds: their doubles lie 0.24 µs apart in this century. */
static const double time_tolerance_s = 1e-6;

/* Numbers beyond this have no neighbours of their own; also where NaN ends. */
static const double cell_max = 0x1p53;

void timeline_deinit(struct timeline *t)
{
    for (size_t i = 0; i < t->page_count; i++)
        free(t->pages[i]);
    free(t->pages);
    t->pages = NULL;
    t->page_count = t->page_cap = 0;
}

int64_t timeline_cell(const struct timeline *t, double time_s)
{
    return (int64_t)fmin(fmax(floor(time_s / t->step_s), -cell_max), cell_max);
}

/* ---- pages ----------------------------------------------------------------------- */

static int64_t page_of(int64_t cell)
{
    int64_t page = cell / TIMELINE_PAGE_CELLS;

    return page - (cell % TIMELINE_PAGE_CELLS < 0);
}

static size_t slot_of(int64_t cell)
{
    return (size_t)(cell - page_of(cell) * TIMELINE_PAGE_CELLS);
}

/* Index of the first page of this number or above. What is read or written most is at
 * the end. */
static size_t find_page(const struct timeline *t, int64_t number)
{
    size_t low = 0, high = t->page_count;

    if (high && t->pages[high - 1]->number < number)
        return high;
    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (t->pages[middle]->number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_page(const struct timeline *t, size_t i, int64_t number)
{
    return i < t->page_count && t->pages[i]->number == number;
}

static void add_page(struct timeline *t, size_t i, int64_t number)
{
    struct timeline_page *page = mem_alloc(sizeof *page);

    page->number = number;
    for (size_t k = 0; k < TIMELINE_PAGE_CELLS; k++)
        page->cells[k] = NAN;
    if (t->page_count == t->page_cap) {
        t->page_cap = t->page_cap ? t->page_cap * 2 : 4;
        t->pages = mem_resize(t->pages, t->page_cap, sizeof(struct timeline_page *));
    }
    memmove(&t->pages[i + 1], &t->pages[i],
            (t->page_count - i) * sizeof(struct timeline_page *));
    t->pages[i] = page;
    t->page_count++;
}

double timeline_get(const struct timeline *t, int64_t cell)
{
    size_t i = find_page(t, page_of(cell));

    return is_page(t, i, page_of(cell)) ? t->pages[i]->cells[slot_of(cell)] : NAN;
}

void timeline_set(struct timeline *t, int64_t cell, double value)
{
    int64_t number = page_of(cell);
    size_t i = find_page(t, number);

    if (!isfinite(value))
        value = NAN;
    if (!is_page(t, i, number)) {
        if (isnan(value))
            return;
        add_page(t, i, number);
    }
    t->pages[i]->cells[slot_of(cell)] = value;
}

void timeline_forget(struct timeline *t, int64_t before)
{
    size_t gone = find_page(t, page_of(before));

    if (gone == 0)
        return;
    for (size_t i = 0; i < gone; i++)
        free(t->pages[i]);
    t->page_count -= gone;
    memmove(t->pages, t->pages + gone, t->page_count * sizeof(struct timeline_page *));
}

size_t timeline_bytes(const struct timeline *t)
{
    return t->page_cap * sizeof(struct timeline_page *) +
           t->page_count * sizeof(struct timeline_page);
}

/* ---- holes ----------------------------------------------------------------------- */

/* The first cell from here on that is known, up to last; last + 1: there is none. */
static int64_t next_known(const struct timeline *t, int64_t cell, int64_t last)
{
    for (size_t i = find_page(t, page_of(cell)); i < t->page_count; i++) {
        const struct timeline_page *page = t->pages[i];
        int64_t base = page->number * TIMELINE_PAGE_CELLS;

        for (cell = base > cell ? base : cell; cell < base + TIMELINE_PAGE_CELLS;
             cell++) {
            if (cell > last)
                return last + 1;
            if (!isnan(page->cells[cell - base]))
                return cell;
        }
    }
    return last + 1;
}

static void draw_line(struct timeline *t, int64_t from, int64_t to)
{
    double a = timeline_get(t, from), b = timeline_get(t, to);
    double steps = (double)(to - from);

    for (int64_t cell = from + 1; cell < to; cell++)
        timeline_set(t, cell, a + (b - a) * ((double)(cell - from) / steps));
}

void timeline_bridge(struct timeline *t, int64_t from, int64_t to, int64_t max_cells)
{
    int64_t cell = next_known(t, from, to);

    while (cell < to) {
        int64_t next = next_known(t, cell + 1, to);

        if (next > to)
            return;
        if (next - cell - 1 <= max_cells)
            draw_line(t, cell, next);
        cell = next;
    }
}

/* ---- intervals ------------------------------------------------------------------- */

struct known {
    double total;
    double covered_s;
    double first_s, last_s; /* where what is known begins and ends; NaN: nothing is */
};

/* What is at the end of the segment that begins in this cell. */
static double end_value(const struct timeline *t, size_t page, size_t slot)
{
    const struct timeline_page *p = t->pages[page];

    if (t->of_means)
        return p->cells[slot];
    if (slot + 1 < TIMELINE_PAGE_CELLS)
        return p->cells[slot + 1];
    return is_page(t, page + 1, p->number + 1) ? t->pages[page + 1]->cells[0] : NAN;
}

/* The part of a segment that lies between two times: the mean of the line there is what
 * it is in the middle. */
static void add_segment(struct known *k, const struct timeline *t, int64_t cell,
                        const double ends[2], double from_s, double to_s)
{
    double begin_s = (double)cell * t->step_s;
    double a_s = fmax(begin_s, from_s);
    double b_s = fmin((double)(cell + 1) * t->step_s, to_s);
    double middle = ((a_s - begin_s) + (b_s - begin_s)) / 2 / t->step_s;

    if (!(a_s < b_s))
        return;
    k->total += (ends[0] + (ends[1] - ends[0]) * middle) * (b_s - a_s);
    k->covered_s += b_s - a_s;
    if (isnan(k->first_s))
        k->first_s = a_s;
    k->last_s = b_s;
}

static struct known measure(const struct timeline *t, double from_s, double to_s)
{
    struct known k = { 0, 0, NAN, NAN };
    int64_t first = timeline_cell(t, from_s), last = timeline_cell(t, to_s);

    if (!(from_s < to_s))
        return k;
    for (size_t i = find_page(t, page_of(first)); i < t->page_count; i++) {
        const struct timeline_page *page = t->pages[i];
        int64_t base = page->number * TIMELINE_PAGE_CELLS;

        for (int64_t cell = base > first ? base : first;
             cell < base + TIMELINE_PAGE_CELLS; cell++) {
            double ends[2] = { page->cells[cell - base], NAN };

            if (cell > last)
                return k;
            if (isnan(ends[0]))
                continue;
            ends[1] = end_value(t, i, (size_t)(cell - base));
            if (!isnan(ends[1]))
                add_segment(&k, t, cell, ends, from_s, to_s);
        }
    }
    return k;
}

double timeline_total(const struct timeline *t, double from_s, double to_s,
                      double *covered_s)
{
    struct known k = measure(t, from_s, to_s);

    if (covered_s)
        *covered_s = k.covered_s;
    return k.covered_s > 0 ? k.total : NAN;
}

bool timeline_covers(const struct timeline *t, double from_s, double to_s,
                     double slack_s, double least_part)
{
    struct known k = measure(t, from_s, to_s);

    return k.covered_s > 0 && k.first_s - from_s <= slack_s + time_tolerance_s &&
           to_s - k.last_s <= slack_s + time_tolerance_s &&
           k.covered_s >= least_part * (to_s - from_s) - time_tolerance_s;
}
