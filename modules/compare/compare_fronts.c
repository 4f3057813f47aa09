/*
 * compare_fronts.c - encodes that no other of their set beats in price and VMAF.
 */
#include "modules/compare/compare.h"

#include "core/mem.h"
#include "modules/compare/pareto.h"

#include <math.h>
#include <stdlib.h>

static const char *const names[COMPARE_PRICES] = { "bitrate", "cost" };

static double price_of(const struct compare_entry *e, enum compare_price by)
{
    return by == COMPARE_BY_RATE ? e->rate_bps : e->cost;
}

static void front_by(struct compare_entry e[], size_t n, enum compare_price by,
                     struct pareto_point *points, bool *optimal)
{
    size_t count = 0;

    for (size_t i = 0; i < n; i++) {
        double price = price_of(&e[i], by), vmaf = e[i].at.s->facts.vmaf;

        if (!isnan(price) && !isnan(vmaf))
            points[count++] = (struct pareto_point){ price, vmaf, i };
    }
    if (count < 2) /* best of one says nothing */
        return;
    pareto_front(points, count, optimal);
    for (size_t i = 0; i < count; i++) {
        struct compare_entry *to = &e[points[i].index];

        to->opposed[by] = true;
        to->optimal[by] = optimal[points[i].index];
    }
}

void compare_fronts(struct compare_entry e[], size_t n)
{
    struct pareto_point *points = mem_alloc(n * sizeof *points);
    bool *optimal = mem_alloc(n * sizeof *optimal);

    for (int by = 0; by < COMPARE_PRICES; by++)
        front_by(e, n, (enum compare_price)by, points, optimal);
    free(optimal);
    free(points);
}

static struct labels front_labels(const struct compare_entry *e,
                                  const struct compare_context *c, const char *against,
                                  struct view conditions, struct series *out)
{
    const struct scenario *s = e->at.s;
    struct labels l = labels_open(out);

    labels_add(out, &l, "source", s->source);
    labels_add(out, &l, "scenario", s->name);
    labels_add(out, &l, "bitrate", s->bitrate);
    labels_add(out, &l, "encoder", s->encoder);
    labels_add(out, &l, "resolution", s->resolution);
    labels_add(out, &l, "preset", s->preset);
    labels_add(out, &l, "conditions", conditions);
    labels_add(out, &l, "against", view_of(against));
    if (c->with_run_id)
        labels_add(out, &l, "run_id", e->at.run->id);
    if (e->at.ordinal > 1)
        labels_add_u64(out, &l, "repeat", e->at.ordinal);
    return l;
}

void compare_tell_fronts(const struct compare_entry e[], size_t n,
                         const struct compare_context *c, struct series *out)
{
    struct buf conditions = { 0 };

    for (size_t i = 0; i < n; i++) {
        compare_conditions(e[i].at.s, &conditions);
        for (int by = 0; by < COMPARE_PRICES; by++)
            if (e[i].opposed[by])
                series_add(
                    out, COMPARE_PARETO,
                    front_labels(&e[i], c, names[by], buf_as_view(&conditions), out),
                    e[i].optimal[by]);
    }
    buf_deinit(&conditions);
}
