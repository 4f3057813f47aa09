/*
 * compare_config.h - flag: --qoe.bd-anchor.
 */
#ifndef SERVER_COMPARE_COMPARE_CONFIG_H
#define SERVER_COMPARE_COMPARE_CONFIG_H

#include "core/option.h"

struct compare_config {
    const char *anchor; /* "libx264 veryfast"; "": chosen set by set */
};

/* Fields of struct compare_config. */
extern const struct option compare_options[];

/* -EINVAL: e is one line that names flag and what is allowed. */
int compare_config_check(const struct compare_config *c, struct err *e);

#endif
