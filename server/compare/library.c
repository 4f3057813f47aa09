/*
 * library.c - the one symbol of compare.so.
 */
#include "server/compare/library.h"

extern const struct compare_library encode_compare;

#define REAL(name) .name = (name),

__attribute__((visibility("default")))
const struct compare_library encode_compare = { .abi = ENCODE_ABI,
                                                COMPARE_FUNCTIONS(REAL) };
