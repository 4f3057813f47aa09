/*
 * layout.h - which scenarios are rendered together.
 *
 * A segment is some 256 neighbouring scenarios: a change renders one segment again, and
 * an answer is made of whole segments. A large run is cut every 256 scenarios from its
 * beginning; small runs share a segment, with borders where the hash of a run's id says
 * so. Borders depend on neither history nor distant runs: the same files give the same
 * segments, and a run that comes or goes moves only the borders next to it.
 */
#ifndef SERVER_LAYOUT_H
#define SERVER_LAYOUT_H

#include "core/module.h"

struct piece { /* consecutive scenarios of one run */
    const struct run *run;
    uint32_t first, count;
    int64_t mtime_ns; /* of the file that the run was read from; Unix time */
};

struct span { /* consecutive pieces: one segment */
    size_t first, count;
};

struct layout { /* zero-initialised: empty; reused by layout_make() */
    struct piece *pieces;
    size_t piece_count, piece_cap;
    struct span *spans;
    size_t span_count, span_cap;
};

/* Runs are borrowed. Runs without scenarios are left out. */
void layout_make(struct layout *l, const struct served *served);
void layout_deinit(struct layout *l);

#endif
