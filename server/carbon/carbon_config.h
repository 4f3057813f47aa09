/*
 * carbon_config.h - flags: --electricity-maps….
 */
#ifndef SERVER_CARBON_CARBON_CONFIG_H
#define SERVER_CARBON_CARBON_CONFIG_H

#include "core/option.h"

struct carbon_config {
    const char *url;
    const char *token_file, *zone; /* both, or neither: NULL */
};

/* Fields of struct carbon_config. */
extern const struct option carbon_options[];

/* What follows from the texts. -EINVAL: e is one line that names flag and what is
 * allowed. */
int carbon_config_complete(struct carbon_config *c, struct err *e);

#endif
