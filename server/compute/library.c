/*
 * library.c - the one symbol of compute.so.
 */
#include "server/compute/library.h"

extern const struct compute_library encode_compute;

#define REAL(name) .name = (name),

__attribute__((visibility("default")))
const struct compute_library encode_compute = { .abi = ENCODE_ABI,
                                                COMPUTE_FUNCTIONS(REAL) };
