/*
 * library.c - the one symbol of web_toolbox.so.
 */
#include "server/web/gate.h"

extern const struct gate encode_doors;

#define REAL(name) .name = (name),

__attribute__((visibility("default")))
const struct gate encode_doors = { .abi = ENCODE_ABI, GATE_FUNCTIONS(REAL) };
