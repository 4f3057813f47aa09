/*
 * rows.c - what was told of each run that is served, and what a new look at it changes.
 *
 * A refresh goes over the runs as they are served, the newest first, and over each run's
 * scenarios. Of a run that is known it holds what was told of each place; what is the same
 * scenario there, by its pointer, is passed over. Then go the names that the run had and
 * has not any more, and at the end the runs that are not served any more.
 */
#include "server/page/rows.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "core/hash.h"
#include "core/mem.h"
#include "core/table.h"
#include "core/watched.h"
#include "modules/compare/compare_set.h"
#include "server/page/row.h"

enum { BETWEEN_LOOKS = 16 }; /* records, at the clock */

struct row {
    uint64_t set[2], test[2]; /* compare_set.h */
    uint32_t nth;             /* of its name in its run, from 1 on */
    bool takes_part;
    bool compared; /* and no newer run of the same test */
};

struct part { /* the first scenarios of a run; of one that has no room left, none */
    const struct run *run; /* one reference */
    uint32_t count;
    struct row *rows; /* NULL: none is made yet */
};

enum phase { REST, TELL, SWEEP, GO };

struct rows {
    struct part *told; /* what the board has; the newest run first */
    size_t told_count;
    struct part *next; /* what a refresh is to make of it */
    size_t next_count;
    struct module_set *set, *told_by; /* one reference each */
    uint64_t served, shown;

    enum phase phase;
    size_t at;           /* in next; in GO: in told */
    uint32_t i;          /* scenario there; in SWEEP: of before */
    struct table by_id;  /* of told, what is not taken over yet */
    bool entered;        /* the run at `at` */
    struct part *before; /* what was told of that; NULL: nothing */
    bool same;           /* and is not different now */
    bool moved;          /* one of its places has another name now */
    struct table names;  /* in it: how many of each, in counts */
    uint32_t *counts;
    struct hash_index tests; /* that a newer run has told */
    struct buf key, text;
};

double rows_cost(const struct module_set *set, const struct place *at,
                 const char **currency)
{
    double cost = NAN;

    for (size_t m = 0; m < registry_count; m++)
        if (set->config[m] && registry[m]->headline)
            cost = registry[m]->headline(set->config[m], at, currency);
    return cost;
}

/* ---- parts ------------------------------------------------------------------------------ */

static void part_let_go(struct part *p)
{
    run_unref(p->run);
    free(p->rows);
    *p = (struct part){ 0 };
}

static void let_go(struct part parts[], size_t count)
{
    for (size_t i = 0; i < count; i++)
        part_let_go(&parts[i]);
    free(parts);
}

static uint32_t take(const struct run *run, uint32_t *left)
{
    uint32_t n = run->count < *left ? run->count : *left;

    *left -= n;
    return n;
}

/* The run of encodes that only their progress tells of is served as the oldest, and is
 * told whatever else there is. */
static void choose(struct rows *r, const struct served *all)
{
    uint32_t left = ROWS_MAX, of_watched = 0;
    bool watched = all->run_count > 0 && view_eq(all->runs[0]->id, VIEW(WATCHED_RUN));

    if (watched)
        of_watched = take(all->runs[0], &left);
    r->next = mem_alloc((all->run_count + 1) * sizeof *r->next);
    r->next_count = 0;
    r->served = 0;
    for (size_t k = all->run_count; k-- > 0;) {
        const struct run *run = all->runs[k];
        uint32_t n = watched && k == 0 ? of_watched : take(run, &left);

        r->served += run->count;
        r->next[r->next_count++] = (struct part){ run_ref(run), n, NULL };
    }
    r->shown = ROWS_MAX - left;
}

/* ---- a refresh begins and ends --------------------------------------------------------- */

struct rows *rows_new(void)
{
    return mem_zalloc(sizeof(struct rows));
}

static void leave_run(struct rows *r)
{
    if (r->before)
        part_let_go(r->before);
    r->before = NULL;
    r->entered = r->same = r->moved = false;
    table_deinit(&r->names);
    free(r->counts);
    r->counts = NULL;
}

/* Lets go of what only a refresh needs. */
static void rest(struct rows *r)
{
    leave_run(r);
    table_deinit(&r->by_id);
    if (r->phase != REST)
        hash_index_deinit(&r->tests);
    r->phase = REST;
}

void rows_free(struct rows *r)
{
    if (!r)
        return;
    rest(r);
    let_go(r->told, r->told_count);
    let_go(r->next, r->next_count);
    if (r->set)
        module_set_unref(r->set);
    if (r->told_by)
        module_set_unref(r->told_by);
    buf_deinit(&r->key);
    buf_deinit(&r->text);
    free(r);
}

bool rows_differ(const struct rows *r, const struct served *all,
                 const struct module_set *set)
{
    if (set != r->told_by || all->run_count != r->told_count)
        return true;
    for (size_t k = 0; k < r->told_count; k++)
        if (all->runs[all->run_count - 1 - k] != r->told[k].run)
            return true;
    return false;
}

void rows_begin(struct rows *r, const struct served *all, struct module_set *set)
{
    choose(r, all);
    r->set = module_set_ref(set);
    for (size_t k = 0; k < r->told_count; k++)
        table_put(&r->by_id, r->told[k].run->id, &r->told[k]);
    hash_index_init(&r->tests, r->shown + 1);
    r->phase = TELL;
    r->at = 0;
}

static void finish(struct rows *r)
{
    rest(r);
    let_go(r->told, r->told_count);
    r->told = r->next;
    r->told_count = r->next_count;
    r->next = NULL;
    r->next_count = 0;
    if (r->told_by)
        module_set_unref(r->told_by);
    r->told_by = r->set;
    r->set = NULL;
}

