/*
 * library.h - what compute.so gives the program.
 *
 * The library is opened with --qoe.compute alone. gate.c defines the functions of computation.h
 * in the program and passes them on; what the library calls of the program,
 * server/exports.txt names.
 */
#ifndef SERVER_COMPUTE_LIBRARY_H
#define SERVER_COMPUTE_LIBRARY_H

#include <stdint.h>

#include "server/compute/computation.h"

/* The one symbol that the library shows: a const struct compute_library. */
#define COMPUTE_SYMBOL "encode_compute"

/* Every function of the program that the library gives, once. */
#define COMPUTE_FUNCTIONS(F)                                                           \
    F(computation_new)                                                                 \
    F(computation_check)                                                               \
    F(computation_served)                                                              \
    F(computation_stop)                                                                \
    F(computation_free)

#define COMPUTE_MEMBER(name) __typeof__(name) *(name);

struct compute_library {
    uint32_t abi; /* ENCODE_ABI; first for ever, and looked at before all else */
    COMPUTE_FUNCTIONS(COMPUTE_MEMBER)
};

#endif
