/*
 * scan.h - what lies in a directory, in one list. Any thread.
 */
#ifndef SERVER_SOURCES_SCAN_H
#define SERVER_SOURCES_SCAN_H

#include "core/arena.h"
#include "core/err.h"
#include "server/sources/opener.h"

/* What a name in the results directory is to us. */
enum name_kind {
    NAME_RUN,    /* test_results_*.json */
    NAME_OTHER,  /* ignored and counted */
    NAME_HIDDEN, /* .* *.tmp *.part *~: ignored */
};
enum name_kind name_kind(struct view name);

/* The id of a run: its name without ".json". */
struct view name_id(struct view run_name);

struct scan_entry {
    struct view name;    /* NUL-terminated, in the scan's memory */
    enum name_kind kind; /* never NAME_HIDDEN */
    int rc;              /* of opener_look(), for runs; OPENER_GONE does not occur */
    const char *reason;  /* NULL, or why rc is negative */
    struct look look;    /* runs only */
};

struct scan {
    struct scan_entry *entries; /* in the order of the directory */
    size_t count, cap;
    struct arena mem;
};

/*
 * Lists dir, whose own path may lead through any links. *out is empty before and ended
 * with scan_deinit(); on failure it holds nothing and e says why.
 */
int scan_read(const char *dir, struct scan *out, struct err *e);
void scan_deinit(struct scan *s);

#endif
