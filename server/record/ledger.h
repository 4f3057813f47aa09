/*
 * ledger.h - the results file that a recording is written to.
 *
 * A file appears whole, by another name and a rename. Who changes one that others write to as
 * well holds a lock on the directory meanwhile (flock(2); on file systems that lock no
 * directory, on the file .record.lock in it), so that none loses what another one wrote.
 */
#ifndef SERVER_RECORD_LEDGER_H
#define SERVER_RECORD_LEDGER_H

#include "core/err.h"
#include "core/view.h"

#include <limits.h>
#include <stdbool.h>
#include <time.h>

struct ledger {
    const char *path; /* of the directory */
    int dir;          /* -1: it cannot be had */
    bool shared;      /* others add to this file */
    bool begun;       /* it was written once */
    char file[NAME_MAX + 1];
};

/*
 * Opens the directory, which is made where its parent is there. run: the file is
 * test_results_RUN.json ("test_results_" and ".json" may stand in run); NULL: one of its own,
 * test_results_YYYYMMDD_HHMMSS.json of start (UTC). Also on failure l may be used: each of
 * the functions below tries again.
 */
int ledger_open(struct ledger *l, const char *path, const char *run, time_t start,
                struct err *e);

/* The file is one of its own from now on. */
void ledger_own(struct ledger *l, time_t start);

/*
 * Writes entry, a JSON object, in the place of the scenario that holds the bytes mark, or
 * behind the last one; see splice.h for drop. wait_s: as long it waits for others. An own
 * file gets "_2", "_3" … at its end where there is one of its name. On failure the file is
 * as it was. dry: nothing is changed, but all is tried.
 */
int ledger_put(struct ledger *l, struct view entry, struct view mark, struct view drop,
               double wait_s, bool dry, struct err *e);

void ledger_close(struct ledger *l);

#endif
