#include "server/record/ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/buf.h"
#include "server/record/splice.h"

enum { NAMES_MAX = 10000, PAUSE_MS = 10 };

static const char PREFIX[] = "test_results_", SUFFIX[] = ".json";

static int failed(struct err *e, const struct ledger *l, const char *what)
{
    int code = errno;

    return err_set(e, -code, "%s%s%s: %s", l->path, *what ? "/" : "", what,
                   strerror(code));
}

static void name_own(struct ledger *l, time_t start, unsigned n)
{
    struct tm tm;
    char stamp[32], number[16] = "";

    gmtime_r(&start, &tm);
    strftime(stamp, sizeof stamp, "%Y%m%d_%H%M%S", &tm);
    if (n > 1)
        snprintf(number, sizeof number, "_%u", n);
    snprintf(l->file, sizeof l->file, "%s%s%s%s", PREFIX, stamp, number, SUFFIX);
}

static void name_shared(struct ledger *l, const char *run)
{
    struct view name = view_of(run);

    if (view_starts(name, view_of(PREFIX)))
        name = view_skip(name, sizeof PREFIX - 1);
    if (name.n > sizeof SUFFIX - 1 &&
        view_eq(view_skip(name, name.n - (sizeof SUFFIX - 1)), view_of(SUFFIX)))
        name.n -= sizeof SUFFIX - 1;
    snprintf(l->file, sizeof l->file, "%s%.*s%s", PREFIX, VIEW_ARG(name), SUFFIX);
}

