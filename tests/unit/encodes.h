/*
 * encodes.h - the lessons of all measured encodes in tests/data/encodes.
 */
#ifndef TESTS_UNIT_ENCODES_H
#define TESTS_UNIT_ENCODES_H

#include "tests/unit/test.h"

#include "core/mem.h"
#include "core/results.h"
#include "modules/predict/lesson.h"

#include <dirent.h>
#include <stdlib.h>

enum { ENCODES_RUNS_MAX = 64 };

struct encodes {
    const struct lessons *all[ENCODES_RUNS_MAX];
    size_t count;
};

static inline struct view encodes_read(const char *path)
{
    FILE *f = fopen(path, "rb");
    char *text;
    long n;

    assert_non_null(f);
    fseek(f, 0, SEEK_END);
    n = ftell(f);
    rewind(f);
    text = mem_zalloc((size_t)n + RESULTS_PADDING);
    assert_int_equal(fread(text, 1, (size_t)n, f), (size_t)n);
    fclose(f);
    return (struct view){ text, (size_t)n };
}

static inline void encodes_add(struct encodes *e, struct results_parser *p,
                               const char *dir, const char *name)
{
    char path[512];
    struct results_notes notes;
    struct err err = { 0 };
    const struct run *run;
    struct view text;

    snprintf(path, sizeof path, "%s/%s", dir, name);
    text = encodes_read(path);
    assert_int_equal(results_parse(p, text, (struct view){ name, strlen(name) - 5 },
                                   NULL, 0, &run, &notes, &err),
                     RESULTS_OK);
    free((char *)(uintptr_t)text.p);
    e->all[e->count] = lessons_of(run);
    e->count += e->all[e->count] != NULL;
    run_unref(run);
}

static inline void encodes_load(struct encodes *e, const char *dir)
{
    struct results_parser *p = results_parser_new();
    DIR *d = opendir(dir);
    struct dirent *at;

    assert_non_null(d);
    *e = (struct encodes){ 0 };
    while ((at = readdir(d)) && e->count < ENCODES_RUNS_MAX)
        if (view_ends(view_of(at->d_name), VIEW(".json")))
            encodes_add(e, p, dir, at->d_name);
    closedir(d);
    results_parser_free(p);
}

static inline void encodes_free(struct encodes *e)
{
    for (size_t i = 0; i < e->count; i++)
        lessons_unref(e->all[i]);
}

#endif
