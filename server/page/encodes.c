#include "server/page/encodes.h"

#include <stdlib.h>

#include "core/json_text.h"
#include "core/mem.h"
#include "core/table.h"
#include "server/page/row.h"

struct told {
    uint64_t version;
    uint64_t look; /* the last one that saw it; 0: none yet */
    size_t name_n;
    char name[];
};

struct encodes {
    struct live *live;
    uint64_t changes; /* as of the last look */
    uint64_t look;    /* 0: none yet */
    struct table told;
    size_t first; /* the one that the next look begins with */
    struct buf key, text;

    struct board *board; /* of the look under way */
    size_t at, from, to; /* its place in this round, and those that are told in it */
};

struct encodes *encodes_new(struct live *l)
{
    struct encodes *e = mem_zalloc(sizeof *e);

    e->live = l;
    return e;
}

void encodes_free(struct encodes *e)
{
    struct told *t;

    if (!e)
        return;
    for (size_t i = 0; (t = table_next(&e->told, &i));)
        free(t);
    table_deinit(&e->told);
    buf_deinit(&e->key);
    buf_deinit(&e->text);
    free(e);
}

static struct told *told_of(struct encodes *e, struct view name)
{
    struct told *t = table_get(&e->told, name);

    if (t)
        return t;
    t = mem_zalloc(sizeof *t + name.n);
    t->name_n = name.n;
    memcpy(t->name, name.p, name.n);
    table_put(&e->told, (struct view){ t->name, name.n }, t);
    return t;
}

static void put(struct encodes *e, const struct live_item *item)
{
    buf_release(&e->key);
    row_key(&e->key, item->run, item->scenario, 1);
    buf_release(&e->text);
    buf_str(&e->text, "{\"kind\":\"encode\",\"key\":");
    json_text_string(&e->text, item->name);
    buf_str(&e->text, ",\"row\":");
    json_text_string(&e->text, buf_as_view(&e->key));
    buf_char(&e->text, ',');
    live_item_json(e->live, item, &e->text);
    buf_char(&e->text, '}');
    board_put(e->board, BOARD_ENCODE, item->name, buf_as_view(&e->text));
}

static void see(void *ctx, const struct live_item *item)
{
    struct encodes *e = ctx;
    size_t at = e->at++;
    struct told *t;

    if (at < e->from || at >= e->to)
        return;
    t = told_of(e, item->name);
    if (t->look == 0 || t->version != item->version)
        put(e, item);
    t->version = item->version;
    t->look = e->look;
}

static void tell_part(struct encodes *e, size_t from, size_t to)
{
    e->at = 0;
    e->from = from;
    e->to = to;
    live_items(e->live, see, e);
}

/* The first of those that are there no more; NULL: none. */
static struct told *find_gone(const struct encodes *e)
{
    struct told *t;

    for (size_t i = 0; (t = table_next(&e->told, &i));)
        if (t->look != e->look)
            return t;
    return NULL;
}

/*
 * Each look begins with another encode: where so many change that a slow reader gets to
 * know only the first of each look, it gets to know all of them in the end.
 */
void encodes_tell(struct encodes *e, struct board *b)
{
    uint64_t changes = live_changes(e->live);
    struct told *t;

    if (e->look && changes == e->changes)
        return;
    e->changes = changes;
    e->look++;
    e->board = b;
    tell_part(e, e->first, SIZE_MAX);
    tell_part(e, 0, e->first);
    e->first = e->at ? (e->first + e->at / 3 + 1) % e->at : 0;
    while (e->told.count > e->at && (t = find_gone(e))) {
        struct view name = { t->name, t->name_n };

        board_drop(b, BOARD_ENCODE, name);
        table_remove(&e->told, name);
        free(t);
    }
}
