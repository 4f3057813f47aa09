/*
 * upstream_config.h - flags: --prometheus-url and --upstream….
 */
#ifndef SERVER_UPSTREAM_UPSTREAM_CONFIG_H
#define SERVER_UPSTREAM_UPSTREAM_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "core/option.h"

/* What is asked for. */
enum upstream_quantity {
    UPSTREAM_POWER,      /* W */
    UPSTREAM_CORES,      /* cores in use */
    UPSTREAM_CONTAINERS, /* % of one core */
    UPSTREAM_ENERGY,     /* J of an interval, asked at its end */
    UPSTREAM_QUANTITIES,
};

struct upstream_config {
    const char *url; /* NULL: none */
    const char *preset;
    const char *queries[UPSTREAM_QUANTITIES]; /* "": not asked. Complete: never NULL */
    const char *username, *password_file, *bearer_token_file;
    const char *ca_file, *cert_file, *key_file, *proxy;
    bool insecure;
    uint64_t timeout_ms;
    uint32_t max_concurrent;
};

/* Fields of struct upstream_config. */
extern const struct option upstream_options[];

struct config;

/* Whether an upstream is to be asked at all: it has a URL, and --disable-load-aware, which
 * belongs to a module and says to ask none as well, is not set. */
bool upstream_wanted(const struct config *c);

/* What follows from the texts; the preset's queries are filled in. -EINVAL: e is one line
 * that names flag and what is allowed. */
int upstream_config_complete(struct upstream_config *c, struct err *e);

#endif
