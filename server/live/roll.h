/*
 * roll.h - the encodes that are watched, by name. Loop thread only.
 */
#ifndef SERVER_LIVE_ROLL_H
#define SERVER_LIVE_ROLL_H

#include "core/buf.h"
#include "core/run.h"
#include "modules/live/encode.h"

struct roll;

struct roll_entry {
    struct encode *encode;
    struct view canonical; /* own copy */
    unsigned sources;      /* files and requests that tell of it now */
    unsigned requests;     /* of them; while there are any its file is not heard */
    bool by_request;       /* a request told of it: it stays without sources */
    bool belongs;          /* to a scenario of the newest run, see belonging.h */
    struct view scenario;  /* its name there, own copy; else that of the encode */
    uint64_t told;         /* encode->told, when somebody last looked at it */
    struct roll_entry *next_same; /* of the same canonical name */

    /* Of records.c: the version of its record, and of what that was made. */
    uint64_t record, record_encode, record_renamed;

    /* Of belonging.c, while it looks for the best of a run. */
    uint64_t mark;
    uint32_t best;
    bool exact, doubtful;
};

/* gone: an entry that sources tell of goes all the same; they let go of it. */
struct roll *roll_new(size_t max, void (*gone)(void *ctx, struct roll_entry *e),
                      void *ctx);
void roll_free(struct roll *r);

size_t roll_count(const struct roll *r);

/*
 * The entry of this name, made if there is none; one more source tells of it. NULL: there
 * are too many that still run, or whose last news are younger than since_s (Unix time).
 * Where there are too many, those go that said nothing for the longest time: ended ones, and
 * stalled ones that no request tells of.
 */
struct roll_entry *roll_open(struct roll *r, struct view name, double now_s,
                             double since_s);

/* NULL: not known. */
struct roll_entry *roll_get(const struct roll *r, struct view name);

/* One source less. Without any the entry goes, unless a request had told of it. */
void roll_close(struct roll *r, struct roll_entry *e);

/* Those whose last news came before then go, unless they run. */
void roll_end(struct roll *r, double before_s);

/* Calls f for every entry, in the order of their names. */
void roll_each(struct roll *r, void (*f)(void *ctx, struct roll_entry *e), void *ctx);

/*
 * The entry that a scenario of this name could show: the one of that name, else the only
 * one that is called so in a file name; NULL: none. *exact: it has the very name. scratch
 * keeps its memory from call to call.
 */
struct roll_entry *roll_called(const struct roll *r, struct view name,
                               struct buf *scratch, bool *exact);

/* It belongs to this scenario of the newest run; NULL: to none. */
void roll_belongs(struct roll *r, struct roll_entry *e, const struct scenario *s);

/* Grows with every entry that comes, goes, or belongs elsewhere. */
uint64_t roll_version(const struct roll *r);

#endif
