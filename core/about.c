#include "core/about.h"
#include "core/mem.h"

#include <stdlib.h>

void about_section(struct about *a, const char *title)
{
    a->section = title;
}

void about_row(struct about *a, struct view what, struct view value, struct view source)
{
    if (a->count == a->cap) {
        a->cap = a->cap ? a->cap * 2 : 16;
        a->rows = mem_resize(a->rows, a->cap, sizeof(*a->rows));
    }
    a->rows[a->count++] = (struct about_fact){
        .what = arena_copy(&a->mem, what),
        .value = arena_copy(&a->mem, value),
        .source = arena_copy(&a->mem, source),
        .section = a->section,
    };
}

void about_deinit(struct about *a)
{
    arena_deinit(&a->mem);
    free(a->rows);
    *a = (struct about){ 0 };
}
