/*
 * beneath.h - opens names in a directory, and nothing that lies outside it.
 *
 * Symbolic links are followed as long as every step stays in the directory or below it,
 * whoever renames what meanwhile. An absolute link may spell the directory's own path
 * and goes on from the directory then. Any thread.
 */
#ifndef SERVER_SOURCES_BENEATH_H
#define SERVER_SOURCES_BENEATH_H

#include "core/err.h"

/*
 * As openat(dirfd, name, flags | O_CLOEXEC): the descriptor, or a negative errno with
 * the reason in e, which does not tell the name. -EXDEV: a link leads out. -EAGAIN:
 * somebody keeps swapping what is on the way. flags do not ask for anything to be made.
 */
int beneath_open(int dirfd, const char *name, int flags, struct err *e);

/* What the system said, as a sentence; returns -code. */
int beneath_fail(int code, struct err *e);

#endif
