/*
 * upstream_config.h - flags: --prometheus-url and --upstream….
 */
#ifndef SERVER_UPSTREAM_UPSTREAM_CONFIG_H
#define SERVER_UPSTREAM_UPSTREAM_CONFIG_H

#include "core/option.h"

struct upstream_config {
    const char *url; /* NULL: none */
};

/* Fields of struct upstream_config. */
extern const struct option upstream_options[];

/* What follows from the texts. -EINVAL: e is one line that names flag and what is
 * allowed. */
int upstream_config_complete(struct upstream_config *c, struct err *e);

#endif
