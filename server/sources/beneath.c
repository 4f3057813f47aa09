/*
 * beneath.c - opens names in a directory, and nothing that lies outside it.
 *
 * openat2() with RESOLVE_BENEATH does it in one call. Where the kernel is older than
 * that, or a seccomp filter that does not know the call refuses it, the name is walked
 * here: each component is opened by itself with O_PATH | O_NOFOLLOW, which touches
 * nothing, and links are read and walked in their turn. ".." goes back to the directory
 * the walk came through, which is still open, so that no rename can lead it elsewhere.
 *
 * The walk also judges what openat2() refuses as leading out: an absolute link that
 * spells the directory's own path is none, and for all others it tells where to.
 *
 * The walk knows limits that the kernel does not have, because its steps cost
 * descriptors and time on the loop.
 */
#include "server/sources/beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    KERNEL_TRIES = 8,
    LINKS_MAX = 40,  /* as the kernel's */
    STEPS_MAX = 256, /* components, of links too */
    DEPTH_MAX = 8,   /* directories below dirfd at a time; each is a descriptor */
};

struct walk {
    int dirs[DEPTH_MAX + 1]; /* the first is the caller's */
    size_t depth;
    unsigned links, steps;
    char rest[PATH_MAX];     /* components still to come */
    char name[NAME_MAX + 1]; /* the one just taken off it */
};

int beneath_fail(int code, struct err *e)
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

static int leads_out(const char *to, struct err *e)
{
    return err_set(e, -EXDEV, "the link leads out of the directory, to %s", to);
}

/* Takes the next component off rest: 1, 0 at the end, -ENAMETOOLONG. */
static int next_name(struct walk *w)
{
    const char *p = w->rest + strspn(w->rest, "/");
    size_t n = strcspn(p, "/");

    if (n > NAME_MAX)
        return -ENAMETOOLONG;
    memcpy(w->name, p, n);
    w->name[n] = '\0';
    p += n;
    p += strspn(p, "/");
    memmove(w->rest, p, strlen(p) + 1);
    return n > 0;
}

/* Where in the directory an absolute path leads by its spelling; NULL: not into it. */
static const char *inside(int dirfd, const char *path)
{
    char link[64], dir[PATH_MAX];

    snprintf(link, sizeof link, "/proc/self/fd/%d", dirfd);

    ssize_t n = readlink(link, dir, sizeof dir - 1);

    if (n <= 0 || dir[0] != '/' || strncmp(path, dir, (size_t)n) != 0)
        return NULL;
    if (n == 1) /* the directory is the root */
        return path;
    return path[n] == '/' || path[n] == '\0' ? path + n : NULL;
}

static void ascend(struct walk *w, size_t depth)
{
    while (w->depth > depth)
        close(w->dirs[w->depth--]);
}

/* Puts what the link at fd says in front of what is left. */
static int follow(struct walk *w, int fd, struct err *e)
{
    char target[PATH_MAX], rest[PATH_MAX];
    ssize_t n = readlinkat(fd, "", target, sizeof target - 1);

    if (n < 0)
        return beneath_fail(errno, e);
    target[n] = '\0';
    if (++w->links > LINKS_MAX)
        return beneath_fail(ELOOP, e);
    if (snprintf(rest, sizeof rest, "%s%s%s", target, w->rest[0] ? "/" : "", w->rest) >=
        (int)sizeof rest)
        return beneath_fail(ENAMETOOLONG, e);

    const char *to = rest;

    if (rest[0] == '/') {
        to = inside(w->dirs[0], rest);
        if (!to)
            return leads_out(rest, e);
        ascend(w, 0);
    }
    memcpy(w->rest, to, strlen(to) + 1);
    return 0;
}

/*
 * The end of the way: path_fd, or the same name opened with the caller's flags. Those
 * are for what was a regular file a moment ago: opening anything else has effects.
 */
static int arrive(const struct walk *w, int path_fd, mode_t mode, int flags,
                  struct err *e)
{
    if (flags & O_PATH)
        return path_fd;
    close(path_fd);
    if (!S_ISREG(mode))
        return err_set(e, -EAGAIN, "replaced while it was opened");

