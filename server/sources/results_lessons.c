/*
 * results_lessons.c - what is read for its lessons alone.
 *
 * Runs that are not served are learned from as well, but nobody waits for them: they are
 * read when the first scan is served and nothing else is to be done, one batch on the pool
 * at a time, and what they teach is taken from them there. Of the rest, they are files
 * like others: what is wrong with one is told and counted, and one that was written a
 * moment ago gets a second look.
 */
#include "server/sources/results_inner.h"

#include <assert.h>
#include <limits.h>
#include <string.h>

enum {
    BYTES_AT_ONCE = 1 << 20
}; /* of files that are handed out, unless one has more */

static struct view id_of(const struct file *f)
{
    return name_id(f->name);
}

static void on_lessons(void *ctx)
{
    struct source_results *s = ctx;

    results_kick(s);
}

void results_lessons_new(struct source_results *s)
{
    const struct reads_manner manner = { .dir = s->dir,
                                         .max_bytes = s->o.max_file_size,
                                         .max_scenarios = s->o.max_scenarios,
                                         .batches = 1,
                                         .digest = &s->sink.digest };

    if (!s->sink.digest.make)
        return;
    s->lessons = reads_new(s->idle.loop, &manner, on_lessons, s);
    s->to_learn = true;
}

static void take_good(struct source_results *s, struct file *f, struct read_item *item)
{
    results_read_well(s, f, item);
    if (f->rereads == 0) { /* the same bytes count once */
        self_fault(s->self, FAULT_INVALID_VALUE, item->notes.invalid_values);
        self_fault(s->self, FAULT_WRONG_SHAPE, item->notes.wrong_shapes);
    }
    s->sink.learned(s->sink.ctx, id_of(f), item->digest);
    item->digest = NULL;
}

/* The store hands it out once more when the time is over. */
static void read_later(struct source_results *s, struct file *f, uint64_t ms)
{
    f->lesson = true;
    results_await(s, f, ms);
}

static void take_bad(struct source_results *s, struct file *f,
                     const struct read_item *item)
{
    uint64_t wait_ms = f->waiting ? 0 : results_patience_ms(s, f, item);

    if (wait_ms > 0) {
        read_later(s, f, wait_ms);
        return;
    }
    f->failing = true;
    f->fault = (uint8_t)results_fault(item);
    f->trouble_ns = 0;
    if (item->rc == 0)
        f->stamp = item->stamp;
    self_fault(s->self, results_fault(item), 1);
    file_complain(f, item->e.text, false);
    f->unread = item->rc == OPENER_CHANGING || opener_passes(item->rc);
    if (opener_passes(item->rc) && !f->waiting)
        read_later(s, f, RESULTS_RETRY_MS);
    else
        store_learn_failed(s->store, id_of(f), false);
}

static void take(struct source_results *s, struct read_item *item)
{
    struct file *f = item->owner;

    if (f->gone || f->irregular || !f->known)
        return;
    if (f->reading) /* to be served, as it is now: that will be told */
        store_learn_failed(s->store, id_of(f), false);
    else if (item->rc == OPENER_GONE)
        results_drop(s, f);
    else if (item->rc < 0 || item->verdict != RESULTS_OK)
        take_bad(s, f, item);
    else if (store_learned(s->store, id_of(f), item->count))
        take_good(s, f, item);
}

/*
 * Hands out the next files to read. False: there are none. How many scenarios they hold shows
 * when they are read, and what these teach stays in memory until the next fit. So of large
 * files one is read, and then looked whether more are needed.
 */
static bool ask(struct source_results *s)
{
    struct view ids[READER_BATCH_MAX];
    size_t n = store_unlearned(s->store, ids, READER_BATCH_MAX);
    uint64_t bytes = 0;
    char name[NAME_MAX + 1];

    for (size_t i = 0; i < n; i++) {
        struct file *f;

        assert(ids[i].n + sizeof ".json" <= sizeof name);
        memcpy(name, ids[i].p, ids[i].n);
        memcpy(name + ids[i].n, ".json", sizeof ".json");
        f = files_get(&s->files, view_of(name));
        bytes += f ? f->stamp.size : 0;
        if (f && (i == 0 || bytes <= BYTES_AT_ONCE))
            reads_add(s->lessons, f);
        else /* later; or not of this directory */
            store_learn_failed(s->store, ids[i], f != NULL);
    }
    return n > 0;
}

void results_learn(struct source_results *s)
{
    struct read_item *item;

    if (!s->lessons || !s->ready)
        return;
    item = reads_take(s->lessons);
    if (item) {
        take(s, item);
        s->to_learn = true;
        results_kick(s);
    } else if (reads_begin(s->lessons, true, NULL) || reads_busy(s->lessons)) {
        ; /* it tells when it is over */
    } else if (s->to_learn) {
        s->to_learn = ask(s);
        if (s->to_learn) {
            reads_begin(s->lessons, true, NULL);
        } else {
            reads_rest(s->lessons);
            if (store_count(s->store).unlearned == 0)
                s->sink.learned_all(s->sink.ctx);
        }
    }
}
