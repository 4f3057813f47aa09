/*
 * library.h - what page.so gives the program: the page and all that it loads.
 *
 * The library is opened when the program begins to serve. gate.c defines the functions of
 * page.h in the program and passes them on; what the library calls of the program,
 * server/exports.txt names.
 */
#ifndef SERVER_PAGE_LIBRARY_H
#define SERVER_PAGE_LIBRARY_H

#include <stdint.h>

#include "server/page/page.h"

/* The one symbol that the library shows: a const struct page_library. */
#define PAGE_SYMBOL "encode_page"

/* Every function of the program that the library gives, once. */
#define PAGE_FUNCTIONS(F)                                                              \
    F(page_new)                                                                        \
    F(page_answer)                                                                     \
    F(page_stop)                                                                       \
    F(page_free)

#define PAGE_MEMBER(name) __typeof__(name) *(name);

struct page_library {
    uint32_t abi; /* ENCODE_ABI; first for ever, and looked at before all else */
    PAGE_FUNCTIONS(PAGE_MEMBER)
};

#endif
