#include "core/ladder.h"
#include "core/buf.h"

#include <stdlib.h>

struct rung {
    const struct derive_output *size;
    size_t place;
};

static int by_size(const void *a, const void *b)
{
    const struct rung *x = a, *y = b;

    if (x->size->width != y->size->width)
        return x->size->width > y->size->width ? -1 : 1;
    if (x->size->height != y->size->height)
        return x->size->height > y->size->height ? -1 : 1;
    return (x->place > y->place) - (x->place < y->place);
}

struct view ladder_label(const struct derive_output outputs[], size_t count,
                         struct arena *mem)
{
    struct rung *rungs = arena_new(mem, struct rung, count);
    struct buf b = { 0 };

    for (size_t i = 0; i < count; i++)
        rungs[i] = (struct rung){ &outputs[i], i };
    if (count)
        qsort(rungs, count, sizeof *rungs, by_size);
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buf_char(&b, ',');
        buf_decimal(&b, rungs[i].size->width);
        buf_char(&b, 'x');
        buf_decimal(&b, rungs[i].size->height);
        buf_char(&b, '@');
        buf_decimal(&b, rungs[i].size->fps);
    }

    struct view label = arena_copy(mem, buf_as_view(&b));

    buf_deinit(&b);
    return label;
}
