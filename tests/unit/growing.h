/*
 * growing.h - samples of the texts that grow while they are read.
 */
#ifndef TESTS_UNIT_GROWING_H
#define TESTS_UNIT_GROWING_H

#include "tests/unit/test.h"

#include "core/mem.h"

#include <stdlib.h>

/* The whole of a file; sample_free() gives it back. */
static inline struct view sample_read(const char *dir, const char *name)
{
    char path[512];
    FILE *f;
    char *text;
    long n;

    snprintf(path, sizeof path, "%s/%s", dir, name);
    f = fopen(path, "rb");
    if (!f)
        print_error("%s is not there\n", path);
    assert_non_null(f);
    fseek(f, 0, SEEK_END);
    n = ftell(f);
    rewind(f);
    text = mem_zalloc((size_t)n + 1);
    assert_int_equal(fread(text, 1, (size_t)n, f), (size_t)n);
    fclose(f);
    return (struct view){ text, (size_t)n };
}

static inline void sample_free(struct view text)
{
    free((char *)(uintptr_t)text.p);
}

#endif
