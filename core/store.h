/*
 * store.h - the runs we know, which of them are newest, and which are served.
 *
 * The store knows every results file by the id of its run, also those that nobody has
 * read yet: with --runs latest a directory of 10 000 files costs one read. A source
 * tells what it sees (store_see), asks what is worth reading (store_wanted), and puts
 * what it read (store_put, store_fail). An updated file is parsed into a new run that
 * takes the old one's place; a file that stops parsing keeps its last good run.
 *
 * Loop thread only.
 */
#ifndef CORE_STORE_H
#define CORE_STORE_H

#include "core/module.h"
#include "core/ranking.h"

struct store_rules {
    enum newest_rule newest;
    uint32_t runs;          /* how many of the newest are served; 0: all */
    uint64_t max_scenarios; /* over all served runs; the oldest are left out */
    uint64_t ttl_ms;        /* a run whose file is older is as good as gone; 0: none */
    uint64_t lessons;       /* so many of the newest scenarios are learned from, whether
                               or not they are served; 0: none */
};

struct store;

struct store *store_new(const struct store_rules *rules);
void store_free(struct store *st);

/*
 * What time it is: Unix time, and a monotonic clock that is never 0. The age of a file
 * is taken from its modification time when it is seen (one from the future: 0), and
 * grows with the monotonic clock from then on, so that no step of the other one makes
 * runs come or go. True: the time of a run that counts has run out, so what is served
 * and wanted is to be asked for again. Without a TTL nobody has to call it.
 */
bool store_tick(struct store *st, int64_t unix_ns, uint64_t monotonic_ns);

/* When a run that counts runs out of time next, by the monotonic clock; UINT64_MAX:
 * never. As of the last call of store_wanted() or store_served(). */
uint64_t store_next_end(const struct store *st);

/*
 * A file of this id is there and its content is new to us. mtime_ns: Unix time.
 * from_start: it was found by the first scan.
 */
void store_see(struct store *st, struct view id, int64_t mtime_ns, bool from_start);

/* The modification time of a known file changed, not its content. */
void store_set_mtime(struct store *st, struct view id, int64_t mtime_ns);

/*
 * Ids of runs that should be read now: those of the newest that have not been read
 * since store_see(), until enough are good. At most max; what is returned counts as
 * being read until store_put() or store_fail(). Views live until the id is dropped.
 */
size_t store_wanted(struct store *st, struct view ids[], size_t max);

/*
 * The run of this id, or NULL: what is known of its content (also when it is not
 * served), for the parser to take unchanged scenarios from. Borrowed.
 */
const struct run *store_get(const struct store *st, struct view id);

/*
 * Takes the run (its reference). *d tells what is new; d->before stays readable until
 * store_diff_release(). An id that was dropped meanwhile is taken as seen now.
 */
void store_put(struct store *st, const struct run *run, struct diff *d);

/*
 * Puts a run in place of the one known by its id, which it differs from in measurements
 * alone (run_with() of what store_get() tells now). Takes the reference; what the store
 * knows of the file stays as it is. at: ascending indices of the scenarios that differ, n
 * of them, which *d gets a copy of. False, the run is let go and *d is not set: the id is
 * not known or has no content (any more).
 */
bool store_measure(struct store *st, const struct run *run, const uint32_t at[],
                   uint32_t n, struct diff *d);

/* The file could not be read or parsed; its last good run stays. */
void store_fail(struct store *st, struct view id);

/* The file is gone. False when the id was not known; *d is set only if true. */
bool store_drop(struct store *st, struct view id, struct diff *d);

/*
 * The run of encodes that no results file tells of (run->id: of none of the files): served
 * besides whatever the rules choose, as the oldest, unless it has no scenarios; neither
 * counted as a file nor learned from. Takes the reference. mtime_ns: Unix time of the last
 * news in it. from_start: it was there before the first scan ended. store_get() and
 * store_measure() know it by its id, which is always the same. *d as of store_put().
 */
void store_put_live(struct store *st, const struct run *run, int64_t mtime_ns,
                    bool from_start, struct diff *d);

void store_diff_release(struct diff *d);

/*
 * What is to be served: the newest `runs` that have content, within max_scenarios.
 * Arrays belong to the store and live until the next call; the runs are borrowed.
 * Content of runs that are neither served nor wanted any more is let go.
 */
const struct served *store_served(struct store *st);

struct store_counts {
    uint64_t served, other, failed; /* files; other: left out by the rules, also
                                       because their time is over */
    uint64_t scenarios_dropped;     /* by max_scenarios, in files that were read */
    uint64_t unlearned; /* files to be read for their lessons alone, as of the
                                       last store_unlearned() */
};
struct store_counts store_count(const struct store *st);

/* The newest file that is not out of time, whether or not it could be read. */
struct newest {
    struct view id; /* empty: there is none */
    int64_t mtime_ns;
    bool failed;           /* its last read gave nothing */
    const struct run *run; /* its last good content, or NULL; borrowed */
};
struct newest store_newest(struct store *st);

/* The newest run that has content and is not out of time, as its file was read last; NULL:
 * there is none. *mtime_ns: when that file was last modified. Borrowed. */
const struct run *store_newest_run(struct store *st, int64_t *mtime_ns);

/*
 * Ids of served runs whose file holds something newer that could not be read: the newest
 * of them first, at most max. Views live until the id is dropped.
 */
size_t store_stale(struct store *st, struct view ids[], size_t max);

/* True while a read that store_wanted() asked for is neither put nor failed. */
bool store_reading(const struct store *st);

/* ---- what is learned from (store_lessons.c) ------------------------------------------
 *
 * Somebody learns from the newest `lessons` scenarios, whatever their age. Of runs that are
 * put, store_put() counts as told. Of others nothing is kept here but how many scenarios
 * they have; neither does it change what is served or wanted.
 */

/*
 * Ids of files to be read for this alone: of the newest scenarios, those with content that
 * nobody has told since store_see(), and that store_wanted() would not hand out as well.
 * At most max; what is returned counts as being read until one of the next three. A file
 * that is wanted meanwhile is handed out by store_wanted() all the same. Views live until
 * the id is dropped.
 */
size_t store_unlearned(struct store *st, struct view ids[], size_t max);

/* Its content is known to those who learn; count: of its scenarios. False: what was read
 * says nothing any more, since the file is gone, or was put meanwhile. */
bool store_learned(struct store *st, struct view id, uint32_t count);

/* It could not be read or parsed; what was learned of it before stays so. again: it is to
 * be handed out once more. */
void store_learn_failed(struct store *st, struct view id, bool again);

/* What it held is not known (any more) to those who learn. */
void store_unlearn(struct store *st, struct view id);

/*
 * Calls f for the runs that hold the newest `lessons` scenarios, the newest first: those
 * that were learned or have content. count: so many of its first scenarios are among
 * them. run: its content; NULL: it has none here. f must not change the store.
 */
void store_each_lesson(struct store *st,
                       void (*f)(void *ctx, struct view id, uint32_t count,
                                 const struct run *run),
                       void *ctx);

#endif
