#include "server/live/measured.h"

#include <math.h>
#include <stdlib.h>

#include "core/mem.h"
#include "core/table.h"
#include "server/live/live_inner.h"

enum { BYTES_MAX = 256 << 20 }; /* 60 hours at 30 frames a second, by nine scores */

struct measure {                              /* of one encode */
    struct view name, run, output, reference; /* own copies */
    struct roll_entry *entry;
    struct frame_table *tables[ENCODE_LOGS]; /* NULL: none */
    double took_s;
    uint32_t width, height;
    uint32_t at; /* where the newest run had its scenario */
};

struct live_measures {
    struct live *live;
    size_t bytes; /* of all tables */
    struct table by_name;
};

static struct view copy_of(struct view v)
{
    char *p = mem_alloc(v.n + 1);

    memcpy(p, v.n ? v.p : "", v.n);
    return (struct view){ p, v.n };
}

static void free_view(struct view v)
{
    free((void *)(uintptr_t)v.p); /* own copy */
}

static void table_free(struct frame_table *t)
{
    if (t)
        frame_table_deinit(t);
    free(t);
}

/* ---- the encode takes scores, and lets them go ---------------------------------------- */

/* Unless a log tells the same. True: something is shown that was not. */
static bool show(struct measure *one)
{
    struct encode *e = one->entry->encode;
    bool news = false;

    for (int i = 0; i < ENCODE_LOGS; i++) {
        if (!one->tables[i] || e->logs[i])
            continue;
        e->quality_s = one->took_s;
        encode_set_log(e, (enum encode_log)i, one->tables[i]);
        if (i == ENCODE_LOG_VMAF) {
            e->scored_width = one->width;
            e->scored_height = one->height;
        }
        news = true;
    }
    return news;
}

static void take_back(struct measure *one)
{
    struct encode *e = one->entry->encode;

    for (int i = 0; i < ENCODE_LOGS; i++)
        if (one->tables[i] && e->logs[i] && e->logs[i]->table == one->tables[i])
            encode_set_log(e, (enum encode_log)i, NULL);
    e->quality_s = NAN;
}

static size_t table_bytes(const struct frame_table *t)
{
    size_t n = t->numbers_cap * sizeof *t->numbers;

    for (size_t i = 0; i < t->column_count; i++) {
        const struct frame_scores *s = &t->columns[i].scores;

        n += s->cap * (s->wide ? sizeof *s->wide : sizeof *s->millionths);
    }
    return n;
}

static size_t bytes_of(const struct measure *one)
{
    size_t n = 0;

    for (int i = 0; i < ENCODE_LOGS; i++)
        n += one->tables[i] ? table_bytes(one->tables[i]) : 0;
    return n;
}

static void measure_free(struct measure *one)
{
    for (int i = 0; i < ENCODE_LOGS; i++)
        table_free(one->tables[i]);
    free_view(one->name);
    free_view(one->run);
    free_view(one->output);
    free_view(one->reference);
    free(one);
}

static void leave(struct live_measures *m, struct measure *one)
{
    table_remove(&m->by_name, one->name);
    m->bytes -= bytes_of(one);
}

static void drop(struct live_measures *m, struct measure *one)
{
    leave(m, one);
    take_back(one);
    live_close_name(m->live, one->entry);
    measure_free(one);
}

/* ---- whose they are ---------------------------------------------------------------------- */

static bool is_of(const struct measure *one, const struct run *run, uint32_t at)
{
    const struct scenario *s;

    if (at >= run->count || !view_eq(one->run, run->id))
        return false;
    s = run->scenarios[at];
    return view_eq(one->name, s->name) && view_eq(one->output, s->output) &&
           view_eq(one->reference, s->reference);
}

/* Some scenario of the run is the one; the same as before, mostly. */
static bool belongs(struct measure *one, const struct run *run)
{
    if (!run || !view_eq(one->run, run->id))
        return false;
    if (is_of(one, run, one->at))
        return true;
    for (uint32_t i = 0; i < run->count; i++)
        if (is_of(one, run, i)) {
            one->at = i;
            return true;
        }
    return false;
}

bool live_measures_other(struct live_measures *m, const struct roll_entry *e,
                         const struct run *run, uint32_t at)
{
    struct measure *one =
        table_get(&m->by_name, (struct view){ e->encode->name, e->encode->name_n });

    if (!one || is_of(one, run, at))
        return false;
    drop(m, one);
    return true;
}

/* The next that is of another run, or of a scenario that is no more; NULL: none. */
static struct measure *next_other(struct live_measures *m, const struct run *newest)
{
    struct measure *one;

    for (size_t i = 0; (one = table_next(&m->by_name, &i));)
        if (!belongs(one, newest))
            return one;
    return NULL;
}

void live_measures_settle(struct live_measures *m, const struct run *newest)
{
    struct measure *one;

    while ((one = next_other(m, newest)))
        drop(m, one);
    for (size_t i = 0; (one = table_next(&m->by_name, &i));)
        if (show(one))
            live_heard(m->live, one->entry);
}

void live_measures_let_go(struct live_measures *m, const struct roll_entry *e)
{
    struct measure *one =
        table_get(&m->by_name, (struct view){ e->encode->name, e->encode->name_n });

    if (!one)
        return;
    leave(m, one);
    take_back(one);
    measure_free(one); /* the entry goes by itself */
}

/* ---- what comes, and goes ------------------------------------------------------------------ */

static struct measure *make(const struct live_scores *s)
{
    struct measure *one = mem_zalloc(sizeof *one);

    one->name = copy_of(s->name);
    one->run = copy_of(s->run);
    one->output = copy_of(s->output);
    one->reference = copy_of(s->reference);
    one->tables[ENCODE_LOG_PSNR] = s->psnr;
    one->tables[ENCODE_LOG_SSIM] = s->ssim;
    one->tables[ENCODE_LOG_VMAF] = s->vmaf;
    one->took_s = s->took_s;
    one->width = s->width;
    one->height = s->height;
    return one;
}

bool live_measures_take(struct live_measures *m, const struct live_scores *s,
                        const struct run *newest)
{
    struct measure *one = make(s);
    bool full = false;

    live_measures_forget(m, s->name);
    if (belongs(one, newest) && m->bytes + bytes_of(one) <= BYTES_MAX)
        one->entry = live_open_name(m->live, one->name, live_now_s(), &full);
    if (!one->entry) {
        measure_free(one);
        return false;
    }
    table_put(&m->by_name, one->name, one);
    m->bytes += bytes_of(one);
    show(one);
    live_heard(m->live, one->entry);
    return true;
}

void live_measures_forget(struct live_measures *m, struct view name)
{
    struct measure *one = table_get(&m->by_name, name);

    if (one)
        drop(m, one);
}

struct live_measures *live_measures_new(struct live *l)
{
    struct live_measures *m = mem_zalloc(sizeof *m);

    m->live = l;
    return m;
}

void live_measures_free(struct live_measures *m)
{
    struct measure *one;
    size_t i = 0;

    while ((one = table_next(&m->by_name, &i))) {
        i = 0;
        drop(m, one);
    }
    table_deinit(&m->by_name);
    free(m);
}
