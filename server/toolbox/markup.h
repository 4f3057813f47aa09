/*
 * markup.h - a YAML text, step by step: see toolbox.h.
 */
#ifndef SERVER_TOOLBOX_MARKUP_H
#define SERVER_TOOLBOX_MARKUP_H

#include "server/web/toolbox.h"

int markup_read(struct view text, markup_fn *f, void *ctx, unsigned *line,
                struct err *e);

#endif
