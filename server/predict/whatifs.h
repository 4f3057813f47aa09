/*
 * whatifs.h - the configurations to predict: of the file of --predict.configs, or the
 * built-in ones.
 */
#ifndef SERVER_PREDICT_WHATIFS_H
#define SERVER_PREDICT_WHATIFS_H

#include "core/hash.h"
#include "modules/predict/outlook.h"
#include "server/config.h"

struct whatifs {   /* constant */
    unsigned refs; /* loop thread */
    struct whatif_list list;
    struct hash says; /* of the file's text */
};

/* One reference. On failure e names flag or file, key and reason. */
int whatifs_read(const struct config *c, struct whatifs **out, struct err *e);

void whatifs_unref(struct whatifs *w); /* NULL is accepted */

#endif
