/*
 * board.c - records in a log of their changes.
 *
 * The log has one slot for each record, where it changed last: a record that changes again
 * moves to the end and leaves a hole. When there are more holes than records the log is
 * put together. A place is found in it by halving.
 */
#include "server/page/board.h"

#include <inttypes.h>
#include <stdlib.h>

#include "core/json_text.h"
#include "core/mem.h"
#include "core/table.h"

enum { HOLES_MIN = 256 };

struct record {
    uint64_t change;
    size_t slot;
    uint32_t key_n, text_n; /* key: the kind's letter, then the key itself */
    bool gone;              /* a trace: no text */
    char bytes[];           /* key, then text */
};

struct slot {
    uint64_t change;
    struct record *record; /* NULL: a hole */
};

struct board {
    uint32_t epoch;
    struct table by_key;
    struct slot *log;
    size_t count, cap; /* slots */
    size_t records, traces, traces_max;
    size_t oldest_trace; /* no trace lies before this slot */
    uint64_t change;     /* the last one; 0: none yet */
    uint64_t forgotten;  /* the last change whose trace is not there any more */
    uint64_t completed;  /* changes of complete */
    bool complete;
    struct buf key; /* room for one */
};

static const char *const names[BOARD_KINDS] = { "status", "encode", "scenario" };

const char *board_kind_name(enum board_kind kind)
{
    return names[kind];
}

static struct view key_of(const struct record *r)
{
    return (struct view){ r->bytes, r->key_n };
}

static struct view text_of(const struct record *r)
{
    return (struct view){ r->bytes + r->key_n, r->text_n };
}

/* Valid until the next call. */
static struct view whole_key(struct board *b, enum board_kind kind, struct view key)
{
    buf_release(&b->key);
    buf_char(&b->key, names[kind][1]); /* t, n, c: one letter tells them apart */
    buf_view(&b->key, key);
    return buf_as_view(&b->key);
}

static enum board_kind kind_of(const struct record *r)
{
    size_t kind = 0;

    while (kind + 1 < BOARD_KINDS && names[kind][1] != r->bytes[0])
        kind++;
    return (enum board_kind)kind;
}

/* ---- the log --------------------------------------------------------------------------- */

static void put_together(struct board *b)
{
    size_t n = 0;

    for (size_t i = 0; i < b->count; i++) {
        if (!b->log[i].record)
            continue;
        b->log[i].record->slot = n;
        b->log[n++] = b->log[i];
    }
    b->count = n;
    b->oldest_trace = 0;
}

static void append(struct board *b, struct record *r)
{
    size_t holes = b->count - b->records - b->traces;

    if (holes > HOLES_MIN && holes > b->count / 2)
        put_together(b);
    if (b->count == b->cap) {
        b->cap = b->cap ? 2 * b->cap : 64;
        b->log = mem_resize(b->log, b->cap, sizeof *b->log);
    }
    r->change = ++b->change;
    r->slot = b->count;
    b->log[b->count++] = (struct slot){ r->change, r };
    if (r->gone)
        b->traces++;
    else
        b->records++;
}

static void take_out(struct board *b, struct record *r)
{
    b->log[r->slot].record = NULL;
    if (r->gone)
        b->traces--;
    else
        b->records--;
    table_remove(&b->by_key, key_of(r));
    free(r);
}

static void forget_trace(struct board *b)
{
    struct record *r;

    while (!(r = b->log[b->oldest_trace].record) || !r->gone)
        b->oldest_trace++;
    b->forgotten = r->change;
    take_out(b, r);
}

