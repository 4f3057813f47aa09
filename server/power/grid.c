#include "server/power/grid.h"

#include <math.h>

/* A clock that goes back further than this was wrong for long: nothing that was measured
 * by it is kept. In cells. */
enum { BACK_MAX = 3600 };

enum { BRIDGE_MAX = 60 }; /* cells of a hole that a straight line goes over */

void grid_init(struct grid *g)
{
    *g = (struct grid){ .line = { .step_s = 1, .of_means = true },
                        .cell = INT64_MIN,
                        .since = INT64_MIN };
}

void grid_deinit(struct grid *g)
{
    timeline_deinit(&g->line);
}

/* Over a hole that ends here, to what was known before it. */
static void bridge(struct grid *g, int64_t cell)
{
    for (int64_t k = cell - 1; k >= cell - 1 - BRIDGE_MAX && k >= g->since; k--)
        if (!isnan(timeline_get(&g->line, k))) {
            timeline_bridge(&g->line, k, cell, BRIDGE_MAX);
            return;
        }
}

void grid_lay(struct grid *g, int64_t from_ns, int64_t to_ns, double amount)
{
    for (int64_t at = from_ns; at < to_ns;) {
        int64_t cell = at / GRID_NS, end = (cell + 1) * GRID_NS;

        if (end > to_ns)
            end = to_ns;
        if (cell != g->cell) {
            g->cell = cell;
            g->amount = 0;
            g->known_ns = 0;
        }
        if (!isnan(amount)) {
            g->amount += amount * ((double)(end - at) / (double)(to_ns - from_ns));
            g->known_ns += end - at;
        }
        if (g->known_ns == GRID_NS && !g->held_back) {
            timeline_set(&g->line, cell, g->amount);
            bridge(g, cell);
        }
        at = end;
    }
}

void grid_apart(struct grid *g, int64_t now_ns)
{
    g->since = now_ns / GRID_NS;
}

void grid_break(struct grid *g, int64_t now_ns)
{
    int64_t now = now_ns / GRID_NS;

    if (g->cell != INT64_MIN && g->cell - now > BACK_MAX) {
        grid_deinit(g);
        grid_init(g);
    }
    for (int64_t k = now; k <= g->cell; k++)
        if (!isnan(timeline_get(&g->line, k)))
            timeline_set(&g->line, k, NAN);
    g->cell = INT64_MIN;
    grid_apart(g, now_ns);
}
