/*
 * push_config.h - flags: --push….
 */
#ifndef SERVER_PUSH_PUSH_CONFIG_H
#define SERVER_PUSH_PUSH_CONFIG_H

#include <stdint.h>

#include "core/option.h"

struct push_config {
    const char *url;      /* NULL: none */
    const char *labels;   /* "k=v,k=v"; NULL: none */
    uint64_t interval_ms; /* 0: only at the end */
    const char *username, *password_file, *bearer_token_file, *ca_file;
};

/* Fields of struct push_config. */
extern const struct option push_options[];

/* What follows from the texts. -EINVAL: e is one line that names flag and what is
 * allowed. */
int push_config_complete(struct push_config *c, struct err *e);

#endif
