/*
 * encodes.h - encodes that are watched, as records of the board.
 */
#ifndef SERVER_PAGE_ENCODES_H
#define SERVER_PAGE_ENCODES_H

#include "server/live/live.h"
#include "server/page/board.h"

struct encodes;

struct encodes *encodes_new(struct live *l); /* borrowed; NULL: none is watched */
void encodes_free(struct encodes *e);        /* NULL is accepted */

/* Puts on the board what is not there as it is now. */
void encodes_tell(struct encodes *e, struct board *b);

#endif