uint64_t rows_served(const struct rows *r)
{
    return r->served;
}

uint64_t rows_shown(const struct rows *r)
{
    return r->shown;
}

/* ---- one run ----------------------------------------------------------------------------- */

static void enter_run(struct rows *r)
{
    struct part *p = &r->next[r->at];
    struct part *before = table_remove(&r->by_id, p->run->id);

    r->entered = true;
    r->i = 0;
    r->before = before;
    r->same = before && before->run == p->run && before->count == p->count &&
              r->set == r->told_by;
    if (r->same) {
        p->rows = before->rows;
        before->rows = NULL;
        r->moved = false;
        return;
    }
    p->rows = mem_alloc((p->count + 1) * sizeof *p->rows);
    r->counts = mem_zalloc((p->count + 1) * sizeof *r->counts);
    r->moved = before && before->count > p->count;
}

/* Counts a name; how many of it there are now. The i-th scenario has it. */
static uint32_t count_name(struct rows *r, struct view name, uint32_t i)
{
    uint32_t *count = table_get(&r->names, name);

    if (!count) {
        count = &r->counts[i];
        table_put(&r->names, name, count);
    }
    return ++*count;
}

static uint32_t names_of(const struct rows *r, struct view name)
{
    const uint32_t *count = table_get(&r->names, name);

    return count ? *count : 0;
}

/* Fills in the row of the scenario at r->i. True: but for who else is told of the test, it
 * is as it was. */
static bool make_row(struct rows *r, struct row *row)
{
    const struct part *p = &r->next[r->at];
    const struct run *run = p->run, *run_before = r->before ? r->before->run : NULL;
    const struct scenario *s = run->scenarios[r->i];
    const struct row *old =
        run_before && r->i < r->before->count ? &r->before->rows[r->i] : NULL;
    uint32_t nth = count_name(r, s->name, r->i);

    if (old && run_before->scenarios[r->i] == s) {
        *row = *old;
        row->nth = nth;
        return old->nth == nth && r->set == r->told_by &&
               run_baseline(run) == run_baseline(run_before);
    }
    r->moved |= old && !view_eq(run_before->scenarios[r->i]->name, s->name);
    *row = (struct row){ .nth = nth, .takes_part = compare_takes_part(s) };
    if (row->takes_part) {
        compare_set(s, &r->text, row->set);
        compare_test(s, row->set, row->test);
    }
    return false;
}

static struct view key_of(struct rows *r, const struct run *run, uint32_t i,
                          uint32_t nth)
{
    buf_release(&r->key);
    row_key(&r->key, run->id, run->scenarios[i]->name, nth);
    return buf_as_view(&r->key);
}

static void tell(struct rows *r, struct board *b)
{
    const struct part *p = &r->next[r->at];
    struct row *row = &p->rows[r->i];
    bool known = r->same || make_row(r, row), first = false;
    const struct place at = { p->run, p->run->scenarios[r->i], run_baseline(p->run),
                              p->run->ordinals[r->i] };
    const char *currency;
    struct view key;

    if (row->takes_part)
        *hash_index_at(&r->tests, row->test, &first) = 1;
    if (known && row->compared == first)
        return;
    row->compared = first;
    key = key_of(r, p->run, r->i, row->nth);
    buf_release(&r->text);
    row_json(&r->text, key, &at, rows_cost(r->set, &at, &currency),
             first ? row->set : NULL);
    board_put(b, BOARD_SCENARIO, key, buf_as_view(&r->text));
}

static void drop(struct rows *r, struct board *b, const struct part *p, uint32_t i)
{
    board_drop(b, BOARD_SCENARIO, key_of(r, p->run, i, p->rows[i].nth));
}

/* ---- step by step -------------------------------------------------------------------- */

/* Each of these does one thing at a time; the phase after it. */

static enum phase step_tell(struct rows *r, struct board *b)
{
    if (r->at == r->next_count) {
        r->at = r->i = 0;
        return GO;
    }
    if (!r->entered)
        enter_run(r);
    if (r->i < r->next[r->at].count) {
        tell(r, b);
        r->i++;
        return TELL;
    }
    if (r->moved) {
        r->i = 0;
        return SWEEP;
    }
    leave_run(r);
    r->at++;
    return TELL;
}

/* Names that the run had more of. */
static enum phase step_sweep(struct rows *r, struct board *b)
{
    const struct part *p = r->before;

    assert(p && p->rows); /* it had a place in which something moved */
    if (r->i < p->count) {
        if (p->rows[r->i].nth > names_of(r, p->run->scenarios[r->i]->name))
            drop(r, b, p, r->i);
        r->i++;
        return SWEEP;
    }
    leave_run(r);
    r->at++;
    return TELL;
}

/* Runs that nobody took over. */
static enum phase step_go(struct rows *r, struct board *b)
{
    const struct part *p = &r->told[r->at];

    if (r->at == r->told_count)
        return REST;
    if (p->run && r->i < p->count) {
        drop(r, b, p, r->i++);
        return GO;
    }
    r->at++;
    r->i = 0;
    return GO;
}

static enum phase step(struct rows *r, struct board *b)
{
    switch (r->phase) {
    case TELL:
        return step_tell(r, b);
    case SWEEP:
        return step_sweep(r, b);
    case GO:
        return step_go(r, b);
    case REST:
        break;
    }
    return REST;
}

bool rows_step(struct rows *r, struct board *b, bool (*late)(void *ctx), void *ctx)
{
    for (unsigned n = 1; r->phase != REST; n++) {
        enum phase phase = step(r, b);

        if (phase == REST) {
            finish(r);
            return true;
        }
        r->phase = phase;
        if (n % BETWEEN_LOOKS == 0 && late(ctx))
            return false;
    }
    return true;
}
