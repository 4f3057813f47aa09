/*
 * forecast.c - when runs are learned from, models fitted, and bodies made of them.
 *
 * All work is done in lectures on the pool, one at a time: lessons are taken from runs,
 * models fitted where anything differs from what the last fit was made from, and rendered
 * what differs from what is served. A fit waits until a second has passed since the last
 * one began and 19 times what it took since it ended, so that in the long run it takes a
 * twentieth of a core; rendering waits likewise. One timer, armed only while there is
 * something to do.
 *
 * Neither begins in the moment of a change: the processors belong to those who render and
 * fetch it, and the loop has no walk over ten thousand runs between a file's event and the
 * answer with it.
 *
 * While files are still being read for their lessons, a fit waits for the rest of them,
 * but not longer than a second.
 */
#include "server/predict/forecast.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "core/mem.h"
#include "server/predict/session.h"
#include "server/version.h"

#define NS_PER_MS UINT64_C(1000000)

enum {
    FIT_MS = 1000,          /* from the beginning of one fit to that of the next */
    REST = 19,              /* times what it took */
    PAUSE_MS = 50,          /* after a change, for those who serve it */
    PATIENCE_MS = 1000,     /* with files that are being read */
    VERSION_MS = 60000,     /* for which a version is told that is not the first */
    WORTH_DEFLATING = 4096, /* bytes */
};

struct forecast {
    struct forecast_host h;
    uv_timer_t timer;
    struct sheet_heads heads;
    struct notes notes;
    struct whatifs *whatifs, *read; /* in force; what forecast_read() brought */
    struct fitted *fitted;          /* NULL: there was no fit yet */
    struct sheets *sheets;
    struct session *session; /* NULL: nothing is on the pool */
    uint64_t serial;         /* of the last session */

    bool started, frozen, stopped;
    atomic_bool stop;          /* the same as stopped, for the pool */
    bool unfitted, unrendered; /* something was told that may need it */
    bool anew;                 /* a fit was asked for */
    bool learning;             /* files are being read for their lessons */
    uint64_t learning_ms;      /* since when */
    uint64_t fit_due_ms, render_due_ms;

    struct version_shown shown;
    uint64_t version_due_ms; /* another one may be told then */
    bool version_held;       /* there is another one */

    uint64_t fits;
    double fit_s; /* of the last one */
    void (*done)(void *ctx);
    void *done_ctx;
};

static void go_on(struct forecast *f);

static void on_timer(uv_timer_t *timer)
{
    go_on(timer->data);
}

/* ---- our families ------------------------------------------------------------------------ */

enum { FITS, FIT_SECONDS, LESSONS, UNLEARNED, FAMILIES };

static const struct family families[FAMILIES] = {
    [FITS] = { "encode_exporter_predict_fits_total",
               "Times that all models were fitted.", COUNTER },
    [FIT_SECONDS] = { "encode_exporter_predict_fit_seconds",
                      "Time that the last fit of all models took, in seconds.", GAUGE },
    [LESSONS] = { "encode_exporter_predict_lessons",
                  "Encodes that are known to learn from.", GAUGE },
    [UNLEARNED] = { "encode_exporter_predict_files_unread",
                    "Files still to be read for their lessons alone.", GAUGE },
};

const struct family *forecast_families(size_t *count)
{
    *count = FAMILIES;
    return families;
}

static void collect(void *ctx, struct series *out)
{
    static const struct labels none;
    const struct forecast *f = ctx;

    series_add(out, FITS, none, (double)f->fits);
    if (f->fits)
        series_add(out, FIT_SECONDS, none, f->fit_s);
    series_add(out, LESSONS, none, (double)f->notes.lessons);
    series_add(out, UNLEARNED, none, (double)store_count(f->h.store).unlearned);
}

/* ---- what came of it ---------------------------------------------------------------------- */

static void keep_lessons(struct forecast *f, struct lecture *l)
{
    for (size_t i = 0; i < l->count; i++) {
        struct lecture_item *item = &l->items[i];

        if (!item->taken || item->note->gone || item->note->version != item->version)
            continue; /* something newer was told */
        if (notes_put(&f->notes, item->note, item->lessons))
            f->unfitted |= !l->fits; /* else they were fitted with these */
        item->lessons = NULL;
    }
}

