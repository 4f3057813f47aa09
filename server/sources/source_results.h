/*
 * source_results.h - the results directory → store.
 *
 * Watches the directory, scans it when events cannot say what happened, reads and
 * parses what the store wants, and tells the sink. Loop thread only; reading and
 * parsing of large or many files happens on the pool.
 */
#ifndef SERVER_SOURCES_SOURCE_RESULTS_H
#define SERVER_SOURCES_SOURCE_RESULTS_H

#include "server/config.h"
#include "server/sources/source.h"

struct source_results_options {
    const char *dir; /* copied */
    enum watch_mode watch;
    uint64_t poll_interval_ms;
    uint64_t max_file_size; /* bytes */
    uint64_t max_scenarios; /* of one run; 0: no limit */
    bool runs_end;          /* the store has a TTL and is to be told what time it is */
};

struct source_results;

/*
 * Armed and with the first scan under way when it returns. Never fails: what is wrong
 * with the directory is logged and waited out. store, self and what the sink points to
 * are borrowed until the loop has run dry after source_results_stop(). The sink is never
 * called from within this call; settled() comes at the latest when the first scan and
 * the reads it asked for are over, even if there was nothing to read.
 */
struct source_results *source_results_start(uv_loop_t *loop,
                                            const struct source_results_options *o,
                                            struct store *store, struct self *self,
                                            const struct source_sink *sink);

/* Closes every handle; what is on the pool ends by itself. s must not be used any more,
 * its memory goes when the loop has run dry. NULL is accepted. */
void source_results_stop(struct source_results *s);

/*
 * Scans the directory once more and calls done (which may be NULL) once, after settled(),
 * when all that was found then has been read. Right after source_results_start(): when
 * the first scan is served. Not called after source_results_stop().
 */
void source_results_rescan(struct source_results *s, void (*done)(void *ctx),
                           void *ctx);

/* The first scan and its reads are over. A missing directory counts as scanned. */
bool source_results_ready(const struct source_results *s);

/* Names in the directory that are none of ours, without hidden and temporary ones. */
uint64_t source_results_ignored(const struct source_results *s);

bool source_results_polling(const struct source_results *s);

/* What is wrong with the directory; "" when nothing is. Lives until the loop goes on. */
const char *source_results_state(const struct source_results *s);

/* Of what kind that was; FAULT_COUNT: it did not fail. */
enum fault source_results_fault(const struct source_results *s, struct view id);

/* The directory is there and cannot be read: what it holds is not known. */
bool source_results_unreadable(const struct source_results *s);

/* Why the last read of this run's file failed; NULL: it did not. Same life. */
const char *source_results_problem(const struct source_results *s, struct view id);

#endif
