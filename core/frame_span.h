/*
 * frame_span.h - what stands in a part of the scores of frames.
 *
 * Whoever draws ten hours of scores wants a thousand parts of them, and whoever looks for the
 * worst frames reads none of the good ones: so the figures of every FRAME_BLOCK scores
 * are kept beside them.
 */
#ifndef CORE_FRAME_SPAN_H
#define CORE_FRAME_SPAN_H

#include "core/frame_scores.h"

/* Of the scores with an index from `from` to below `end`, which is at most s->count. */
struct frame_span frame_scores_span(const struct frame_scores *s, size_t from,
                                    size_t end);

/* Mean of the finite scores; NaN: there is none. */
double frame_span_mean(const struct frame_span *p);

/*
 * Indexes of the n frames (at most FRAME_WORST_MAX) with the lowest scores among those from
 * `from` to below `end`, lowest first, of equals the earlier first. How many there are.
 */
size_t frame_scores_worst(const struct frame_scores *s, size_t from, size_t end,
                          size_t n, size_t out[]);

/* A score becomes part of *p, which is frame_span_none() at first. NaN is none. */
struct frame_span frame_span_none(void);
void frame_span_add(struct frame_span *p, double score);

#endif
