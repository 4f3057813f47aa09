/*
 * library.c - the one symbol of live.so.
 */
#include "server/live/library.h"

extern const struct live_library encode_live;

#define REAL(name) .name = (name),

__attribute__((visibility("default")))
const struct live_library encode_live = { .abi = ENCODE_ABI, LIVE_FUNCTIONS(REAL) };