static int open_dir(struct ledger *l, struct err *e)
{
    if (l->dir >= 0)
        return 0;
    l->dir = open(l->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (l->dir < 0 && errno == ENOENT && mkdir(l->path, 0777) == 0)
        l->dir = open(l->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return l->dir < 0 ? failed(e, l, "") : 0;
}

int ledger_open(struct ledger *l, const char *path, const char *run, time_t start,
                struct err *e)
{
    *l = (struct ledger){ .path = path, .dir = -1 };
    if (run) {
        l->shared = true;
        name_shared(l, run);
    } else {
        name_own(l, start, 1);
    }
    return open_dir(l, e);
}

void ledger_own(struct ledger *l, time_t start)
{
    l->shared = l->begun = false;
    name_own(l, start, 1);
}

void ledger_close(struct ledger *l)
{
    if (l->dir >= 0)
        close(l->dir);
    l->dir = -1;
}

/* ---- one at a time ----------------------------------------------------------------- */

/* Waits for at most wait_s. -errno: this cannot be locked, or -ETIMEDOUT. */
static int lock_fd(int fd, double wait_s)
{
    const struct timespec pause = { 0, PAUSE_MS * 1000000L };

    while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            return -errno;
        if (wait_s <= 0)
            return -ETIMEDOUT;
        nanosleep(&pause, NULL);
        wait_s -= PAUSE_MS / 1000.0;
    }
    return 0;
}

/* A descriptor to close, or a negative errno. The directory is opened anew, for a lock
 * belongs to what open() gave, and ours may be known to a child. */
static int lock(const struct ledger *l, double wait_s, struct err *e)
{
    int fd = openat(l->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc = fd < 0 ? -errno : lock_fd(fd, wait_s);

    if (rc < 0 && rc != -ETIMEDOUT) {
        if (fd >= 0)
            close(fd);
        fd = openat(l->dir, ".record.lock",
                    O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0666);
        rc = fd < 0 ? -errno : lock_fd(fd, wait_s);
    }
    if (rc == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    errno = -rc;
    return rc == -ETIMEDOUT ? err_set(e, rc, "%s: others hold its lock", l->path)
                            : failed(e, l, ".record.lock");
}

/* ---- the file ---------------------------------------------------------------------- */

/* Text of the file as it is; *mode: its permissions. A missing one is empty. */
static int read_old(const struct ledger *l, struct buf *text, mode_t *mode,
                    struct err *e)
{
    int fd = openat(l->dir, l->file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    char bytes[16384];
    struct stat st;
    ssize_t n;

    if (fd < 0)
        return errno == ENOENT ? 0 : failed(e, l, l->file);
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
        close(fd);
        return err_set(e, -EINVAL, "%s/%s: it is no regular file", l->path, l->file);
    }
    *mode = st.st_mode & 0777;
    while ((n = read(fd, bytes, sizeof bytes)) > 0)
        buf_add(text, bytes, (size_t)n);
    n = n < 0 ? failed(e, l, l->file) : 0;
    close(fd);
    return (int)n;
}

static int write_all(int fd, struct view text)
{
    while (text.n) {
        ssize_t n = write(fd, text.p, text.n);

        if (n < 0 && errno != EINTR)
            return -1;
        if (n > 0)
            text = view_skip(text, (size_t)n);
    }
    return fsync(fd) == 0 || errno == EINVAL ? 0 : -1;
}

/* mode 0: as the umask has it. */
static int write_new(const struct ledger *l, const char *name, struct view text,
                     mode_t mode, struct err *e)
{
    int fd = openat(l->dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
                    0666);
    int rc = 0;

    if (fd < 0)
        return failed(e, l, name);
    if ((mode && fchmod(fd, mode) < 0) || write_all(fd, text) < 0)
        rc = failed(e, l, name);
    if (close(fd) < 0 && rc == 0)
        rc = failed(e, l, name);
    if (rc < 0)
        unlinkat(l->dir, name, 0);
    return rc;
}

/* Takes no name that is taken. Where the kernel or the file system cannot tell in the same
 * step (EINVAL), a link can. */
static int rename_fresh(const struct ledger *l, const char *from, const char *to)
{
    if (renameat2(l->dir, from, l->dir, to, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return -1;
    if (linkat(l->dir, from, l->dir, to, 0) < 0)
        return -1;
    return unlinkat(l->dir, from, 0);
}

static int publish(struct ledger *l, const char *from, time_t start)
{
    if (l->shared || l->begun)
        return renameat(l->dir, from, l->dir, l->file);
    for (unsigned n = 1; n <= NAMES_MAX; n++) {
        if (n > 1)
            name_own(l, start, n);
        if (rename_fresh(l, from, l->file) == 0)
            return 0;
        if (errno != EEXIST)
            return -1;
    }
    return -1;
}

/* The time in the name of an own file, which is the only place that needs it again. */
static time_t own_start(const struct ledger *l)
{
    struct tm tm = { 0 };

    return strptime(l->file + sizeof PREFIX - 1, "%Y%m%d_%H%M%S", &tm) ? timegm(&tm)
                                                                       : 0;
}

static int replace(struct ledger *l, struct view text, mode_t mode, bool dry,
                   struct err *e)
{
    char name[64];
    int rc;

    snprintf(name, sizeof name, ".record.%ld.%lx.new", (long)getpid(),
             (unsigned long)time(NULL));
    rc = write_new(l, name, text, mode, e);
    if (rc < 0)
        return rc;
    if (!dry && publish(l, name, own_start(l)) == 0) {
        l->begun = true;
        return 0;
    }
    if (!dry)
        rc = failed(e, l, l->file);
    unlinkat(l->dir, name, 0);
    return rc;
}

int ledger_put(struct ledger *l, struct view entry, struct view mark, struct view drop,
               double wait_s, bool dry, struct err *e)
{
    struct buf old = { 0 }, text = { 0 };
    mode_t mode = 0;
    int fd, rc = open_dir(l, e);

    if (rc < 0)
        return rc;
    fd = lock(l, wait_s, e);
    if (fd < 0)
        return fd;
    if (l->shared || l->begun)
        rc = read_old(l, &old, &mode, e);
    if (rc == 0) {
        struct err why = { 0 };

        rc = splice_entry(buf_as_view(&old), entry, mark, drop, &text, &why);
        if (rc < 0)
            err_set(e, rc, "%s/%s: %s; it is left as it is", l->path, l->file,
                    why.text);
    }
    if (rc == 0)
        rc = replace(l, buf_as_view(&text), mode, dry, e);
    buf_deinit(&old);
    buf_deinit(&text);
    close(fd);
    return rc;
}
