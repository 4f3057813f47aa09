/*
 * ranking.h - files in the order of which is newer.
 *
 * "Newest" is decided by the time in the names where both names have one and by
 * modification time otherwise: one list holds the files with a time in their name,
 * another all others, each sorted, and a walk from the newest down merges the two by
 * modification time. With another rule than NEWEST_AUTO all files are in one list. The
 * lists are sorted when somebody walks, not when a file is added, so that the first
 * scan of 50 000 names is one sort.
 */
#ifndef CORE_RANKING_H
#define CORE_RANKING_H

#include "core/view.h"

#include <stdint.h>

enum newest_rule {
    NEWEST_AUTO, /* YYYYMMDD_HHMMSS in the names where both have it, else mtime */
    NEWEST_NAME,
    NEWEST_MTIME,
};

struct ranked { /* first member of what is ranked */
    struct view id;
    struct view stamp; /* the YYYYMMDD_HHMMSS in id; empty: none, or not asked for */
    int64_t mtime_ns;
    bool gone; /* removed; freed when its list is put in order */
};

struct ranked_list { /* oldest first */
    struct ranked **r;
    size_t count, cap;
    size_t sorted; /* so many from the front are in order */
    bool holes;    /* some are gone */
};

struct ranking { /* zero-initialised but for the rule: empty */
    enum newest_rule rule;
    struct ranked_list named, timed;
};

/* Takes r, one block of the heap whose id and mtime_ns are set. */
void ranking_add(struct ranking *k, struct ranked *r);

/* r gets another modification time; O(n) where that decides. */
void ranking_set_mtime(struct ranking *k, struct ranked *r, int64_t mtime_ns);

/* r must not be used any more once the loop goes on; its memory goes by and by. */
void ranking_remove(struct ranking *k, struct ranked *r);

/* Frees everything; last() is called for each before. */
void ranking_deinit(struct ranking *k, void (*last)(struct ranked *r));

struct ranking_walk {
    const struct ranking *k;
    size_t named, timed; /* how many of each list are still to come */
};

/* From the newest down, until NULL. Nothing may be added meanwhile. */
struct ranking_walk ranking_walk(struct ranking *k);
struct ranked *ranking_next(struct ranking_walk *w);

#endif
