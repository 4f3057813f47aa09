/*
 * row.h - one scenario as the page is told of it (docs/page.md).
 */
#ifndef SERVER_PAGE_ROW_H
#define SERVER_PAGE_ROW_H

#include "core/buf.h"
#include "core/module.h"

/* Appends the key of the record: run, '/', name; with a number behind for the nth of that
 * name in its run, from 2 on; from 1 on of a name that ends so itself, whose key would be
 * another's. */
void row_key(struct buf *out, struct view run, struct view name, uint32_t nth);

/* Appends the record. cost: NaN: not known. set: NULL: it is compared with none. */
void row_json(struct buf *out, struct view key, const struct place *at, double cost,
              const uint64_t set[2]);

#endif
