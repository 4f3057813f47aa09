/*
 * mem.h - heap memory that cannot run out.
 *
 * Limits are checked at the door, so behind it an allocation that fails means that
 * the machine has no memory left: one line on stderr, exit status 1, no signal.
 */
#ifndef CORE_MEM_H
#define CORE_MEM_H

#include <stddef.h>

void *mem_alloc(size_t n);                            /* not zeroed */
void *mem_zalloc(size_t n);                           /* zeroed */
void *mem_resize(void *p, size_t count, size_t size); /* as reallocarray() */
char *mem_strdup(const char *s);                      /* NULL gives NULL */

/* Ends the process the same way: a library said that there is no memory for n bytes
 * (0: it did not say how many). */
__attribute__((noreturn)) void mem_exhausted(size_t n);

#endif
