#include "server/compute/pairs.h"

#include <math.h>
#include <stdlib.h>

#include "core/mem.h"

/* ---- one pair --------------------------------------------------------------------------- */

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

static void pair_free(struct pair *one)
{
    free_view(one->name);
    free_view(one->output);
    free_view(one->reference);
    free(one);
}

static struct pair *add(struct pairs *p, const struct scenario *s)
{
    struct pair *one = mem_zalloc(sizeof *one);

    one->name = copy_of(s->name);
    one->output = copy_of(s->output);
    one->reference = copy_of(s->reference);
    table_put(&p->by_name, one->name, one);
    return one;
}

static bool names_same_files(const struct pair *one, const struct scenario *s)
{
    return view_eq(one->output, s->output) && view_eq(one->reference, s->reference);
}

/* ---- scenarios ---------------------------------------------------------------------------- */

static bool is_candidate(const struct scenario *s)
{
    return s->output.n > 0 && s->reference.n > 0 && !s->is_baseline &&
           !scenario_runs(scenario_stands(s));
}

static bool lacks_scores(const struct scenario *s, bool vmaf)
{
    const struct facts *f = &s->facts;

    return vmaf ? isnan(f->vmaf) : isnan(f->psnr_db) && isnan(f->ssim);
}

static bool was_looked_at(const struct pairs *p, const struct pair *one,
                          const struct scenario *s)
{
    return one->round == p->round && one->hash[0] == s->hash[0] &&
           one->hash[1] == s->hash[1];
}

static double time_of(const struct scenario *s)
{
    double t = isnan(s->end_s) ? s->start_s : s->end_s;

    return isnan(t) ? -INFINITY : t;
}

static bool is_due(const struct pairs *p, const struct pair *one,
                   const struct scenario *s, bool vmaf)
{
    return !was_looked_at(p, one, s) && (one->done || lacks_scores(s, vmaf));
}

/* The pair of a scenario that is to be measured or looked at again; NULL: neither. */
static struct pair *consider(struct pairs *p, const struct scenario *s, bool vmaf)
{
    struct pair *one = table_get(&p->by_name, s->name);

    if (!is_candidate(s) || (one && one->mark == p->marks)) /* the first of its name */
        return NULL;
    if (one && !names_same_files(one, s)) {
        table_remove(&p->by_name, one->name);
        pair_free(one);
        one = NULL;
    }
    if (!one && !lacks_scores(s, vmaf))
        return NULL;
    if (!one)
        one = add(p, s);
    one->mark = p->marks;
    return is_due(p, one, s, vmaf) ? one : NULL;
}

/* ---- all --------------------------------------------------------------------------------------- */

static void forget_found(struct pairs *p)
{
    run_unref(p->found.run);
    free(p->found.all);
    p->found = (struct pairs_found){ 0 };
}

static void clear(struct pairs *p)
{
    struct pair *one;

    forget_found(p);
    for (size_t i = 0; (one = table_next(&p->by_name, &i));)
        pair_free(one);
    table_deinit(&p->by_name);
    p->by_name = (struct table){ 0 };
    free(p->run_id);
    p->run_id = NULL;
}

bool pairs_are_of(const struct pairs *p, const struct run *run)
{
    return run && p->run_id && view_eq(view_of(p->run_id), run->id);
}

static void take_run(struct pairs *p, const struct run *run)
{
    if (pairs_are_of(p, run))
        return;
    clear(p);
    p->run_id = mem_alloc(run->id.n + 1);
    memcpy(p->run_id, run->id.p, run->id.n);
    p->run_id[run->id.n] = '\0';
}

/* Those whose scenario is there no more. */
static void sweep(struct pairs *p)
{
    struct table kept = { 0 };
    struct pair *one;

    for (size_t i = 0; (one = table_next(&p->by_name, &i));) {
        if (one->mark == p->marks)
            table_put(&kept, one->name, one);
        else
            pair_free(one);
    }
    table_deinit(&p->by_name);
    p->by_name = kept;
}

/* The newest first; equals in any order. */
static int by_time(const void *a, const void *b)
{
    const struct pairs_one *one = a, *other = b;
    double t = time_of(one->scenario), u = time_of(other->scenario);

    return t > u ? -1 : t < u ? 1 : 0;
}

static void search(struct pairs *p, const struct run *newest, bool vmaf)
{
    struct pairs_found *found = &p->found;
    size_t marked = 0;
    struct pair *one;

    forget_found(p);
    *found =
        (struct pairs_found){ .run = run_ref(newest), .round = p->round, .vmaf = vmaf };
    found->all = mem_alloc((newest->count + 1) * sizeof *found->all);
    p->marks++;
    for (uint32_t i = 0; i < newest->count; i++) {
        one = consider(p, newest->scenarios[i], vmaf);
        if (one)
            found->all[found->count++] =
                (struct pairs_one){ one, newest->scenarios[i] };
    }
    for (size_t i = 0; (one = table_next(&p->by_name, &i));)
        marked += one->mark == p->marks;
    if (marked < p->by_name.count)
        sweep(p);
    qsort(found->all, found->count, sizeof *found->all, by_time);
}

struct pair *pairs_next(struct pairs *p, const struct run *newest, bool vmaf,
                        const struct scenario **s)
{
    struct pairs_found *found = &p->found;

    if (!newest) {
        clear(p);
        return NULL;
    }
    take_run(p, newest);
    if (found->run != newest || found->round != p->round || found->vmaf != vmaf)
        search(p, newest, vmaf);
    for (; found->next < found->count; found->next++) {
        const struct pairs_one *one = &found->all[found->next];

        *s = one->scenario;
        if (is_due(p, one->pair, one->scenario, vmaf))
            return one->pair;
    }
    forget_found(p); /* the run need not stay for nothing */
    return NULL;
}

bool pairs_wants(const struct pairs *p, const struct pair *one,
                 const struct run *newest, bool vmaf)
{
    if (!pairs_are_of(p, newest))
        return false;
    for (uint32_t i = 0; i < newest->count; i++) {
        const struct scenario *s = newest->scenarios[i];

        if (view_eq(s->name, one->name))
            return is_candidate(s) && names_same_files(one, s) &&
                   (one->done || lacks_scores(s, vmaf));
    }
    return false;
}

bool pairs_ambiguous(const struct run *run, struct view name)
{
    uint32_t found = 0;

    for (uint32_t i = 0; i < run->count && found < 2; i++)
        found += view_eq(run->scenarios[i]->name, name);
    return found > 1;
}

void pairs_deinit(struct pairs *p)
{
    clear(p);
}
