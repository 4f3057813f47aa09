/*
 * remote.h - what upstream.so gives the program: all that talks to other servers, which
 * are server/upstream/, server/push/, server/carbon/, server/fetch/ and server/curl/.
 *
 * The library is opened when a URL is configured, so that the memory and the size of it are
 * paid for by those who use it. gate.c defines the functions below in the program and
 * passes them on; what the library calls of the program, server/exports.txt names.
 */
#ifndef SERVER_REMOTE_REMOTE_H
#define SERVER_REMOTE_REMOTE_H

#include <stdint.h>

#include "server/carbon/carbon.h"
#include "server/fetch/fetch.h"
#include "server/push/push.h"
#include "server/upstream/upstream.h"

/* The one symbol that the library shows: a const struct remote. */
#define REMOTE_SYMBOL "encode_upstream"

/* Every function of the program that the library gives, once. */
#define REMOTE_FUNCTIONS(F)                                                            \
    F(fetch_library_version)                                                           \
    F(upstream_new)                                                                    \
    F(upstream_stop)                                                                   \
    F(upstream_reloaded)                                                               \
    F(upstream_check)                                                                  \
    F(upstream_series_of)                                                              \
    F(upstream_want)                                                                   \
    F(upstream_energy)                                                                 \
    F(upstream_power)                                                                  \
    F(upstream_cores)                                                                  \
    F(upstream_containers)                                                             \
    F(upstream_settled)                                                                \
    F(upstream_busy)                                                                   \
    F(upstream_reopened)                                                               \
    F(upstream_same_power)                                                             \
    F(upstream_same_cores)                                                             \
    F(push_new)                                                                        \
    F(push_stop)                                                                       \
    F(push_check)                                                                      \
    F(push_last)                                                                       \
    F(carbon_new)                                                                      \
    F(carbon_stop)                                                                     \
    F(carbon_check)                                                                    \
    F(carbon_now)

#define REMOTE_MEMBER(name) __typeof__(name) *(name);

struct remote {
    uint32_t abi; /* ENCODE_ABI; first for ever, and looked at before all else */
    REMOTE_FUNCTIONS(REMOTE_MEMBER)
};

#endif
