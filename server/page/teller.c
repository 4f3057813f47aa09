#include "server/page/teller.h"

#include <math.h>
#include <stdlib.h>

#include "core/json_text.h"
#include "core/mem.h"
#include "server/page/encodes.h"
#include "server/page/rows.h"

#define STEP_NS UINT64_C(1000000)

struct teller {
    const struct page_host *h;
    struct board *board;
    struct encodes *encodes;
    struct rows *rows;
    bool busy; /* with rows */
    uint64_t late_ns;
    struct buf status; /* but for the time; as it was told last */
    struct buf key, text;
};

struct teller *teller_new(const struct page_host *h, struct board *b)
{
    struct teller *t = mem_zalloc(sizeof *t);

    t->h = h;
    t->board = b;
    t->encodes = encodes_new(h->live);
    t->rows = rows_new();
    return t;
}

void teller_free(struct teller *t)
{
    if (!t)
        return;
    encodes_free(t->encodes);
    rows_free(t->rows);
    buf_deinit(&t->status);
    buf_deinit(&t->key);
    buf_deinit(&t->text);
    free(t);
}

/* ---- the state of the program ---------------------------------------------------------- */

static void add_text(struct buf *out, const char *key, const char *value)
{
    if (!value)
        return;
    buf_fmt(out, ",\"%s\":", key);
    json_text_string(out, view_of(value));
}

static void add_count(struct buf *out, const char *key, uint64_t n)
{
    buf_fmt(out, ",\"%s\":", key);
    buf_u64(out, n);
}

static void add_bool(struct buf *out, const char *key, bool yes)
{
    buf_fmt(out, ",\"%s\":%s", key, yes ? "true" : "false");
}

static void add_time(struct buf *out, const char *key, double s)
{
    if (isnan(s))
        return;
    buf_fmt(out, ",\"%s\":", key);
    json_text_exact(out, s);
}

/* The currency that costs are in; NULL: nothing tells of any. */
static const char *currency_of(const struct page_host *h, const struct served *all)
{
    const char *currency = NULL;

    for (size_t k = all->run_count; k-- > 0 && !currency;) {
        const struct run *run = all->runs[k];

        if (run->count) {
            const struct place at = { run, run->scenarios[0], run_baseline(run),
                                      run->ordinals[0] };

            rows_cost(pipeline_set(h->pipeline), &at, &currency);
        }
    }
    return currency;
}

static void add_status(const struct teller *t, const struct served *all,
                       const struct page_data *d, struct buf *out)
{
    add_text(out, "version", d->version);
    add_text(out, "revision", d->revision);
    add_bool(out, "ready", d->ready);
    add_text(out, "results_dir", d->results_dir);
    add_text(out, "watch", d->watch);
    add_count(out, "files_served", d->files_served);
    add_count(out, "files_other", d->files_other);
    add_count(out, "files_failed", d->files_failed);
    add_count(out, "files_ignored", d->files_ignored);
    if (d->newest.n) {
        buf_str(out, ",\"newest\":");
        json_text_string(out, d->newest);
        add_time(out, "newest_changed", d->newest_changed_s);
        add_bool(out, "newest_ok", d->newest_ok);
        add_text(out, "newest_error", d->newest_error);
    }
    add_count(out, "scenarios", rows_served(t->rows));
    add_count(out, "shown", rows_shown(t->rows));
    add_text(out, "currency", currency_of(t->h, all));
}

/* The time alone is no news. */
static void tell_status(struct teller *t, const struct served *all)
{
    struct page_data *d = mem_zalloc(sizeof *d);

    t->h->facts(t->h->ctx, 0, d, NULL);
    buf_release(&t->text);
    add_status(t, all, d, &t->text);
    if (!view_eq(buf_as_view(&t->text), buf_as_view(&t->status))) {
        buf_release(&t->status);
        buf_view(&t->status, buf_as_view(&t->text));
        buf_release(&t->text);
        buf_str(&t->text, "{\"kind\":\"status\",\"key\":\"\"");
        add_time(&t->text, "now", d->now_s);
        buf_view(&t->text, buf_as_view(&t->status));
        buf_char(&t->text, '}');
        board_put(t->board, BOARD_STATUS, VIEW(""), buf_as_view(&t->text));
    }
    free(d);
}

/* ---- a look ------------------------------------------------------------------------------ */

static bool late(void *ctx)
{
    const struct teller *t = ctx;

    return uv_hrtime() >= t->late_ns;
}

bool teller_step(struct teller *t)
{
    t->late_ns = uv_hrtime() + STEP_NS;
    if (!t->busy) {
        const struct served *all = store_served(t->h->store);
        struct module_set *set = pipeline_set(t->h->pipeline);

        t->busy = rows_differ(t->rows, all, set);
        if (t->busy)
            rows_begin(t->rows, all, set);
        tell_status(t, all);
        encodes_tell(t->encodes, t->board);
    }
    if (t->busy)
        t->busy = !rows_step(t->rows, t->board, late, t);
    return !t->busy;
}
