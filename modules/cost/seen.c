/*
 * seen.c - entries in one dense array, found through open-addressed indices into it.
 *
 * Those that left form a list, newest at its end, so that forgetting takes the first and
 * never has to search. The last entry moves into the place of one that goes.
 */
#include "modules/cost/seen.h"

#include "core/mem.h"

#include <stdlib.h>

#define NONE    UINT32_MAX       /* end of the list */
#define PRESENT (UINT32_MAX - 1) /* in `older`: not in the list */

struct entry {
    uint64_t key[2];
    struct noted noted;
    uint32_t older, newer; /* neighbours among those that left */
};

struct seen {
    struct view id; /* own copy */
    double opened_s;
    struct entry *entries;
    size_t count, cap;
    uint32_t *slots; /* index + 1; 0: free */
    size_t slot_cap; /* 0 or a power of two */
    uint32_t oldest, newest;
    size_t left, most_present;
    uint32_t change; /* counted by seen_settle() */
};

struct seen *seen_new(struct view id, double opened_s)
{
    struct seen *s = mem_zalloc(sizeof *s);
    char *copy = mem_alloc(id.n + 1);

    memcpy(copy, id.n ? id.p : "", id.n);
    s->id = (struct view){ copy, id.n };
    s->opened_s = opened_s;
    s->oldest = s->newest = NONE;
    return s;
}

void seen_free(struct seen *s)
{
    if (!s)
        return;
    free(s->entries);
    free(s->slots);
    free((void *)(uintptr_t)s->id.p); /* made by seen_new() */
    free(s);
}

struct view seen_id(const struct seen *s)
{
    return s->id;
}

double seen_opened(const struct seen *s)
{
    return s->opened_s;
}

size_t seen_count(const struct seen *s)
{
    return s->count;
}

size_t seen_present(const struct seen *s)
{
    return s->count - s->left;
}

/* ---- slots ---------------------------------------------------------------------- */

static size_t home_of(const struct seen *s, const uint64_t key[2])
{
    return key[0] & (s->slot_cap - 1);
}

/* The slot of a key, or the free one where it belongs. */
static size_t slot_of(const struct seen *s, const uint64_t key[2])
{
    size_t i = home_of(s, key);

    while (s->slots[i]) {
        const struct entry *e = &s->entries[s->slots[i] - 1];

        if (e->key[0] == key[0] && e->key[1] == key[1])
            break;
        i = (i + 1) & (s->slot_cap - 1);
    }
    return i;
}

/* The slots behind a hole move up, unless they are as near to their home as can be. */
static void close_hole(struct seen *s, size_t hole)
{
    size_t mask = s->slot_cap - 1;

    for (size_t i = (hole + 1) & mask; s->slots[i]; i = (i + 1) & mask) {
        size_t home = home_of(s, s->entries[s->slots[i] - 1].key);

        if (((i - home) & mask) < ((i - hole) & mask))
            continue;
        s->slots[hole] = s->slots[i];
        hole = i;
    }
    s->slots[hole] = 0;
}

void seen_expect(struct seen *s, size_t more)
{
    size_t cap = s->slot_cap ? s->slot_cap : 8;

    if (s->count + more > s->cap) {
        s->cap = s->count + more > s->cap * 2 ? s->count + more : s->cap * 2;
        s->entries = mem_resize(s->entries, s->cap, sizeof *s->entries);
    }
    while ((s->count + more) * 4 > cap * 3)
        cap *= 2;
    if (cap == s->slot_cap)
        return;
    free(s->slots);
    s->slots = mem_zalloc(cap * sizeof *s->slots);
    s->slot_cap = cap;
    for (size_t i = 0; i < s->count; i++)
        s->slots[slot_of(s, s->entries[i].key)] = (uint32_t)i + 1;
}

static void key_of(const struct scenario *sc, uint32_t ordinal, uint64_t key[2])
{
    scenario_identity(sc, key);
    /* The hash is even over all its bits; ordinals of one identity only must differ. */
    key[0] += ordinal * UINT64_C(0x9e3779b97f4a7c15);
}

