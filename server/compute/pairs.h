/*
 * pairs.h - which scenarios of the newest run are to be measured, and what was of them.
 *
 * A pair is an encode and its reference, by the name of their scenario. Each is measured once
 * as long as both files stay what they are, also where that failed. Loop thread only.
 */
#ifndef SERVER_COMPUTE_PAIRS_H
#define SERVER_COMPUTE_PAIRS_H

#include "core/run.h"
#include "core/table.h"
#include "server/compute/look.h"

enum { PAIRS_NAME_MAX = 256 }; /* bytes: of an encode that is watched */

struct pair {
    struct view name, output, reference; /* own copies */
    uint64_t hash[2];                    /* of the scenario that was looked at last */
    uint64_t round;                      /* in which its files were; 0: never */
    uint64_t mark;                       /* of the last search: it is still there */
    struct stamp stamps[LOOK_FILES];     /* of files that were measured */
    bool settled; /* measured, refused or failed, as long as the stamps stay */
    bool done;    /* it shows scores of ours, or did until its files were others */
};

struct pairs { /* zero-initialised: none */
    struct table by_name;
    char *run_id;
    uint64_t round, marks;

    /* What one search found, the newest first, as long as it is asked for the same. */
    struct pairs_found {
        const struct run *run; /* one reference; NULL: there was no search */
        uint64_t round;
        bool vmaf;
        struct pairs_one {
            struct pair *pair;
            const struct scenario *scenario;
        } * all;
        size_t count, next;
    } found;
};

/* What to measure next: a scenario that is over, lacks scores (without vmaf only PSNR and SSIM
 * are meant) and was not looked at in this round; the newest first. NULL: none. Forgets those
 * that newest (may be NULL) has no more. *s: its scenario, borrowed from the run. */
struct pair *pairs_next(struct pairs *p, const struct run *newest, bool vmaf,
                        const struct scenario **s);

/* Whether measuring it would still be of use. */
bool pairs_wants(const struct pairs *p, const struct pair *one,
                 const struct run *newest, bool vmaf);

/* Whether these are pairs of that run (NULL: of none). */
bool pairs_are_of(const struct pairs *p, const struct run *run);

/* There are several scenarios of this name: nobody could tell whose scores they are. */
bool pairs_ambiguous(const struct run *run, struct view name);

void pairs_deinit(struct pairs *p);

#endif
