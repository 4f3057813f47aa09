/*
 * ladder.h - the outputs of one encode as one label.
 */
#ifndef CORE_LADDER_H
#define CORE_LADDER_H

#include "core/arena.h"
#include "core/derive.h"

/*
 * "1920x1080@30,640x360@30": widest first, then highest, then as given. Every size and
 * rate is known. Empty: there are no outputs.
 */
struct view ladder_label(const struct derive_output outputs[], size_t count,
                         struct arena *mem);

#endif
