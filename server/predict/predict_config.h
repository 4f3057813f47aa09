/*
 * predict_config.h - flags: --predict… and --ml.listen-address.
 */
#ifndef SERVER_PREDICT_PREDICT_CONFIG_H
#define SERVER_PREDICT_PREDICT_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/option.h"

struct predict_config {
    const char *on_text;
    bool on;                    /* from it */
    struct option_file configs; /* what-if configurations; its text is not kept here */
    double target_vmaf;
    uint32_t scenarios; /* newest so many are learned from */
    const char *listen; /* endpoint of predictions alone; "" is off */
};

/* Fields of struct predict_config. */
extern const struct option predict_options[];

/* What follows from the texts. -EINVAL: e is one line that names flag and what is
 * allowed. */
int predict_config_complete(struct predict_config *c, struct err *e);

/* The content of the file of --predict.configs, if one is named; else text stays empty.
 * -EINVAL, or an error that may pass (see opener_passes()): e names flag, file, reason. */
int predict_config_read(const struct predict_config *c, struct buf *text,
                        struct err *e);

#endif