static void keep_fit(struct forecast *f, struct lecture *l)
{
    uint64_t took_ms, now_ms = uv_now(f->h.loop);

    if (!l->made)
        return;
    took_ms = (l->made->ended_ns - l->made->began_ns) / NS_PER_MS;
    fitted_unref(f->fitted);
    f->fitted = l->made;
    l->made = NULL;
    f->fits++;
    f->fit_s = (double)(f->fitted->ended_ns - f->fitted->began_ns) / 1e9;
    f->fit_due_ms = now_ms + REST * took_ms;
    if (f->fit_due_ms < now_ms - took_ms + FIT_MS)
        f->fit_due_ms = now_ms - took_ms + FIT_MS;
}

static void keep_version(struct forecast *f, const struct session *s)
{
    if (strcmp(f->shown.text, s->task.shown.text) != 0) {
        /* The first one may be followed at once. */
        f->version_due_ms = f->shown.text[0] ? uv_now(f->h.loop) + VERSION_MS : 0;
        f->shown = s->task.shown;
    }
    f->version_held =
        f->fitted && strcmp(f->shown.text, outlook_version(f->fitted->outlook)) != 0;
}

static struct body *body_of(struct forecast *f, enum tell_on on, struct body *old)
{
    struct body *b = sheets_body(f->sheets, &f->heads, on);

    if (old && body_same(old, b)) {
        body_unref(b);
        return body_ref(old);
    }
    return b;
}

static const struct {
    enum tell_on on;
    const char *module;
} endpoints[] = {
    { TELL_RESULTS, "results" },
    { TELL_QOE, "qoe" },
    { TELL_COST, "cost" },
};

static void publish(struct forecast *f)
{
    struct pipeline_more more = { 0 }, old;

    pipeline_added(f->h.pipeline, PIPELINE_FORECAST, &old);
    for (size_t i = 0; i < sizeof endpoints / sizeof *endpoints; i++) {
        int module = registry_find(view_of(endpoints[i].module));

        if (module >= 0)
            more.after[module] = body_of(f, endpoints[i].on, old.after[module]);
    }
    more.alone = body_of(f, TELL_ML, old.alone);
    pipeline_add(f->h.pipeline, PIPELINE_FORECAST, &more);
}

static void keep_sheets(struct forecast *f, struct session *s)
{
    if (!s->made)
        return;
    sheets_settle(s->made);
    sheets_free(f->sheets);
    f->sheets = s->made;
    s->made = NULL;
    f->render_due_ms = uv_now(f->h.loop) + REST * (s->render_ns / NS_PER_MS);
    if (!f->stopped)
        publish(f);
}

static void on_worked(uv_work_t *work, int status)
{
    struct session *s = work->data;
    struct forecast *f = s->ctx;

    assert(status == 0); /* nobody cancels */
    f->session = NULL;
    keep_lessons(f, &s->lecture);
    keep_fit(f, &s->lecture);
    keep_sheets(f, s);
    keep_version(f, s);
    session_free(s);
    if (!f->stopped)
        go_on(f);
}

/* ---- what goes to the pool ---------------------------------------------------------------- */

static double unix_now(void)
{
    struct timeval now;

    gettimeofday(&now, NULL);
    return (double)now.tv_sec + (double)now.tv_usec / 1e6;
}

static void add_due(struct forecast *f, struct session *s)
{
    const struct run *run;
    struct note *note;

    while ((note = notes_due(&f->notes, &run))) {
        struct lecture_item *item = lecture_add(&s->lecture, note, f->serial);

        item->run = run;
        note_unref(note);
    }
}

/* Of a run that is among the newest. */
static void meet(void *ctx, struct view id, uint32_t count, const struct run *run)
{
    struct session *s = ctx;
    struct forecast *f = s->ctx;
    struct note *note = notes_get(&f->notes, id);
    struct lecture_item *item;

    if (!note && !run)
        return;
    if (!note)
        note = notes_run(&f->notes, id, run); /* it had been too old */
    note->met = f->serial;
    item = lecture_add(&s->lecture, note, f->serial);
    item->limit = count;
}

/* Those that are too old by now, so that they are read again should their time come. */
static void forget_old(struct forecast *f)
{
    struct note **old = mem_alloc((f->notes.by_id.count + 1) * sizeof *old), *note;
    size_t n = 0;

    for (size_t i = 0; (note = table_next(&f->notes.by_id, &i));)
        if (note->met != f->serial)
            old[n++] = note;
    for (size_t i = 0; i < n; i++) {
        store_unlearn(f->h.store, old[i]->id);
        notes_remove(&f->notes, old[i]);
    }
    free(old);
}

