/*
 * results_reads.c - what the store wants read, and what came of it.
 *
 * A writer that rewrites a file in place leaves it empty or cut off for a while. Nobody
 * looks at it then, as no event comes before its close. But an event or a scan may be
 * about the version before, so a bad read of a file that changed a moment ago counts
 * only when it is bad a second time; the store keeps what it has meanwhile.
 */
#include "server/sources/results_inner.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <string.h>

enum {
    WANTED_MAX = 512,
    MOMENT_MS = 50,     /* a file this young may still be in its writer's hands */
    PATIENCE_MS = 1000, /* with one that is bad again and again */
    CHANGING_MS = 250,  /* between tries at one that changes while it is read */
    CHANGING_MAX_MS = 10000,
    GRAIN_MS = 2000, /* of times on file systems that are polled */
};

static struct view id_of(const struct file *f)
{
    return name_id(f->name);
}

const struct run *results_before(void *ctx, const struct file *f)
{
    const struct source_results *s = ctx;

    return store_get(s->store, id_of(f));
}

enum fault results_fault(const struct read_item *item)
{
    if (item->rc < 0)
        return item->rc == OPENER_TOO_LARGE ? FAULT_TOO_LARGE : FAULT_UNREADABLE;
    switch (item->verdict) {
    case RESULTS_WRONG_SHAPE:
        return FAULT_WRONG_SHAPE;
    case RESULTS_TOO_LARGE:
        return FAULT_TOO_LARGE;
    default:
        return FAULT_INVALID_JSON;
    }
}

/* ---- bad reads that are tried again --------------------------------------------------- */

void results_await(struct source_results *s, struct file *f, uint64_t ms)
{
    f->waiting = true;
    f->due_ns = uv_hrtime() + ms * MS_NS;
    s->waiting_reads += f->reading;
    if (!f->listed) {
        f->listed = true;
        f->next_waiting = s->waiting;
        s->waiting = f;
        file_pin(f);
    }
    if (!uv_is_active((uv_handle_t *)&s->later) || uv_timer_get_due_in(&s->later) > ms)
        uv_timer_start(&s->later, results_on_later, ms, 0);
}

void results_wait_no_more(struct source_results *s, struct file *f)
{
    if (f->waiting)
        s->waiting_reads -= f->reading;
    f->waiting = false;
    if (f->lesson) {
        f->lesson = false;
        store_learn_failed(s->store, id_of(f), true);
        s->to_learn = true;
    }
}

static void read_again(struct source_results *s, struct file *f)
{
    results_wait_no_more(s, f);
    f->again = false;
    reads_add(s->reads, f);
}

void results_on_later(uv_timer_t *t)
{
    struct source_results *s = t->data;
    uint64_t now_ns = uv_hrtime(), next_ns = 0;
    struct file **at = &s->waiting;

    while (*at) {
        struct file *f = *at;

        if (!f->gone && f->waiting && f->due_ns > now_ns) {
            if (!next_ns || f->due_ns < next_ns)
                next_ns = f->due_ns;
            at = &f->next_waiting;
            continue;
        }
        *at = f->next_waiting;
        f->listed = false;
        if (!f->gone && f->waiting) {
            if (f->reading) {
                read_again(s, f);
            } else if (f->lesson) {
                results_wait_no_more(s, f);
            } else {
                results_wait_no_more(s, f);
                results_touch(s, f, IN_CLOSE_WRITE);
            }
        }
        file_unpin(f);
    }
    if (next_ns)
        uv_timer_start(t, results_on_later, (next_ns - now_ns) / MS_NS + 1, 0);
    results_kick(s);
}

/* ---- reads ---------------------------------------------------------------------------- */

void results_ask_store(struct source_results *s)
{
    struct view ids[WANTED_MAX];
    size_t n = store_wanted(s->store, ids, WANTED_MAX);
    char name[NAME_MAX + 1];

    s->wanted = n == WANTED_MAX;
    s->to_learn = true; /* when that is over */
    for (size_t i = 0; i < n; i++) {
        size_t len = ids[i].n;

        assert(len + sizeof ".json" <= sizeof name);
        memcpy(name, ids[i].p, len);
        memcpy(name + len, ".json", sizeof ".json");

        struct file *f = files_get(&s->files, view_of(name));

        if (!f) { /* not of this directory */
            store_fail(s->store, ids[i]);
            continue;
        }
        assert(!f->reading);
        results_wait_no_more(s, f);
        f->reading = true;
        f->again = false;
        reads_add(s->reads, f);
    }
}