    int fd = openat(w->dirs[w->depth], w->name, flags | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0 && errno == ELOOP)
        return err_set(e, -EAGAIN, "replaced while it was opened");
    return fd < 0 ? beneath_fail(errno, e) : fd;
}

enum { ON_THE_WAY = INT_MIN }; /* of a step: neither a descriptor nor -errno */

static int step(struct walk *w, int flags, struct err *e)
{
    int fd = openat(w->dirs[w->depth], w->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    struct stat st;
    int rc = ON_THE_WAY;

    if (fd < 0)
        return beneath_fail(errno, e);
    if (fstat(fd, &st) < 0)
        rc = beneath_fail(errno, e);
    else if (S_ISLNK(st.st_mode))
        rc = follow(w, fd, e) < 0 ? e->code : ON_THE_WAY;
    else if (w->rest[0] == '\0')
        return arrive(w, fd, st.st_mode, flags, e);
    else if (!S_ISDIR(st.st_mode))
        rc = beneath_fail(ENOTDIR, e);
    else if (w->depth == DEPTH_MAX)
        rc = err_set(e, -ELOOP, "more than %d directories deep", (int)DEPTH_MAX);
    else {
        w->dirs[++w->depth] = fd;
        return rc;
    }
    close(fd);
    return rc;
}

static int up(struct walk *w, struct err *e)
{
    char to[sizeof w->rest + 4];

    if (w->depth > 0) {
        ascend(w, w->depth - 1);
        return ON_THE_WAY;
    }
    snprintf(to, sizeof to, "..%s%s", w->rest[0] ? "/" : "", w->rest);
    return leads_out(to, e);
}

static int walk_on(struct walk *w, int flags, struct err *e)
{
    for (;;) {
        int rc = next_name(w);

        if (rc < 0)
            return beneath_fail(-rc, e);
        if (rc == 0) { /* it ends with a directory that is open */
            int fd = fcntl(w->dirs[w->depth], F_DUPFD_CLOEXEC, 0);

            return fd < 0 ? beneath_fail(errno, e) : fd;
        }
        if (++w->steps > STEPS_MAX)
            return err_set(e, -ELOOP, "more than %d steps", (int)STEPS_MAX);
        if (strcmp(w->name, ".") == 0)
            continue;
        rc = strcmp(w->name, "..") == 0 ? up(w, e) : step(w, flags, e);
        if (rc != ON_THE_WAY)
            return rc;
    }
}

static int walk(int dirfd, const char *name, int flags, struct err *e)
{
    struct walk w = { .dirs = { dirfd } };

    if (strlen(name) >= sizeof w.rest)
        return beneath_fail(ENAMETOOLONG, e);
    if (name[0] == '/')
        return leads_out(name, e);
    memcpy(w.rest, name, strlen(name) + 1);

    int rc = walk_on(&w, flags, e);

    ascend(&w, 0);
    return rc;
}

int beneath_open(int dirfd, const char *name, int flags, struct err *e)
{
    static atomic_bool absent; /* openat2() does not exist here, or is forbidden */
    struct open_how how = { .flags = (uint64_t)(unsigned)(flags | O_CLOEXEC),
                            .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS };
    struct err scratch;

    if (!e)
        e = &scratch;
    if (atomic_load_explicit(&absent, memory_order_relaxed))
        return walk(dirfd, name, flags, e);
    for (int i = 0; i < KERNEL_TRIES; i++) {
        int fd = (int)syscall(SYS_openat2, dirfd, name, &how, sizeof how);

        if (fd >= 0)
            return fd;
        if (errno == EAGAIN || errno == EINTR) /* a rename somewhere raced with it */
            continue;
        if (errno == ENOSYS || errno == EPERM)
            atomic_store_explicit(&absent, true, memory_order_relaxed);
        else if (errno != EXDEV)
            return beneath_fail(errno, e);
        break;
    }
    return walk(dirfd, name, flags, e);
}
