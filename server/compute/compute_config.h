/*
 * compute_config.h - flags: --qoe.compute…, --ffmpeg.
 */
#ifndef SERVER_COMPUTE_COMPUTE_CONFIG_H
#define SERVER_COMPUTE_COMPUTE_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "core/option.h"

struct compute_config {
    bool on;             /* off by default */
    const char *ffmpeg;  /* with a '/': that file; else found by PATH */
    uint64_t timeout_ms; /* of one computation: 4 h */
    uint32_t threads;    /* of one computation: 1 */
};

/* Fields of struct compute_config. */
extern const struct option compute_options[];

/* -EINVAL: e is one line that names flag and what is allowed. live: encodes are watched. */
int compute_config_check(const struct compute_config *c, bool live, struct err *e);

#endif
