/*
 * rows.h - the scenarios that are served, as records of the board.
 *
 * Scenarios never change: where the same one stands in the same place, its record is the
 * same, and nothing is made anew. So a refresh costs a look at each pointer, and a text for
 * each scenario that is new or different. It is done in steps, so that nobody waits long.
 */
#ifndef SERVER_PAGE_ROWS_H
#define SERVER_PAGE_ROWS_H

#include "server/module_set.h"
#include "server/page/board.h"

enum { ROWS_MAX = 20000 }; /* records; of the newest runs */

struct rows;

struct rows *rows_new(void);
void rows_free(struct rows *r); /* NULL is accepted */

/* True: what is served, or how it is told, is not what the last refresh began with. */
bool rows_differ(const struct rows *r, const struct served *all,
                 const struct module_set *set);

/* Begins a refresh of rows that is not under way. Takes references to all it needs. */
void rows_begin(struct rows *r, const struct served *all, struct module_set *set);

/* Goes on until `late` says so (asked every few records). True: the refresh is over. */
bool rows_step(struct rows *r, struct board *b, bool (*late)(void *ctx), void *ctx);

/* Of the last refresh that began: all that is served, and what is told of it. */
uint64_t rows_served(const struct rows *r);
uint64_t rows_shown(const struct rows *r);

/* What a scenario cost, and in what currency (borrowed from set; not set where nothing
 * knows); NaN: not known. */
double rows_cost(const struct module_set *set, const struct place *at,
                 const char **currency);

#endif
