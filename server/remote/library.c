/*
 * library.c - the one symbol of upstream.so.
 */
#include "server/remote/remote.h"

extern const struct remote encode_upstream;

#define REAL(name) .name = (name),

__attribute__((visibility("default")))
const struct remote encode_upstream = { .abi = ENCODE_ABI, REMOTE_FUNCTIONS(REAL) };
