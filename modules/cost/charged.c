#include "modules/cost/charged.h"

#include "core/live_name.h"
#include "core/mem.h"

#include <math.h>
#include <stdlib.h>

static void take_out(struct charged_all *all, struct charged *c)
{
    *(c->older ? &c->older->newer : &all->oldest) = c->newer;
    *(c->newer ? &c->newer->older : &all->newest) = c->older;
}

static void put_newest(struct charged_all *all, struct charged *c)
{
    c->newer = NULL;
    c->older = all->newest;
    *(c->older ? &c->older->newer : &all->oldest) = c;
    all->newest = c;
}

static struct charged *make(struct charged_all *all, struct view name)
{
    struct charged *c = mem_zalloc(sizeof *c + name.n);
    char *copy = (char *)(c + 1);

    memcpy(copy, name.p, name.n);
    c->name = (struct view){ copy, name.n };
    c->end_s = NAN;
    table_put(&all->by_name, c->name, c);
    put_newest(all, c);
    return c;
}

static void drop(struct charged_all *all, struct charged *c)
{
    take_out(all, c);
    table_remove(&all->by_name, c->name);
    free(c);
}

struct charged *charged_here(struct charged_all *all, struct view name)
{
    struct buf form = { 0 };
    struct charged *c;

    live_name_canonical(name, &form);
    c = table_get(&all->by_name, buf_as_view(&form));
    if (c) {
        take_out(all, c);
        put_newest(all, c);
    } else {
        if (all->by_name.count >= CHARGED_MAX)
            drop(all, all->oldest);
        c = make(all, buf_as_view(&form));
    }
    buf_deinit(&form);
    return c;
}

void charged_forget_run(struct charged_all *all, const struct seen *run)
{
    for (struct charged *c = all->oldest; c; c = c->newer)
        if (c->by == run)
            c->by = NULL;
}

void charged_deinit(struct charged_all *all)
{
    while (all->oldest)
        drop(all, all->oldest);
    table_deinit(&all->by_name);
}
