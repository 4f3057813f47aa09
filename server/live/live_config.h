/*
 * live_config.h - flags: --live…, --stalled-after, --ingest, --qoe.frame-thresholds.
 */
#ifndef SERVER_LIVE_LIVE_CONFIG_H
#define SERVER_LIVE_LIVE_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"
#include "core/option.h"
#include "modules/live/tell.h"

enum live_ingest { INGEST_OFF, INGEST_LOOPBACK, INGEST_ALL };

enum { LIVE_THRESHOLDS_MAX = 32, LIVE_METRIC_MAX = 32 };

struct live_config {
    const char *on_text; /* --live on|off */
    bool on;
    uint64_t stalled_after_ms; /* 10 s */
    const char *ingest_text;   /* loopback|all|off */
    enum live_ingest ingest;
    uint32_t max_encodes;        /* names that are watched at a time: 1 000 */
    const char *thresholds_text; /* vmaf=70,vmaf=85,psnr=30,psnr=40 */
    struct live_threshold thresholds[LIVE_THRESHOLDS_MAX];
    char metrics[LIVE_THRESHOLDS_MAX][LIVE_METRIC_MAX]; /* names of those */
    uint32_t threshold_count;
};

/* Fields of struct live_config. */
extern const struct option live_options[];

/* What follows from the texts. -EINVAL: e is one line that names flag and what is
 * allowed. web_config: there is one (INGEST_ALL needs its passwords). */
int live_config_complete(struct live_config *c, bool web_config, struct err *e);

#endif