/* The first slot behind a change. */
static size_t behind(const struct board *b, uint64_t change)
{
    size_t low = 0, high = b->count;

    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (b->log[mid].change <= change)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

/* ---- changes --------------------------------------------------------------------------- */

struct board *board_new(uint32_t epoch, size_t traces)
{
    struct board *b = mem_zalloc(sizeof *b);

    b->epoch = epoch;
    b->traces_max = traces;
    return b;
}

void board_free(struct board *b)
{
    if (!b)
        return;
    for (size_t i = 0; i < b->count; i++)
        free(b->log[i].record);
    free(b->log);
    table_deinit(&b->by_key);
    buf_deinit(&b->key);
    free(b);
}

static struct record *make(struct view key, struct view text, bool gone)
{
    struct record *r = mem_alloc(sizeof *r + key.n + text.n);

    *r = (struct record){ .key_n = (uint32_t)key.n,
                          .text_n = (uint32_t)text.n,
                          .gone = gone };
    memcpy(r->bytes, key.p, key.n);
    if (text.n)
        memcpy(r->bytes + key.n, text.p, text.n);
    return r;
}

static void enter(struct board *b, struct record *r)
{
    append(b, r);
    table_put(&b->by_key, key_of(r), r);
}

void board_put(struct board *b, enum board_kind kind, struct view key, struct view text)
{
    struct view whole = whole_key(b, kind, key);
    struct record *before = table_get(&b->by_key, whole);

    if (before && !before->gone && view_eq(text_of(before), text))
        return;
    if (before)
        take_out(b, before);
    enter(b, make(whole, text, false));
}

void board_drop(struct board *b, enum board_kind kind, struct view key)
{
    struct view whole = whole_key(b, kind, key);
    struct record *before = table_get(&b->by_key, whole);

    if (!before || before->gone)
        return;
    take_out(b, before);
    enter(b, make(whole, (struct view){ NULL, 0 }, true));
    if (b->traces > b->traces_max)
        forget_trace(b);
}

void board_complete(struct board *b, bool yes)
{
    b->completed += b->complete != yes;
    b->complete = yes;
}

size_t board_count(const struct board *b)
{
    return b->records;
}

uint64_t board_version(const struct board *b)
{
    return b->change + b->completed;
}

/* ---- reading --------------------------------------------------------------------------- */

struct board_place board_begin(const struct board *b)
{
    return (struct board_place){ .since = b->change, .reset = true };
}

/* Digits of a number in this base to the end of v or to `end`, which is taken off as well. */
static bool read_number(struct view *v, unsigned base, char end, uint64_t *out)
{
    *out = 0;
    for (size_t i = 0; i < v->n; i++) {
        char c = v->p[i];
        unsigned digit = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
                         : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10
                                                : 99;

        if (c == end && i > 0) {
            *v = (struct view){ v->p + i + 1, v->n - i - 1 };
            return true;
        }
        if (digit >= base || *out > (UINT64_MAX - digit) / base)
            return false;
        *out = *out * base + digit;
    }
    return end == '\0' && v->n > 0;
}

struct board_place board_resume(const struct board *b, struct view id)
{
    struct board_place place = { 0 };
    uint64_t epoch;

    if (!read_number(&id, 16, '-', &epoch) || epoch != b->epoch ||
        !read_number(&id, 10, '\0', &place.at) || place.at > b->change)
        return board_begin(b);
    return place;
}

/* True if what went since this place is not known any more. */
static bool too_old(const struct board *b, const struct board_place *p)
{
    return p->at < b->forgotten && p->since < b->forgotten;
}

/* A part of the log, and what an event that tells it holds. */
struct part {
    size_t first, end; /* slots */
    uint64_t since;    /* traces up to this one are told to nobody */
    uint64_t at;       /* the place behind it */
    size_t told;       /* records and traces */
    bool last;         /* nothing lies behind it */
};

static const struct record *told_at(const struct board *b, size_t slot, uint64_t since)
{
    const struct record *r = b->log[slot].record;

    return r && !(r->gone && r->change <= since) ? r : NULL;
}

static struct part part_at(const struct board *b, const struct board_place *p,
                           size_t bytes)
{
    struct part part = { .first = behind(b, p->at), .since = p->since, .at = p->at };
    size_t n = 0;

    for (part.end = part.first; part.end < b->count && n < bytes; part.end++) {
        const struct record *r = told_at(b, part.end, p->since);

        part.at = b->log[part.end].change;
        part.told += r != NULL;
        n += r ? r->key_n + r->text_n : 0;
    }
    part.last = part.end == b->count;
    if (part.last)
        part.at = b->change;
    return part;
}

static void add_set(const struct board *b, const struct part *part, struct buf *out)
{
    const char *comma = "";

    for (size_t i = part->first; i < part->end; i++) {
        const struct record *r = told_at(b, i, part->since);

        if (!r || r->gone)
            continue;
        buf_str(out, comma);
        buf_view(out, text_of(r));
        comma = ",";
    }
}

static void add_gone(const struct board *b, const struct part *part, struct buf *out)
{
    const char *comma = "";

    for (size_t i = part->first; i < part->end; i++) {
        const struct record *r = told_at(b, i, part->since);

        if (!r || !r->gone)
            continue;
        buf_fmt(out, "%s{\"kind\":\"%s\",\"key\":", comma, names[kind_of(r)]);
        json_text_string(out, (struct view){ r->bytes + 1, r->key_n - 1 });
        buf_char(out, '}');
        comma = ",";
    }
}

bool board_next(const struct board *b, struct board_place *place, size_t bytes,
                struct buf *out)
{
    struct part part;
    bool whole;

    if (too_old(b, place))
        *place = board_begin(b);
    part = part_at(b, place, bytes);
    whole = part.last && b->complete && !place->whole;
    place->at = part.at;
    if (part.told == 0 && !place->reset && !whole)
        return false;
    buf_fmt(out, "id: %08" PRIx32 "-%" PRIu64 "\nevent: change\ndata: {", b->epoch,
            part.at);
    if (place->reset)
        buf_str(out, "\"reset\":true,");
    buf_str(out, "\"set\":[");
    add_set(b, &part, out);
    buf_str(out, "],\"gone\":[");
    add_gone(b, &part, out);
    buf_str(out, whole ? "],\"whole\":true}\n\n" : "]}\n\n");
    place->reset = false;
    place->whole |= whole;
    return true;
}
