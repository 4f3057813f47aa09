/*
 * opener.c - reads files of a directory that nobody vouches for.
 *
 * First the name is opened with O_PATH, which touches nothing, under openat2() with
 * RESOLVE_BENEATH. That refuses absolute links even if they point back inside, and old
 * kernels and seccomp profiles refuse openat2() as a whole; then the name is resolved
 * the ordinary way, again with O_PATH, and the path the kernel gives for the result
 * decides. Only when the thing found is a regular file is that very inode opened for
 * reading.
 *
 * Size, times and inode are taken before and after the read. If they differ somebody
 * wrote meanwhile, and the bytes are a mixture: they are read again, a few times.
 */
#include "server/sources/opener.h"
#include "core/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

_Static_assert(OPENER_GONE == -ENOENT && OPENER_CHANGING == -EAGAIN &&
                   OPENER_LEADS_OUT == -EXDEV && OPENER_TOO_LARGE == -EFBIG &&
                   OPENER_NOT_REGULAR == -EMEDIUMTYPE,
               "the header spells errno values out");

enum { READ_TRIES = 4, BENEATH_TRIES = 8 };

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

static int fail_errno(struct err *e, int code)
{
    switch (code) {
    case EACCES:
    case EPERM:
        return err_set(e, -code, "permission denied");
    case ELOOP:
        return err_set(e, -code, "too many levels of symbolic links");
    default:
        return err_set(e, -code, "%s", strerrordesc_np(code));
    }
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

/* The path the kernel knows an open file by; its length, 0 if that is not to be had. */
static size_t path_of(int fd, char path[PATH_MAX])
{
    char link[64];

    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);

    ssize_t n = readlink(link, path, PATH_MAX - 1);

    if (n <= 0 || path[0] != '/')
        return 0;
    path[n] = '\0';
    return (size_t)n;
}

/* Resolves the ordinary way and judges by where that ended. */
static int open_checked(int dirfd, const char *name, struct err *e)
{
    int fd = openat(dirfd, name, O_PATH | O_CLOEXEC);

    if (fd < 0)
        return fail_errno(e, errno);

    char dir[PATH_MAX], target[PATH_MAX];
    size_t dir_n = path_of(dirfd, dir), target_n = path_of(fd, target);
    int rc;

    if (dir_n == 0 || target_n == 0)
        rc = err_set(e, OPENER_LEADS_OUT,
                     "where the link leads cannot be checked without /proc");
    else if (dir_n == 1 || (target_n > dir_n && memcmp(dir, target, dir_n) == 0 &&
                            target[dir_n] == '/'))
        return fd;
    else
        rc = err_set(e, OPENER_LEADS_OUT, "the link leads out of the directory, to %s",
                     target);
    close(fd);
    return rc;
}

/* An O_PATH descriptor of what the name leads to, or why there is none. */
static int open_path(int dirfd, const char *name, struct err *e)
{
    static atomic_bool absent; /* openat2() does not exist here, or is forbidden */

    if (atomic_load_explicit(&absent, memory_order_relaxed))
        return open_checked(dirfd, name, e);

    struct open_how how = { .flags = O_PATH | O_CLOEXEC,
                            .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS };

    for (int i = 0; i < BENEATH_TRIES; i++) {
        int fd = (int)syscall(SYS_openat2, dirfd, name, &how, sizeof how);

        if (fd >= 0)
            return fd;
        if (errno == EAGAIN || errno == EINTR) /* a rename somewhere raced with it */
            continue;
        if (errno == ENOSYS || errno == EPERM)
            atomic_store_explicit(&absent, true, memory_order_relaxed);
        else if (errno != EXDEV)
            return fail_errno(e, errno);
        break;
    }
    return open_checked(dirfd, name, e);
}

/* As open_path(), and only regular files. A dangling link is told from no such name. */
static int open_regular(int dirfd, const char *name, struct stat *st, struct err *e)
{
    int fd = open_path(dirfd, name, e);

    if (fd == -ENOENT && fstatat(dirfd, name, st, AT_SYMLINK_NOFOLLOW) == 0 &&
        S_ISLNK(st->st_mode))
        return err_set(e, -ENOLINK, "the link leads to nothing");
    if (fd < 0)
        return fd;

    int rc = 0;

    if (fstat(fd, st) < 0)
        rc = fail_errno(e, errno);
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
        return fail_errno(e, errno);
    out->stamp = stamp_of(&st);
    out->links = st.st_nlink;
    if (S_ISLNK(st.st_mode)) {
        out->is_link = true;

        int fd = open_regular(dirfd, name, &st, e);

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

/*
 * A readable descriptor of the inode behind path_fd. Without /proc the name is opened
 * once more and has to lead to the same inode; O_NONBLOCK is for the FIFO that somebody
 * slipped in between.
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
        return fail_errno(e, errno);
    fd = openat(dirfd, name, flags);
    if (fd < 0)
        return fail_errno(e, errno);

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
        return fail_errno(e, errno);
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
            return fail_errno(e, errno);
        if (got == 0)
            break;
        n += (size_t)got;
    }
    if (fstat(fd, &st) < 0)
        return fail_errno(e, errno);

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

int opener_read(int dirfd, const char *name, uint64_t max_bytes, size_t padding,
                struct buf *text, struct stamp *stamp, struct err *e)
{
    struct stat st;
    int path_fd = open_regular(dirfd, name, &st, e);

    if (path_fd < 0)
        return path_fd;

    int fd = open_again(path_fd, dirfd, name, &st, e);

    close(path_fd);
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
        return fail_errno(e, errno);

    struct stat st;
    int rc;

    if (fstat(fd, &st) < 0)
        rc = fail_errno(e, errno);
    else if (!S_ISREG(st.st_mode))
        rc = fail_kind(e, st.st_mode);
    else
        rc = read_steadily(fd, max_bytes, padding, text, stamp, e);
    close(fd);
    return rc;
}
