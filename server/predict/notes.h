/*
 * notes.h - the lessons of runs, by the ids of the runs. Loop thread only.
 */
#ifndef SERVER_PREDICT_NOTES_H
#define SERVER_PREDICT_NOTES_H

#include "core/run.h"
#include "core/table.h"
#include "modules/predict/lesson.h"

struct note { /* of one run */
    struct view id;
    unsigned refs; /* while it is known, and of lectures */
    const struct lessons
        *lessons; /* one reference; NULL: it teaches nothing, or is new */
    const struct run
        *run; /* that lessons are to be taken from; one reference, or NULL */
    struct note
        *next_due;    /* those with a run, in no order; some may have none any more */
    bool due;         /* in that list; one reference */
    bool gone;        /* not in the table any more */
    uint64_t version; /* counts what was told */
    uint64_t lecture, item; /* the last one that it is part of, and where */
    uint64_t met;           /* the last walk that met it */
    char text[];
};

struct notes { /* zero-initialised: empty */
    struct table by_id;
    struct note *due;
    uint64_t lessons; /* of all notes */
};

struct note *notes_get(const struct notes *n, struct view id); /* NULL: unknown */

/* There is content, of which lessons are still to be taken. */
struct note *notes_run(struct notes *n, struct view id, const struct run *run);

/* Takes the lessons, which may be NULL. True: they differ from those before. */
bool notes_put(struct notes *n, struct note *note, const struct lessons *lessons);

/* The note of a run that may be new. */
struct note *notes_at(struct notes *n, struct view id);

/* Forgets it. */
void notes_remove(struct notes *n, struct note *note);

/* Takes a note off the list of those with a run, and the run out of it; *run is one
 * reference. NULL: there is none. One reference to the note, for the caller. */
struct note *notes_due(struct notes *n, const struct run **run);

void note_unref(struct note *note);
void notes_deinit(struct notes *n);

#endif
