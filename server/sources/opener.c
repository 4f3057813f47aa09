/*
 * opener.c - reads files of a directory that nobody vouches for.
 *
 * First the name is opened beneath the directory with O_PATH, which touches nothing.
 * Only when the thing found is a regular file is that very inode opened for reading, by
 * its descriptor: what the name has become meanwhile does not matter.
 *
 * Size, times and inode are taken before and after the read. If they differ somebody
 * wrote meanwhile, and the bytes are a mixture: they are read again, a few times.
 */
#include "server/sources/opener.h"
#include "core/mem.h"
#include "server/sources/beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

_Static_assert(OPENER_GONE == -ENOENT && OPENER_CHANGING == -EAGAIN &&
                   OPENER_HELD == -EBUSY && OPENER_LEADS_OUT == -EXDEV &&
                   OPENER_TOO_LARGE == -EFBIG && OPENER_NOT_REGULAR == -EMEDIUMTYPE,
               "the header spells errno values out");

enum { READ_TRIES = 4 };

static int64_t time_ns(const struct timespec *t)
{
    return (int64_t)t->tv_sec * 1000000000 + t->tv_nsec;
}

struct stamp stamp_of(const struct stat *st)
{
    return (struct stamp){ .dev = st->st_dev,
                           .ino = st->st_ino,
                           .size = st->st_size > 0 ? (uint64_t)st->st_size : 0,
                           .mtime_ns = time_ns(&st->st_mtim),
                           .ctime_ns = time_ns(&st->st_ctim) };
}

bool stamp_eq(const struct stamp *a, const struct stamp *b)
{
    return a->dev == b->dev && a->ino == b->ino && a->size == b->size &&
           a->mtime_ns == b->mtime_ns && a->ctime_ns == b->ctime_ns;
}

bool opener_passes(int rc)
{
    return rc == -EMFILE || rc == -ENFILE || rc == -ENOMEM || rc == -EIO ||
           rc == -ENOBUFS || rc == -ETIMEDOUT || rc == -ESTALE || rc == -EINTR ||
           rc == OPENER_HELD;
}

static int fail_kind(struct err *e, mode_t mode)
{
    const char *kind = S_ISDIR(mode)    ? "a directory"
                       : S_ISFIFO(mode) ? "a FIFO"
                       : S_ISSOCK(mode) ? "a socket"
                       : S_ISCHR(mode)  ? "a device"
                       : S_ISBLK(mode)  ? "a device"
                                        : "of unknown type";

    return err_set(e, OPENER_NOT_REGULAR, "not a regular file: it is %s", kind);
}

/*
 * An O_PATH descriptor of the regular file that the name leads to, and its state. A
 * dangling link is told from no such name.
 */
static int find_regular(int dirfd, const char *name, struct stat *st, struct err *e)
{
    int fd = beneath_open(dirfd, name, O_PATH, e);

    if (fd == -ENOENT) {
        if (fstatat(dirfd, name, st, AT_SYMLINK_NOFOLLOW) < 0)
            return beneath_fail(errno, e);
        if (S_ISLNK(st->st_mode))
            return err_set(e, -ENOLINK, "the link leads to nothing");
    }
    if (fd < 0)
        return fd;

    int rc = 0;

    if (fstat(fd, st) < 0)
        rc = beneath_fail(errno, e);
    else if (!S_ISREG(st->st_mode))
        rc = fail_kind(e, st->st_mode);
    if (rc < 0) {
        close(fd);
        return rc;
    }
    return fd;
}

int opener_look(int dirfd, const char *name, struct look *out, struct err *e)
{
    struct stat st;

    *out = (struct look){ 0 };
    if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) < 0)
        return beneath_fail(errno, e);
    out->stamp = stamp_of(&st);
    out->links = st.st_nlink;
    if (S_ISLNK(st.st_mode)) {
        out->is_link = true;

        int fd = find_regular(dirfd, name, &st, e);

        if (fd < 0)
            return fd;
        close(fd);
    } else if (!S_ISREG(st.st_mode)) {
        return fail_kind(e, st.st_mode);
    }
    out->stamp = stamp_of(&st);
    out->links = st.st_nlink;
    return 0;
}

/* Why a regular file could not be opened for reading with O_NONBLOCK. */
static int fail_open(int code, struct err *e)
{
    if (code == EWOULDBLOCK)
        return err_set(e, OPENER_HELD, "another process holds a lease on it");
    return beneath_fail(code, e);
}