/* ---- those that left ------------------------------------------------------------- */

static void list_remove(struct seen *s, struct entry *e)
{
    if (e->older == NONE)
        s->oldest = e->newer;
    else
        s->entries[e->older].newer = e->newer;
    if (e->newer == NONE)
        s->newest = e->older;
    else
        s->entries[e->newer].older = e->older;
    e->older = PRESENT;
    s->left--;
}

static void list_add(struct seen *s, struct entry *e)
{
    uint32_t at = (uint32_t)(e - s->entries);

    if (e->older != PRESENT)
        return;
    e->noted.left_at = s->change;
    e->older = s->newest;
    e->newer = NONE;
    if (s->newest == NONE)
        s->oldest = at;
    else
        s->entries[s->newest].newer = at;
    s->newest = at;
    s->left++;
}

/* The last entry takes the place of entry `to`, of which nothing is left. */
static void move_last(struct seen *s, uint32_t to)
{
    uint32_t from = (uint32_t)--s->count;
    struct entry *e = &s->entries[from];

    if (from == to)
        return;
    s->slots[slot_of(s, e->key)] = to + 1;
    s->entries[to] = *e;
    if (e->older == PRESENT)
        return;
    if (e->older == NONE)
        s->oldest = to;
    else
        s->entries[e->older].newer = to;
    if (e->newer == NONE)
        s->newest = to;
    else
        s->entries[e->newer].older = to;
}

static void forget_oldest(struct seen *s)
{
    uint32_t at = s->oldest;
    struct entry *e = &s->entries[at];

    list_remove(s, e);
    close_hole(s, slot_of(s, e->key));
    move_last(s, at);
}

/* ---- the doors ------------------------------------------------------------------- */

struct noted *seen_here(struct seen *s, const struct scenario *sc, uint32_t ordinal)
{
    uint64_t key[2];
    struct entry *e;
    size_t slot;

    key_of(sc, ordinal, key);
    seen_expect(s, 1);
    slot = slot_of(s, key);
    if (s->slots[slot] == 0) {
        s->entries[s->count] =
            (struct entry){ .key = { key[0], key[1] }, .older = PRESENT };
        s->slots[slot] = (uint32_t)++s->count;
    }
    e = &s->entries[s->slots[slot] - 1];
    if (e->older != PRESENT) {
        if (e->noted.left_at != s->change)
            memcpy(e->noted.floor, e->noted.level, sizeof e->noted.floor);
        list_remove(s, e);
    }
    return &e->noted;
}

void seen_goes_on(struct seen *s, const struct scenario *before,
                  uint32_t ordinal_before, const struct scenario *after,
                  uint32_t ordinal_after)
{
    uint64_t was[2], is[2];
    struct noted *noted, known;
    uint32_t left_at;
    size_t slot;

    key_of(before, ordinal_before, was);
    key_of(after, ordinal_after, is);
    if (s->count == 0 || s->slots[slot_of(s, is)])
        return;
    slot = slot_of(s, was);
    if (!s->slots[slot])
        return;
    known = s->entries[s->slots[slot] - 1].noted;
    noted = seen_here(s, after, ordinal_after);
    left_at = noted->left_at;
    *noted = known;
    noted->left_at = left_at;
}

void seen_left(struct seen *s, const struct scenario *sc, uint32_t ordinal)
{
    uint64_t key[2];
    size_t slot;

    if (s->count == 0)
        return;
    key_of(sc, ordinal, key);
    slot = slot_of(s, key);
    if (s->slots[slot])
        list_add(s, &s->entries[s->slots[slot] - 1]);
}

void seen_all_left(struct seen *s)
{
    for (size_t i = 0; i < s->count; i++)
        list_add(s, &s->entries[i]);
}

void seen_settle(struct seen *s)
{
    size_t kept = SEEN_LEFT_LEAST;

    if (seen_present(s) > s->most_present)
        s->most_present = seen_present(s);
    if (kept < s->most_present)
        kept = s->most_present;
    while (s->left > kept)
        forget_oldest(s);
    s->change++;
}