static void on_work(uv_work_t *work)
{
    session_run(work->data);
}

static void begin(struct forecast *f, bool fits, bool renders)
{
    struct session *s = mem_zalloc(sizeof *s);

    f->serial++;
    s->ctx = f;
    s->work.data = s;
    s->renders = renders;
    s->now_s = unix_now();
    s->names_anew = !f->shown.text[0] || uv_now(f->h.loop) >= f->version_due_ms;
    s->lecture.fits = fits;
    s->lecture.stop = &f->stop;
    s->lecture.anew = fits && f->anew;
    s->lecture.before = f->fitted ? fitted_ref(f->fitted) : NULL;
    s->lecture.whatifs = f->whatifs;
    f->whatifs->refs++;
    if (fits) {
        store_each_lesson(f->h.store, meet, s);
        forget_old(f);
        f->unfitted = f->anew = false;
    }
    if (fits || renders) {
        session_serve(s, store_served(f->h.store), &f->notes, f->serial);
        f->unrendered = false;
    }
    add_due(f, s);
    s->task.before = f->sheets;
    s->task.set = module_set_ref(pipeline_set(f->h.pipeline));
    s->task.shown = f->shown;
    s->task.deflated = f->h.config->action == CONFIG_ONCE ? SIZE_MAX : WORTH_DEFLATING;
    f->session = s;
    uv_queue_work(f->h.loop, &s->work, on_work, on_worked); /* cannot fail */
}

/* ---- when -------------------------------------------------------------------------------- */

/* When the next fit may begin; UINT64_MAX: not before all is read. */
static uint64_t fit_ms(const struct forecast *f)
{
    if (!f->learning)
        return f->fit_due_ms;
    if (f->h.config->action == CONFIG_ONCE)
        return UINT64_MAX;
    return f->fit_due_ms > f->learning_ms + PATIENCE_MS ? f->fit_due_ms
                                                        : f->learning_ms + PATIENCE_MS;
}

