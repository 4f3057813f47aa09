/*
 * data.h - lessons of all runs in one fixed order, with texts of one numbering.
 */
#ifndef MODULES_PREDICT_DATA_H
#define MODULES_PREDICT_DATA_H

#include "core/arena.h"
#include "modules/predict/lesson.h"

#define ROW_ITSELF UINT32_MAX

struct row {
    const struct lesson *l;
    uint32_t run; /* its number in data.runs */
    uint32_t source, encoder, preset, quality_group, compute_group; /* texts */
    uint32_t copy_of; /* the row before it that is the same in all, at the same place of
                         another run: its file was copied. ROW_ITSELF: none */
};

struct data {
    const struct lessons **runs; /* by id; borrowed */
    size_t run_count;
    struct row *rows; /* by run and index in it */
    size_t count;
    struct view *texts; /* texts[0] is empty; in the arena that was given */
    uint32_t text_count;
    const atomic_bool *stop; /* borrowed; NULL: never */
};

/* True: what is being made of d, nobody wants any more. All of it is thrown away, so that
 * it may end anywhere. */
static inline bool data_unwanted(const struct data *d)
{
    return d->stop && atomic_load_explicit(d->stop, memory_order_relaxed);
}

/* The texts are copied into mem; the rest goes with data_deinit(). */
void data_init(struct data *d, const struct lessons *const all[], size_t count,
               struct arena *mem);
void data_deinit(struct data *d);

/* The number of a text; UINT32_MAX: no lesson has it. */
uint32_t data_text(const struct view texts[], uint32_t count, struct view text);

#endif
