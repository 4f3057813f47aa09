/*
 * scratch.h - a directory of its own for each test that needs files.
 */
#ifndef TESTS_UNIT_SCRATCH_H
#define TESTS_UNIT_SCRATCH_H

#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"

static char scratch[64];

static inline const char *scratch_path(const char *name)
{
    static char paths[4][PATH_MAX];
    static unsigned next;
    char *path = paths[next++ % 4];

    snprintf(path, PATH_MAX, "%s/%s", scratch, name);
    return path;
}

static inline int scratch_setup(void **state)
{
    (void)state;
    snprintf(scratch, sizeof scratch, "/tmp/encode_exporter-unit-XXXXXX");
    return mkdtemp(scratch) ? 0 : -1;
}

static inline int scratch_remove(const char *path, const struct stat *st, int type,
                                 struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

static inline int scratch_teardown(void **state)
{
    (void)state;
    return nftw(scratch, scratch_remove, 16, FTW_DEPTH | FTW_PHYS);
}

static inline void scratch_write(const char *name, const char *text)
{
    int fd = open(scratch_path(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    assert_int_equal(close(fd), 0);
}

static inline void scratch_mkdir(const char *name)
{
    assert_int_equal(mkdir(scratch_path(name), 0755), 0);
}

static inline void scratch_link(const char *target, const char *name)
{
    assert_int_equal(symlink(target, scratch_path(name)), 0);
}

static inline void scratch_rename(const char *from, const char *to)
{
    assert_int_equal(rename(scratch_path(from), scratch_path(to)), 0);
}

#endif
