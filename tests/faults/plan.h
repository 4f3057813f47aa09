/*
 * plan.h - what a test and the library it preloads share: a file that both map.
 *
 * The test makes the file (sizeof(struct faults_control) zero bytes), names it in
 * FAULTS_CONTROL and writes plans and the clock; the library writes what it met. Every
 * number is of the host's order; tests/faults/faults.py knows the same layout.
 */
#ifndef TESTS_FAULTS_PLAN_H
#define TESTS_FAULTS_PLAN_H

#include <stdatomic.h>
#include <stdint.h>

enum {
    FAULTS_PLANS = 8,
    FAULTS_SKIPS = 256,
    FAULTS_SITES = 8192, /* a power of two */
    FAULTS_NAME = 24,
    FAULTS_FRAMES = 6,
    FAULTS_OBJECT = 32,
};

/* Which calls fail, and how. */
struct faults_plan {
    _Atomic uint32_t on;   /* written last */
    int32_t error;         /* errno; 0: only bytes counts */
    int64_t bytes;         /* reads and writes move no more than that; -1: no matter */
    uint64_t key;          /* of the one site; 0: all calls of function */
    uint64_t from;         /* so many calls pass first */
    uint64_t count;        /* then so many fail; UINT64_MAX: all */
    uint64_t every;        /* of those, each so-manieth alone; 0 and 1: all */
    _Atomic uint64_t met;  /* calls that the plan is about */
    _Atomic uint64_t done; /* calls that were changed */
    char function[FAULTS_NAME];
};

/* A place that calls one of the functions. */
struct faults_site {
    _Atomic uint64_t key; /* 0: free; the same in every process of a binary */
    _Atomic uint64_t hits;
    _Atomic uint32_t complete;      /* the rest is written */
    uint16_t by_library;            /* the call itself stands in a library */
    uint16_t kind;                  /* of its descriptor: s p f d a; 0: it has none */
    uint64_t frames[FAULTS_FRAMES]; /* of ours: return addresses, see own_objects */
    uint64_t caller;                /* the call itself, less the base of its object */
    char object[FAULTS_OBJECT];     /* whose that is */
    char function[FAULTS_NAME];
};

struct faults_control {
    _Atomic uint32_t record;   /* sites are noted */
    _Atomic uint32_t attached; /* processes that mapped the file */
    _Atomic int64_t clock_ns;  /* added to the real-time clock */
    _Atomic uint64_t lost;     /* calls whose site found no room */
    uint32_t skip_count;
    uint32_t unused;
    uint64_t skips[FAULTS_SKIPS][2]; /* functions that only pass calls on: [from, to) */
    struct faults_plan plans[FAULTS_PLANS];
    struct faults_site sites[FAULTS_SITES];
};

#endif
