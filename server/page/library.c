/*
 * library.c - the one symbol of page.so.
 */
#include "server/page/library.h"

extern const struct page_library encode_page;

#define REAL(name) .name = (name),

__attribute__((visibility("default")))
const struct page_library encode_page = { .abi = ENCODE_ABI, PAGE_FUNCTIONS(REAL) };
