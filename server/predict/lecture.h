/*
 * lecture.h - taking lessons from runs, and fitting models to them: what happens on the
 * pool.
 *
 * A lecture is filled on the loop, runs on the pool and is read on the loop again. It owns
 * all that it works on. Counts of references that are no atomic ones are the loop's.
 */
#ifndef SERVER_PREDICT_LECTURE_H
#define SERVER_PREDICT_LECTURE_H

#include "server/predict/notes.h"
#include "server/predict/whatifs.h"

struct fitted_run {
    const struct lessons *lessons; /* one reference */
    uint32_t limit;                /* of the run's scenarios, so many first */
};

struct fitted { /* an outlook, and what it was made from; constant */
    unsigned refs;
    struct outlook *outlook;
    struct fitted_run *runs;
    size_t run_count;
    struct table by_id; /* of run: struct fitted_run */
    struct hash key;    /* of all that it was made from */
    struct whatifs *whatifs;
    uint64_t began_ns, ended_ns; /* uv_hrtime() */
};

struct fitted *fitted_ref(struct fitted *f);
void fitted_unref(struct fitted *f); /* NULL is accepted. A large one takes a while. */

/*
 * Whether what the outlook says of scenario `index` of the run holds for the run with these
 * lessons, too (NULL: none): nothing differs in what there is to learn from it.
 */
bool fitted_holds(const struct fitted_run *r, const struct lessons *now,
                  uint32_t index);

struct lecture_item {
    struct note *note;     /* one reference */
    uint64_t version;      /* of the note */
    const struct run *run; /* to take lessons from; NULL: known. One reference */
    const struct lessons *lessons; /* known ones, then those taken; one reference */
    uint32_t limit;                /* so many of its scenarios are among the newest */
    bool taken;                    /* from run, which is gone now */
};

struct lecture { /* zero-initialised: empty */
    struct lecture_item *items;
    size_t count, cap;
    bool fits;               /* models are to be fitted, if there is anything new */
    bool anew;               /* also if there is not */
    struct fitted *before;   /* one reference, or NULL */
    struct whatifs *whatifs; /* one reference */
    const atomic_bool *stop; /* borrowed; once it is true, nothing is fitted any more */
    struct fitted *made;     /* NULL: nothing new. The caller takes it. */
};

/* The item of a note, number note->item, which is added if need be. serial: of this
 * lecture. Lives until the next call. */
struct lecture_item *lecture_add(struct lecture *l, struct note *note, uint64_t serial);

/* On the pool. */
void lecture_run(struct lecture *l);

void lecture_deinit(struct lecture *l);

#endif
