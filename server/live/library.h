/*
 * library.h - what live.so gives the program.
 *
 * gate.c defines the functions of live.h in the program and passes them on; what the library
 * calls of the program, server/exports.txt names.
 */
#ifndef SERVER_LIVE_LIBRARY_H
#define SERVER_LIVE_LIBRARY_H

#include <stdint.h>

#include "server/live/live.h"

/* The one symbol that the library shows: a const struct live_library. */
#define LIVE_SYMBOL "encode_live"

/* Every function of the program that the library gives, once. */
#define LIVE_FUNCTIONS(F)                                                              \
    F(live_new)                                                                        \
    F(live_check)                                                                      \
    F(live_named)                                                                      \
    F(live_served)                                                                     \
    F(live_intake)                                                                     \
    F(live_measured)                                                                   \
    F(live_unmeasured)                                                                 \
    F(live_body)                                                                       \
    F(live_changes)                                                                    \
    F(live_items)                                                                      \
    F(live_item_json)                                                                  \
    F(live_frames)                                                                     \
    F(live_about)                                                                      \
    F(live_last)                                                                       \
    F(live_stop)                                                                       \
    F(live_free)

#define LIVE_MEMBER(name) __typeof__(name) *(name);

struct live_library {
    uint32_t abi; /* ENCODE_ABI; first for ever, and looked at before all else */
    LIVE_FUNCTIONS(LIVE_MEMBER)
};

#endif
