/*
 * overall.h - samples about everything: what modules remember of all runs, and the chunks
 * of what they say of it.
 *
 * What happens to runs is told to the modules in order. Small changes are told at once;
 * large ones wait, and overall_make(), which may run on the pool, tells them first: a
 * module that notes 100 000 scenarios takes longer than the loop may be kept.
 */
#ifndef SERVER_OVERALL_H
#define SERVER_OVERALL_H

#include "server/segment.h"

struct overall;

struct overall *overall_new(const struct module_set *set);
void overall_free(struct overall *o);

/* What happened to a run; d is copied where it has to wait. Loop thread. */
void overall_tell(struct overall *o, const struct module_set *set, const struct diff *d,
                  double now_s);

/* What overall_make() would cost, in scenarios rendered. */
uint64_t overall_weight(const struct overall *o, const struct served *served);

/*
 * New chunks, in three steps: begin and end on the loop, make in between on any thread,
 * once. set and what is served are held until the end. deflated: large chunks get their
 * block instead of their text.
 */
void overall_begin(struct overall *o, struct module_set *set,
                   const struct served *served);
void overall_make(struct overall *o, struct segment_scratch *scratch, bool deflated);
void overall_end(struct overall *o);

/* The chunk of a family, as of the last end; NULL: no sample. Borrowed. */
struct chunk *overall_chunk(const struct overall *o, size_t family);

#endif
