/*
 * teller.h - what there is, put on a board: the state of the program, encodes that are
 * watched, scenarios that are served.
 */
#ifndef SERVER_PAGE_TELLER_H
#define SERVER_PAGE_TELLER_H

#include "server/page/board.h"
#include "server/page/page.h"

struct teller;

struct teller *teller_new(const struct page_host *h, struct board *b); /* borrowed */
void teller_free(struct teller *t); /* NULL is accepted */

/* Looks at what there is, and goes on with it for about a millisecond; with a look that is
 * under way before it begins another. True: the board has all that this look saw. */
bool teller_step(struct teller *t);

#endif
