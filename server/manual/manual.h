/*
 * manual.h - the man page and the completion of shells, from the option tables.
 *
 * Made by a program of its own when all is built, so that the exporter does not carry them.
 */
#ifndef SERVER_MANUAL_MANUAL_H
#define SERVER_MANUAL_MANUAL_H

#include "core/buf.h"

/*
 * The page in the man(7) macros: text with the lines that begin with '@' replaced by what
 * the tables hold. False: unknown names such a line; *bad is the line then.
 */
bool manual_page(struct view text, const char *date, struct buf *out, struct view *bad);

/* Scripts that complete flags, their values, topics of --help and `predict`. */
void manual_bash(struct buf *out);
void manual_zsh(struct buf *out);
void manual_fish(struct buf *out);

#endif
