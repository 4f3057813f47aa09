/*
 * store_lessons.c - which of the runs we know are learned from.
 *
 * A walk of the newest files, as in store.c, but by another measure: scenarios, and no
 * file is too old. How many an unread file holds is not known, so it is taken for one:
 * some files more than needed may be read, none too few.
 */
#include "core/store_inner.h"

static struct entry *walk_next(struct ranking_walk *w)
{
    return (struct entry *)ranking_next(w);
}

/* Those who learn get content that is here from here. */
static bool untold(const struct entry *e)
{
    return e->untold && !e->reading && (e->stale || !e->run);
}

static uint64_t scenarios_of(const struct entry *e)
{
    if (e->learned && e->lessons)
        return e->lessons;
    return e->untold || e->learning ? 1 : 0;
}

size_t store_unlearned(struct store *st, struct view ids[], size_t max)
{
    struct ranking_walk w = ranking_walk(&st->ranking);
    uint64_t total = 0;
    struct entry *e;
    size_t n = 0;

    st->unlearned = 0;
    while (total < st->rules.lessons && (e = walk_next(&w))) {
        total += scenarios_of(e);
        if (!e->learning && !untold(e))
            continue;
        st->unlearned++;
        if (e->learning || n == max)
            continue;
        e->untold = false;
        e->learning = true;
        ids[n++] = e->rank.id;
    }
    return n;
}

bool store_learned(struct store *st, struct view id, uint32_t count)
{
    struct entry *e = store_entry(st, id);

    if (!e || !e->learning)
        return false;
    e->learning = false;
    e->learned = true;
    e->lessons = count;
    return true;
}

void store_learn_failed(struct store *st, struct view id, bool again)
{
    struct entry *e = store_entry(st, id);

    if (!e || !e->learning)
        return;
    e->learning = false;
    e->untold = e->untold || again;
}

void store_unlearn(struct store *st, struct view id)
{
    struct entry *e = store_entry(st, id);

    if (!e)
        return;
    e->learning = e->learned = false;
    e->untold = true;
}

void store_each_lesson(struct store *st,
                       void (*f)(void *ctx, struct view id, uint32_t count,
                                 const struct run *run),
                       void *ctx)
{
    struct ranking_walk w = ranking_walk(&st->ranking);
    uint64_t left = st->rules.lessons;
    const struct entry *e;

    while (left > 0 && (e = walk_next(&w))) {
        uint64_t n = e->run ? e->run->count : e->learned ? e->lessons : 0;

        if (n > left)
            n = left;
        left -= n;
        if (n > 0)
            f(ctx, e->rank.id, (uint32_t)n, e->run);
    }
}
