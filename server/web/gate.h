/*
 * gate.h - what web_toolbox.so gives the program: the web config, which is server/doors.c,
 * server/web/ and server/toolbox/ but for what opens libraries.
 *
 * It is opened when there is a web config, so that the memory of libyaml, of libcrypt and
 * of all that judges such a file is paid for by those who use it. gate.c defines the
 * functions below in the program and passes them on; what the library calls of the program,
 * server/exports.txt names.
 */
#ifndef SERVER_WEB_GATE_H
#define SERVER_WEB_GATE_H

#include <stdint.h>

#include "server/doors.h"

/* The one symbol that the library shows: a const struct gate. */
#define GATE_SYMBOL "encode_doors"

/* Every function of the program that the library gives, once. */
#define GATE_FUNCTIONS(F)                                                              \
    F(doors_new)                                                                       \
    F(doors_guard)                                                                     \
    F(doors_watch)                                                                     \
    F(doors_reload)                                                                    \
    F(doors_stop)                                                                      \
    F(doors_free)                                                                      \
    F(doors_count)                                                                     \
    F(doors_check)                                                                     \
    F(doors_ask_tls)

#define GATE_MEMBER(name) __typeof__(name) *(name);

struct gate {
    uint32_t abi; /* ENCODE_ABI; first for ever, and looked at before all else */
    GATE_FUNCTIONS(GATE_MEMBER)
};

#endif
