/*
 * records.c - encodes that are watched, as the page is told of them.
 */
#include "core/json_text.h"
#include "modules/live/encode_json.h"
#include "server/live/live_inner.h"

uint64_t live_changes(const struct live *l)
{
    return l->changes;
}

/* Of one count for all: an encode that went and came again has no version twice. */
static uint64_t version_of(struct live *l, struct roll_entry *e)
{
    if (e->record && e->record_encode == e->encode->version &&
        e->record_renamed == l->renamed)
        return e->record;
    e->record_encode = e->encode->version;
    e->record_renamed = l->renamed;
    e->record = ++l->records;
    return e->record;
}

struct showing {
    struct live *l;
    void (*f)(void *ctx, const struct live_item *item);
    void *ctx;
};

static void show(void *ctx, struct roll_entry *e)
{
    const struct showing *s = ctx;
    struct live *l = s->l;
    const struct live_item item = {
        .name = { e->encode->name, e->encode->name_n },
        .run = e->belongs ? buf_as_view(&l->newest) : VIEW(LIVE_RUN),
        .scenario = e->scenario,
        .version = version_of(l, e),
        .entry = e,
    };

    s->f(s->ctx, &item);
}

void live_items(struct live *l, void (*f)(void *ctx, const struct live_item *item),
                void *ctx)
{
    struct showing s = { l, f, ctx };

    roll_each(l->roll, show, &s);
}

void live_item_json(struct live *l, const struct live_item *item, struct buf *out)
{
    const struct roll_entry *e = item->entry;

    (void)l;
    buf_str(out, "\"run\":");
    json_text_string(out, item->run);
    buf_str(out, ",\"scenario\":");
    json_text_string(out, item->scenario);
    encode_json(e->encode, out);
}