/*
 * A readable descriptor of the inode behind path_fd. Without /proc the name is opened
 * once more and has to lead to the same inode. O_NONBLOCK is for leases, whose holder
 * could make an open wait for most of a minute, and for the FIFO that somebody slipped
 * in between.
 */
static int open_again(int path_fd, int dirfd, const char *name, const struct stat *want,
                      struct err *e)
{
    const int flags = O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY;
    char link[64];

    snprintf(link, sizeof link, "/proc/self/fd/%d", path_fd);

    int fd = open(link, flags);

    if (fd >= 0)
        return fd;
    if (errno != ENOENT && errno != ENOTDIR)
        return fail_open(errno, e);
    fd = beneath_open(dirfd, name, flags, e);
    if (fd < 0)
        return fd;

    struct stat st;

    if (fstat(fd, &st) < 0 || st.st_dev != want->st_dev || st.st_ino != want->st_ino) {
        close(fd);
        return err_set(e, OPENER_CHANGING, "replaced while it was opened");
    }
    return fd;
}

/* One pass over the file. 1: it changed meanwhile. */
static int read_once(int fd, uint64_t max_bytes, size_t padding, struct buf *text,
                     struct stamp *stamp, struct err *e)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return beneath_fail(errno, e);
    *stamp = stamp_of(&st);
    if (stamp->size > max_bytes)
        return err_set(e, OPENER_TOO_LARGE,
                       "%llu bytes are more than the limit of %llu bytes",
                       (unsigned long long)stamp->size, (unsigned long long)max_bytes);

    size_t size = (size_t)stamp->size, n = 0;

    buf_release(text);
    if (text->cap < size + padding + 1) { /* exactly: this may be many megabytes */
        free(text->p);
        text->p = mem_alloc(size + padding + 1);
        text->cap = size + padding + 1;
    }

    char *to = buf_room(text, size + padding + 1);

    if (!to)
        return err_set(e, OPENER_TOO_LARGE,
                       "%zu bytes are more than the buffer's limit", size);
    while (n <= size) { /* one byte more than there should be shows growth */
        ssize_t got = pread(fd, to + n, size + 1 - n, (off_t)n);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return beneath_fail(errno, e);
        if (got == 0)
            break;
        n += (size_t)got;
    }
    if (fstat(fd, &st) < 0)
        return beneath_fail(errno, e);

    struct stamp after = stamp_of(&st);

    if (n != size || !stamp_eq(stamp, &after)) {
        *stamp = after;
        return 1;
    }
    memset(to + n, 0, padding + 1);
    buf_commit(text, n);
    return 0;
}

static int read_steadily(int fd, uint64_t max_bytes, size_t padding, struct buf *text,
                         struct stamp *stamp, struct err *e)
{
    for (int i = 0; i < READ_TRIES; i++) {
        int rc = read_once(fd, max_bytes, padding, text, stamp, e);

        if (rc <= 0)
            return rc;
    }
    buf_release(text);
    return err_set(e, OPENER_CHANGING, "it keeps changing while it is read");
}

int opener_open(int dirfd, const char *name, struct err *e)
{
    struct stat st;
    int path_fd = find_regular(dirfd, name, &st, e), fd;

    if (path_fd < 0)
        return path_fd;
    fd = open_again(path_fd, dirfd, name, &st, e);
    close(path_fd);
    return fd;
}

int opener_read(int dirfd, const char *name, uint64_t max_bytes, size_t padding,
                struct buf *text, struct stamp *stamp, struct err *e)
{
    int fd = opener_open(dirfd, name, e);

    if (fd < 0)
        return fd;

    int rc = read_steadily(fd, max_bytes, padding, text, stamp, e);

    close(fd);
    return rc;
}

int opener_read_trusted(const char *path, uint64_t max_bytes, size_t padding,
                        struct buf *text, struct stamp *stamp, struct err *e)
{
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);

    if (fd < 0)
        return fail_open(errno, e);

    struct stat st;
    int rc;

    if (fstat(fd, &st) < 0)
        rc = beneath_fail(errno, e);
    else if (!S_ISREG(st.st_mode))
        rc = fail_kind(e, st.st_mode);
    else
        rc = read_steadily(fd, max_bytes, padding, text, stamp, e);
    close(fd);
    return rc;
}
