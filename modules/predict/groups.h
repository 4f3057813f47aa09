/*
 * groups.h - which lessons may be compared with each other.
 */
#ifndef MODULES_PREDICT_GROUPS_H
#define MODULES_PREDICT_GROUPS_H

#include "modules/predict/features.h"

enum { GROUPS_MAX = 100 }; /* models of one target: the groups with most lessons */

struct group {
    uint32_t text; /* number of what sets it apart */
    enum kind kind;
    const uint32_t *rows; /* by source, then as in the data */
    size_t n, measured;   /* those with a value of the target */
    bool by_quality;
};

struct groups {
    struct group *all; /* most measured first, ties by text; at most GROUPS_MAX */
    size_t count;
    uint32_t *rows;
};

/* Of all lessons that can be asked of t; groups without any value are none. */
void groups_init(struct groups *g, const struct data *d, enum target t);
void groups_deinit(struct groups *g);

/* The one that answers for bit rates: the first that is not by quality and knows them.
 * NULL: there is none. */
const struct group *groups_main(const struct groups *g);

#endif