/* A file that was written this very moment may be between two writes of its writer. */
uint64_t results_patience_ms(const struct source_results *s, struct file *f,
                             const struct read_item *item)
{
    uint64_t now_ns = uv_hrtime(), moment = MOMENT_MS;
    bool changing = item->rc == OPENER_CHANGING;

    if (item->rc < 0 && !changing)
        return 0;
    if (item->rc == 0 && item->verdict == RESULTS_TOO_LARGE)
        return 0;
    if (!f->trouble_ns)
        f->trouble_ns = now_ns;
    if (changing)
        return now_ns - f->trouble_ns < CHANGING_MAX_MS * MS_NS ? CHANGING_MS : 0;
    if (f->tried || now_ns - f->trouble_ns > PATIENCE_MS * MS_NS)
        return 0;
    if (!f->by_event && s->ready && s->o.poll_interval_ms > moment &&
        (watch_polling(s->watch) || store_get(s->store, id_of(f))))
        moment = s->o.poll_interval_ms;

    int64_t age_ns = item->read_ns - item->stamp.mtime_ns;

    if (age_ns > (int64_t)(moment * MS_NS))
        return 0;
    f->tried = true;
    return moment;
}

void results_read_well(struct source_results *s, struct file *f,
                       const struct read_item *item)
{
    const uint64_t grain_ms = watch_polling(s->watch) ? GRAIN_MS : MOMENT_MS;
    int64_t youngest = item->stamp.mtime_ns > item->stamp.ctime_ns
                           ? item->stamp.mtime_ns
                           : item->stamp.ctime_ns;
    const struct results_notes *n = &item->notes;

    f->failing = f->tried = f->unread = false;
    f->trouble_ns = 0;
    f->stamp = item->stamp;
    f->racy = youngest > item->read_ns - (int64_t)(grain_ms * MS_NS);
    file_well(f);
    if (n->first[0])
        file_note(f, n->first, n->invalid_values + n->wrong_shapes);
    if (n->warning[0])
        file_note(f, n->warning, 0);
    store_set_mtime(s->store, id_of(f), item->stamp.mtime_ns);
}

static void take_good(struct source_results *s, struct file *f, struct read_item *item)
{
    const struct results_notes *n = &item->notes;
    struct diff d;

    results_read_well(s, f, item);
    store_put(s->store, s->sink.fill ? s->sink.fill(s->sink.ctx, item->run) : item->run,
              &d);
    item->run = NULL;
    if (f->rereads == 0 || d.changed_count) { /* the same bytes count once */
        self_fault(s->self, FAULT_INVALID_VALUE, n->invalid_values);
        self_fault(s->self, FAULT_WRONG_SHAPE, n->wrong_shapes);
    }
    s->sink.changed(s->sink.ctx, &d);
    store_diff_release(&d);
}

static void take_bad(struct source_results *s, struct file *f,
                     const struct read_item *item)
{
    bool kept = store_get(s->store, id_of(f)) != NULL;

    f->failing = true;
    f->fault = (uint8_t)results_fault(item);
    f->trouble_ns = 0;
    if (item->rc == 0)
        f->stamp = item->stamp;
    self_fault(s->self, results_fault(item), 1);
    file_complain(f, item->e.text, kept);
    store_fail(s->store, id_of(f));
    s->sink.changed(s->sink.ctx, NULL);
    f->unread = item->rc == OPENER_CHANGING || opener_passes(item->rc);
    if (opener_passes(item->rc))
        results_await(s, f, RESULTS_RETRY_MS);
}

void results_take(struct source_results *s, struct read_item *item)
{
    struct file *f = item->owner;
    bool good = item->rc == 0 && item->verdict == RESULTS_OK;

    f->reading = false;
    if (f->gone || f->irregular || !f->known)
        return;
    if (item->rc == OPENER_GONE) {
        results_drop(s, f);
        return;
    }

    uint64_t wait_ms;

    if (good) {
        take_good(s, f, item);
    } else if (f->again) { /* of a version that is no more */
        f->reading = true;
        read_again(s, f);
        return;
    } else if ((wait_ms = results_patience_ms(s, f, item)) > 0) {
        f->reading = true;
        results_await(s, f, wait_ms);
        return;
    } else {
        take_bad(s, f, item);
    }
    s->wanted = true;
    results_news(s);
}

void results_reads_deinit(struct source_results *s)
{
    while (s->waiting) {
        struct file *f = s->waiting;

        s->waiting = f->next_waiting;
        file_unpin(f);
    }
}
