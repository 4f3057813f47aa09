/*
 * segment.h - the rendered bytes of some neighbouring scenarios, family by family.
 *
 * A segment never changes once it is rendered. A change makes a new one, which takes
 * over those chunks of the old one that came out the same.
 */
#ifndef SERVER_SEGMENT_H
#define SERVER_SEGMENT_H

#include "server/body.h"
#include "server/layout.h"
#include "server/module_set.h"
#include "core/render.h"

struct segment {
    unsigned refs;          /* loop thread */
    struct module_set *set; /* rendered with; one reference */
    struct segment *before; /* while it is rendered: chunks to take over */
    struct chunk **chunks;  /* segment_families() of them; NULL: no sample */
    uint32_t scenarios;
    bool redated; /* as `before`, but for the times of files */
    size_t piece_count;
    struct piece pieces[]; /* one reference to each run */
};

/* Families of all modules together, and where those of one module begin. */
size_t segment_families(void);
size_t segment_family(size_t module);

/* Not rendered yet. before may be NULL; one reference, for the caller. */
struct segment *segment_new(const struct piece pieces[], size_t count,
                            struct module_set *set, struct segment *before);
struct segment *segment_ref(struct segment *s);
void segment_unref(struct segment *s);

/* True if rendering these pieces with this set would give the bytes of s. */
bool segment_same(const struct segment *s, const struct piece pieces[], size_t count,
                  const struct module_set *set);

/* Memory that one thread uses again for every segment it renders. */
struct segment_scratch {
    struct series series;
    struct series_order order;
    struct buf text;
    struct gzip gzip;
    struct shelf shelf; /* empty between two of them */
};

/* The head of a family, in both formats. text: scratch. */
struct chunk *segment_head(const struct family *f, struct buf *text);

/*
 * The samples of one family in x, in both formats; NULL: there are none. old, which may
 * be NULL, itself where it says the same; its count is not touched. Texts of so many
 * bytes are deflated and not kept.
 */
struct chunk *segment_chunk(struct segment_scratch *x, const struct family *families,
                            size_t family, struct chunk *old, size_t deflated);

/*
 * Any thread, as long as nobody else looks at s. New chunks hold their text, or, with
 * `deflated`, their block instead.
 */
void segment_render(struct segment *s, struct segment_scratch *scratch, bool deflated);
void segment_scratch_deinit(struct segment_scratch *scratch);

/* Loop thread, once, after rendering: takes chunks over, lets go of the old segment. */
void segment_settle(struct segment *s);

#endif