static void tell_done(struct forecast *f)
{
    void (*done)(void *ctx) = f->done;

    if (!done || f->learning || f->session || f->unfitted || f->unrendered ||
        f->notes.due || !f->started)
        return;
    f->done = NULL;
    done(f->done_ctx);
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Begins what may begin now, or sets the timer for what may later. */
static void go_on(struct forecast *f)
{
    uint64_t now_ms = uv_now(f->h.loop), next_ms = UINT64_MAX;
    bool fits, renders;

    if (!f->started || f->frozen || f->stopped || f->session)
        return;
    if (f->version_held)
        next_ms = f->version_due_ms;
    if (f->unrendered && f->fitted)
        next_ms = least(next_ms, f->render_due_ms);
    renders = next_ms <= now_ms;
    fits = f->unfitted && fit_ms(f) <= now_ms;
    if (fits || renders) { /* one of them is due wherever lessons are */
        uv_timer_stop(&f->timer);
        begin(f, fits, renders);
        return;
    }
    if (f->unfitted)
        next_ms = least(next_ms, fit_ms(f));
    if (next_ms == UINT64_MAX)
        uv_timer_stop(&f->timer);
    else
        uv_timer_start(&f->timer, on_timer, next_ms - now_ms, 0);
    tell_done(f);
}

/* The same, when what is going on is over. */
static void go_on_in(struct forecast *f, uint64_t ms)
{
    const uv_handle_t *timer = (const uv_handle_t *)&f->timer;

    if (!f->started || f->frozen || f->stopped || f->session ||
        (uv_is_active(timer) && uv_timer_get_due_in(&f->timer) <= ms))
        return;
    uv_timer_start(&f->timer, on_timer, ms, 0);
}

static void go_on_soon(struct forecast *f)
{
    go_on_in(f, 0);
}

static void go_on_after_change(struct forecast *f)
{
    go_on_in(f, f->h.config->action == CONFIG_ONCE ? 0 : PAUSE_MS);
}

/* ---- what is heard ------------------------------------------------------------------------ */

void forecast_start(struct forecast *f)
{
    if (f->started)
        return;
    f->started = true;
    f->learning_ms = uv_now(f->h.loop);
    go_on_soon(f);
}

void forecast_changed(struct forecast *f, const struct diff *d)
{
    struct note *note = notes_get(&f->notes, d->id);

    if (d->after)
        notes_run(&f->notes, d->id, d->after);
    else if (note)
        notes_remove(&f->notes, note);
    else
        return;
    f->unfitted |= !d->measured; /* of these, few teach anything new */
    f->unrendered = true;
    go_on_after_change(f);
}

void forecast_served(struct forecast *f)
{
    f->unfitted = f->unrendered = true;
    go_on_after_change(f);
}

static const void *digest(const struct run *run)
{
    return lessons_of(run);
}

static void undigest(const void *lessons)
{
    lessons_unref(lessons);
}

struct read_digest forecast_digest(const struct forecast *f)
{
    (void)f;
    return (struct read_digest){ digest, undigest };
}

void forecast_learned(struct forecast *f, struct view id, const void *lessons)
{
    if (!f->learning) {
        f->learning = true;
        f->learning_ms = uv_now(f->h.loop);
    }
    if (notes_put(&f->notes, notes_at(&f->notes, id), lessons))
        f->unfitted = true;
}

void forecast_learned_all(struct forecast *f)
{
    f->learning = false;
    go_on_soon(f);
}

void forecast_refit(struct forecast *f)
{
    f->unfitted = f->anew = true;
    go_on_soon(f);
}

bool forecast_loaded(const struct forecast *f)
{
    size_t count = 0;

    return f->fitted && outlook_models(f->fitted->outlook, &count) && count > 0;
}

void forecast_about(const struct forecast *f, struct about *out)
{
    const struct tell_context c = { .tariff = sheets_tariff,
                                    .ctx = pipeline_set(f->h.pipeline),
                                    .version = version_text,
                                    .model_version = f->shown.text,
                                    .model_update_s = f->shown.update_s };

    if (f->fitted)
        tell_about(f->fitted->outlook, &c, out);
}

void forecast_settled(struct forecast *f, void (*done)(void *ctx), void *ctx)
{
    f->done = done;
    f->done_ctx = ctx;
    go_on_soon(f);
}

void forecast_freeze(struct forecast *f)
{
    f->frozen = true;
    uv_timer_stop(&f->timer);
}

/* ---- configurations ------------------------------------------------------------------------ */

int forecast_check(const struct config *c, struct err *e)
{
    struct whatifs *w;
    int rc = whatifs_read(c, &w, e);

    if (rc == 0)
        whatifs_unref(w);
    return rc;
}

int forecast_read(struct forecast *f, struct err *e)
{
    whatifs_unref(f->read);
    f->read = NULL;
    return whatifs_read(f->h.config, &f->read, e);
}

void forecast_take(struct forecast *f)
{
    struct whatifs *w = f->read;

    f->read = NULL;
    if (w && !hash_eq(w->says.part, f->whatifs->says.part)) {
        whatifs_unref(f->whatifs);
        f->whatifs = w;
        f->unfitted = true;
    } else {
        whatifs_unref(w);
    }
    go_on_soon(f);
}

/* ---- life ---------------------------------------------------------------------------------- */

int forecast_new(const struct forecast_host *h, struct forecast **out, struct err *e)
{
    struct whatifs *whatifs;
    int rc = whatifs_read(h->config, &whatifs, e);

    if (rc < 0)
        return rc;

    struct forecast *f = mem_zalloc(sizeof *f);

    f->h = *h;
    f->whatifs = whatifs;
    f->unfitted = f->learning = true;
    sheet_heads_init(&f->heads);
    uv_timer_init(h->loop, &f->timer);
    f->timer.data = f;
    self_add(h->self, &(struct self_part){ families, FAMILIES, collect, f });
    *out = f;
    return 0;
}

void forecast_stop(struct forecast *f)
{
    if (f->stopped)
        return;
    f->stopped = true;
    atomic_store(&f->stop, true);
    uv_close((uv_handle_t *)&f->timer, NULL);
}

void forecast_free(struct forecast *f)
{
    assert(f->stopped && !f->session);
    sheets_free(f->sheets);
    sheet_heads_deinit(&f->heads);
    fitted_unref(f->fitted);
    whatifs_unref(f->whatifs);
    whatifs_unref(f->read);
    notes_deinit(&f->notes);
    free(f);
}
