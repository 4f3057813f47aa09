/*
 * store_inner.h - what the parts of the store share. For nobody else.
 *
 *   store.c           what is there, and which of it is served
 *   store_lessons.c   which of it is learned from
 */
#ifndef CORE_STORE_INNER_H
#define CORE_STORE_INNER_H

#include "core/store.h"
#include "core/table.h"

struct entry {
    struct ranked rank;    /* its id is an own copy, behind the struct */
    uint64_t end_ns;       /* monotonic: its time is over then; UINT64_MAX: never */
    const struct run *run; /* content; NULL: not read, let go, or never good */
    int64_t run_mtime_ns;  /* of the version that run was read from */
    uint32_t count;        /* scenarios of the content last read */
    bool counted;          /* count is known */
    bool stale;            /* the file holds something we have not read */
    bool reading;          /* handed out by store_wanted() */
    bool failed;           /* the last read gave nothing */
    bool from_start;
    bool served;      /* by the last plan, and still there and good */
    bool loaded;      /* in st->loaded */
    bool untold;      /* its content is not known to those who learn */
    bool learning;    /* handed out by store_unlearned() */
    bool learned;     /* something of it is known to those who learn */
    uint32_t lessons; /* scenarios of that */
    uint64_t planned; /* number of the plan that wants its content kept */
    char text[];
};

struct store {
    struct store_rules rules;
    struct table by_id;
    struct ranking ranking;
    struct entry *live; /* of store_put_live(): in by_id, but not ranked; NULL: none */
    struct entry **loaded; /* those with content */
    size_t loaded_count, loaded_cap;
    size_t reading, failed;
    uint64_t plans;
    struct served served;
    const struct run **served_runs;
    int64_t *served_mtimes;
    size_t served_cap, served_files;
    uint64_t dropped_scenarios;
    int64_t unix_ns;       /* of the last tick */
    uint64_t monotonic_ns; /* likewise */
    uint64_t next_end_ns;
    uint64_t unlearned; /* as of the last store_unlearned() */
};

static inline struct entry *store_entry(const struct store *st, struct view id)
{
    return (struct entry *)table_get(&st->by_id, id); /* NULL: not known */
}

#endif
