/*
 * files.h - files of the results directory that tell of encodes: which there are, and what
 * stands in them → encodes.
 */
#ifndef SERVER_LIVE_FILES_H
#define SERVER_LIVE_FILES_H

#include "core/view.h"

#include <stdint.h>

struct live;
struct live_files;
struct roll_entry;

struct live_files *live_files_new(struct live *l);

/* As live_named(). */
bool live_files_seen(struct live_files *all, struct view name, uint32_t mask);

/* The entry goes though files tell of it: they are watched no more until they change. */
void live_files_let_go(struct live_files *all, struct roll_entry *e);

/* All are read to their ends, for at most patience_ms. */
void live_files_catch_up(struct live_files *all, uint64_t patience_ms);

void live_files_stop(struct live_files *all); /* closes all handles */
void live_files_free(struct live_files *all); /* after the loop has run dry */

#endif
