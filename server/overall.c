#include "server/overall.h"

#include "core/mem.h"

#include <assert.h>
#include <stdlib.h>

enum {
    TELL_NOW = 256, /* scenarios: about a tenth of a millisecond */
    /* So many cost about as much as one scenario rendered. */
    TOLD_PER_SCENARIO = 16,
    SAMPLES_PER_SCENARIO = 32,
    SAMPLES_PER_REGION = 8, /* guessed before the first are counted */
    WORTH_DEFLATING = 4096, /* bytes */
};

/* A change that waits to be told. */
struct told {
    struct told *next;
    struct diff d; /* own copies and references */
    double now_s;
    char id[]; /* of a run that is gone */
};

struct overall {
    void *memory[MODULES_MAX];
    struct told *waiting, **last; /* in order */
    uint64_t waiting_scenarios;
    struct chunk **chunks; /* per family; one reference each */
    uint64_t samples;      /* of the last chunks; 0: there are none yet */

    /* From begin to end. */
    bool making;
    struct told *due;       /* what waited at the beginning */
    struct module_set *set; /* one reference */
    struct served served;   /* own arrays; one reference to each run */
    struct chunk **made;    /* those that are the old ones without a reference */
};

struct overall *overall_new(const struct module_set *set)
{
    struct overall *o = mem_zalloc(sizeof *o);

    o->last = &o->waiting;
    o->chunks = mem_zalloc(segment_families() * sizeof(struct chunk *));
    for (size_t i = 0; i < registry_count; i++)
        if (set->config[i] && registry[i]->memory_size)
            o->memory[i] = mem_zalloc(registry[i]->memory_size);
    return o;
}

/* ---- telling -------------------------------------------------------------------- */

static void tell(struct overall *o, const struct module_set *set, const struct diff *d,
                 double now_s)
{
    for (size_t i = 0; i < registry_count; i++)
        if (set->config[i] && registry[i]->remember)
            registry[i]->remember(o->memory[i], set->config[i], d, now_s);
}

/* Scenarios that came, changed, moved or went. */
static uint64_t touched(const struct diff *d)
{
    uint32_t before = d->before ? d->before->count : 0;
    uint32_t after =
        d->after ? d->after->count : before; /* gone: one thing to forget */

    return d->changed_count + (before > after ? before - after : 0);
}

static void wait(struct overall *o, const struct diff *d, double now_s)
{
    size_t copied = d->after ? 0 : d->id.n;
    struct told *t = mem_zalloc(sizeof *t + copied);
    uint32_t *changed = mem_alloc((d->changed_count + 1) * sizeof *changed);

    t->d = *d;
    if (d->after) {
        t->d.id = run_ref(d->after)->id;
    } else {
        memcpy(t->id, d->id.n ? d->id.p : "", copied);
        t->d.id = (struct view){ t->id, copied };
    }
    if (d->before)
        run_ref(d->before);
    if (d->changed_count)
        memcpy(changed, d->changed, d->changed_count * sizeof *changed);
    t->d.changed = changed;
    t->now_s = now_s;
    *o->last = t;
    o->last = &t->next;
    o->waiting_scenarios += touched(d);
}

static void told_free(struct told *t)
{
    run_unref(t->d.before);
    run_unref(t->d.after);
    free((void *)(uintptr_t)t->d.changed); /* made by wait() */
    free(t);
}

static void told_free_all(struct told *t)
{
    while (t) {
        struct told *next = t->next;

        told_free(t);
        t = next;
    }
}

void overall_tell(struct overall *o, const struct module_set *set, const struct diff *d,
                  double now_s)
{
    if (o->making || o->waiting || touched(d) > TELL_NOW)
        wait(o, d, now_s);
    else
        tell(o, set, d, now_s);
}

void overall_free(struct overall *o)
{
    if (!o)
        return;
    assert(!o->making);
    told_free_all(o->waiting);
    for (size_t i = 0; i < registry_count; i++) {
        if (o->memory[i] && registry[i]->forget)
            registry[i]->forget(o->memory[i]);
        free(o->memory[i]);
    }
    for (size_t i = 0; i < segment_families(); i++)
        chunk_unref(o->chunks[i]);
    free(o->chunks);
    free(o);
}

/* ---- making --------------------------------------------------------------------- */

uint64_t overall_weight(const struct overall *o, const struct served *served)
{
    uint64_t samples = o->samples;

    for (size_t i = 0; !o->samples && i < served->run_count; i++)
        samples += (uint64_t)served->runs[i]->region_count * SAMPLES_PER_REGION;
    return samples / SAMPLES_PER_SCENARIO + o->waiting_scenarios / TOLD_PER_SCENARIO;
}

void overall_begin(struct overall *o, struct module_set *set,
                   const struct served *served)
{
    const struct run **runs = mem_alloc((served->run_count + 1) * sizeof *runs);
    int64_t *mtimes_ns = mem_alloc((served->run_count + 1) * sizeof *mtimes_ns);

    assert(!o->making);
    o->making = true;
    o->due = o->waiting;
    o->waiting = NULL;
    o->last = &o->waiting;
    o->waiting_scenarios = 0;
    o->set = module_set_ref(set);
    for (size_t i = 0; i < served->run_count; i++) {
        runs[i] = run_ref(served->runs[i]);
        mtimes_ns[i] = served->mtimes_ns[i];
    }
    o->served = *served;
    o->served.runs = runs;
    o->served.mtimes_ns = mtimes_ns;
    o->made = mem_zalloc(segment_families() * sizeof(struct chunk *));
}

static void make_module(struct overall *o, size_t module, struct segment_scratch *x,
                        bool deflated)
{
    const struct module *m = registry[module];
    size_t base = segment_family(module);

    series_release(&x->series);
    m->overall(o->set->config[module], o->memory[module], &o->served, &x->series);
    series_order(&x->series, m->family_count, &x->order);
    o->samples += x->series.count;
    for (size_t f = 0; f < m->family_count; f++)
        o->made[base + f] = segment_chunk(x, m->families, f, o->chunks[base + f],
                                          deflated ? WORTH_DEFLATING : SIZE_MAX);
}

void overall_make(struct overall *o, struct segment_scratch *scratch, bool deflated)
{
    for (const struct told *t = o->due; t; t = t->next)
        tell(o, o->set, &t->d, t->now_s);
    /* Perhaps the last reference to a large run: better here than on the loop. */
    told_free_all(o->due);
    o->due = NULL;
    o->samples = 0;
    for (size_t i = 0; i < registry_count; i++)
        if (o->set->config[i] && registry[i]->overall)
            make_module(o, i, scratch, deflated);
}

void overall_end(struct overall *o)
{
    for (size_t i = 0; i < segment_families(); i++) {
        if (o->made[i] == o->chunks[i])
            continue; /* its reference stays */
        chunk_unref(o->chunks[i]);
    }
    free(o->chunks);
    o->chunks = o->made;
    o->made = NULL;
    for (size_t i = 0; i < o->served.run_count; i++)
        run_unref(o->served.runs[i]);
    free((void *)(uintptr_t)o->served.runs);      /* made by overall_begin(), */
    free((void *)(uintptr_t)o->served.mtimes_ns); /* both */
    o->served = (struct served){ 0 };
    module_set_unref(o->set);
    o->set = NULL;
    o->making = false;
}

struct chunk *overall_chunk(const struct overall *o, size_t family)
{
    return o->chunks[family];
}
