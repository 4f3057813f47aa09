/*
 * library.h - what compare.so gives the program: modules/compare/ and what serves it.
 *
 * The library is opened where QoE is served, so that its size is not the program's. gate.c
 * defines the functions of comparison.h in the program and passes them on; what the library
 * calls of the program, server/exports.txt names.
 */
#ifndef SERVER_COMPARE_LIBRARY_H
#define SERVER_COMPARE_LIBRARY_H

#include <stdint.h>

#include "server/compare/comparison.h"

/* The one symbol that the library shows: a const struct compare_library. */
#define COMPARE_SYMBOL "encode_compare"

/* Every function of the program that the library gives, once. */
#define COMPARE_FUNCTIONS(F)                                                           \
    F(comparison_new)                                                                  \
    F(comparison_start)                                                                \
    F(comparison_served)                                                               \
    F(comparison_settled)                                                              \
    F(comparison_stop)                                                                 \
    F(comparison_free)

#define COMPARE_MEMBER(name) __typeof__(name) *(name);

struct compare_library {
    uint32_t abi; /* ENCODE_ABI; first for ever, and looked at before all else */
    COMPARE_FUNCTIONS(COMPARE_MEMBER)
};

#endif
