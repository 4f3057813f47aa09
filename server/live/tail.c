#include "server/live/tail.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include <inotifytools/inotify.h>

#include "core/mem.h"
#include "core/table.h"
#include "server/log.h"
#include "server/sources/opener.h"

enum {
    PIECE_BYTES = 64 * 1024,
    CHECK_BYTES = 64,   /* compared before what follows is believed */
    PAUSE_MS = 100,     /* between two reads of a file */
    RARELY_MS = 1000,   /* where there are no events, and the file does not grow */
    GROWS_MS = 10000,   /* a file that is polled grows, if it grew so lately */
    SLICE_NS = 2000000, /* of reading in one turn of the loop */
    EVENT_BYTES = 16 * 1024,
    OPEN_MAX = 1024, /* files that stay open, where the limit of descriptors is high */
    OPEN_FEW = 64,
    LIMIT_HIGH = 8192,
};

#define NS_PER_MS UINT64_C(1000000)

enum where { NOWHERE, DUE, LATER, RARELY };

struct tail_file {
    struct tail_file *next, *prev; /* in the list it stands in */
    enum where where;
    void *file;
    struct view name; /* NUL-terminated */
    int fd;           /* -1: opened for each read */
    int wd;           /* -1: not watched */
    bool begun;
    bool passed;     /* it was read to its end once */
    bool old;        /* found, not made while we watched */
    bool unsure;     /* what was read may have been rewritten */
    bool look_again; /* another file may have the name */
    uint64_t dev, ino, offset;
    int64_t mtime_ns, ctime_ns; /* when it was read last */
    uint64_t read_ms, grew_ms;  /* uv_now() */
    size_t check_n;
    char check[CHECK_BYTES]; /* the last bytes before offset */
    char text[];
};

struct list {
    struct tail_file *first, *last;
};

struct tail {
    struct tail_events events;
    uv_loop_t *loop;
    uv_poll_t poll;
    uv_timer_t later;  /* the first of the list LATER is due */
    uv_timer_t rarely; /* while the list RARELY has some */
    uv_idle_t work;    /* while files are due */
    unsigned handles;
    int inotify; /* a negative errno: none */
    int dirfd;   /* -1: the directory could not be opened yet */
    bool polls, closing;
    bool blind; /* the log says that there are no watches */
    struct table by_name;
    struct table by_wd;                /* key: the bytes of wd */
    struct list due, waiting, unheard; /* waiting: by read_ms */
    size_t open, open_max;
    char *piece; /* CHECK_BYTES + PIECE_BYTES */
    char dir[];
};

/* ---- lists ----------------------------------------------------------------------------- */

static struct list *list_of(struct tail *t, enum where w)
{
    return w == DUE ? &t->due : w == LATER ? &t->waiting : &t->unheard;
}

static void take_out(struct tail *t, struct tail_file *f)
{
    struct list *l = list_of(t, f->where);

    if (f->where == NOWHERE)
        return;
    *(f->prev ? &f->prev->next : &l->first) = f->next;
    *(f->next ? &f->next->prev : &l->last) = f->prev;
    f->where = NOWHERE;
}

static void put_last(struct tail *t, struct tail_file *f, enum where w)
{
    struct list *l = list_of(t, w);

    take_out(t, f);
    f->where = w;
    f->next = NULL;
    f->prev = l->last;
    *(l->last ? &l->last->next : &l->first) = f;
    l->last = f;
}

static void on_work(uv_idle_t *h);
static void on_later(uv_timer_t *h);

static void set_timer(struct tail *t)
{
    uint64_t now_ms = uv_now(t->loop), at_ms;

    if (!t->waiting.first || uv_is_active((uv_handle_t *)&t->later))
        return;
    at_ms = t->waiting.first->read_ms + PAUSE_MS;
    uv_timer_start(&t->later, on_later, at_ms > now_ms ? at_ms - now_ms : 0, 0);
}

static void on_rarely(uv_timer_t *h)
{
    struct tail *t = h->data;
    struct tail_file *f;

    while ((f = t->unheard.first))
        put_last(t, f, DUE);
    uv_idle_start(&t->work, on_work);
}

static void put_rarely(struct tail *t, struct tail_file *f)
{
    put_last(t, f, RARELY);
    if (!uv_is_active((uv_handle_t *)&t->rarely))
        uv_timer_start(&t->rarely, on_rarely, RARELY_MS, 0);
}

/* To be read, now or when it was not read for a while. */
static void want(struct tail *t, struct tail_file *f)
{
    if (f->where == DUE || f->where == LATER)
        return;
    if (f->read_ms && uv_now(t->loop) - f->read_ms < PAUSE_MS) {
        put_last(t, f, LATER);
        set_timer(t);
        return;
    }
    put_last(t, f, DUE);
    uv_idle_start(&t->work, on_work);
}

static void on_later(uv_timer_t *h)
{
    struct tail *t = h->data;
    uint64_t now_ms = uv_now(t->loop);
    struct tail_file *f;

    while ((f = t->waiting.first) && now_ms - f->read_ms >= PAUSE_MS)
        put_last(t, f, DUE);
    if (t->due.first)
        uv_idle_start(&t->work, on_work);
    set_timer(t);
}

/* ---- files ------------------------------------------------------------------------------- */

static struct view wd_key(const struct tail_file *f)
{
    return (struct view){ (const char *)&f->wd, sizeof f->wd };
}

static void unwatch(struct tail *t, struct tail_file *f)
{
    if (f->wd >= 0) {
        table_remove(&t->by_wd, wd_key(f));
        inotify_rm_watch(t->inotify, f->wd); /* fails where the inode is gone */
    }
    f->wd = -1;
}

static void close_file(struct tail *t, struct tail_file *f)
{
    if (f->fd >= 0) {
        close(f->fd);
        t->open--;
    }
    f->fd = -1;
}

static void file_free(struct tail *t, struct tail_file *f)
{
    take_out(t, f);
    unwatch(t, f);
    close_file(t, f);
    table_remove(&t->by_name, f->name);
    free(f);
}

static void tell_gone(struct tail *t, struct tail_file *f, const struct err *e)
{
    void *file = f->file;

    file_free(t, f);
    t->events.gone(t->events.ctx, file, e);
}

static void say_blind(struct tail *t, int code)
{
    if (t->blind || t->polls)
        return;
    t->blind = true;
    log_line(LOG_WARN, "growing files are looked at ten times a second", "reason",
             strerror(code), "remedy",
             code == EMFILE ? "raise the sysctl fs.inotify.max_user_instances"
                            : "raise the sysctl fs.inotify.max_user_watches",
             NULL);
}

/* Tells of writes to that very inode, whatever its name is. */
static void watch(struct tail *t, struct tail_file *f, int fd)
{
    char path[64];

    if (t->inotify < 0)
        say_blind(t, -t->inotify);
    if (f->wd >= 0 || t->inotify < 0)
        return;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    f->wd = inotify_add_watch(t->inotify, path, IN_MODIFY);
    if (f->wd < 0)
        say_blind(t, errno);
    else if (table_get(&t->by_wd, wd_key(f)))
        f->wd = -1; /* another name of the same inode: this one is polled */
    else
        table_put(&t->by_wd, wd_key(f), f);
}

/* ---- reading ------------------------------------------------------------------------------- */

static double seconds(int64_t ns)
{
    return (double)ns / 1e9;
}

static void begin(struct tail *t, struct tail_file *f, const struct stat *st)
{
    f->dev = st->st_dev;
    f->ino = st->st_ino;
    f->offset = 0;
    f->check_n = 0;
    f->unsure = false;
    t->events.begin(t->events.ctx, f->file, seconds(f->mtime_ns), f->old && !f->begun);
    f->begun = true;
}

/* Reads from `from` on, at most n bytes; -1: an error. */
static ssize_t read_at(int fd, char *to, size_t n, uint64_t from)
{
    ssize_t got;

    do
        got = pread(fd, to, n, (off_t)from);
    while (got < 0 && errno == EINTR);
    return got;
}

static void keep_check(struct tail_file *f, const char *p, size_t n)
{
    f->check_n = n < CHECK_BYTES ? n : CHECK_BYTES;
    memcpy(f->check, p + n - f->check_n, f->check_n);
}

/*
 * The next piece: what was read last, which has to be what it was, and what follows. True:
 * there may be more.
 */
static bool read_piece(struct tail *t, struct tail_file *f, int fd,
                       const struct stat *st)
{
    size_t before = f->check_n;
    ssize_t got = read_at(fd, t->piece, before + PIECE_BYTES, f->offset - before);
    struct view bytes;

    if (got < 0)
        return false;
    if ((size_t)got < before || memcmp(t->piece, f->check, before) != 0) {
        begin(t, f, st);
        return true;
    }
    bytes = (struct view){ t->piece + before, (size_t)got - before };
    f->unsure = false;
    if (bytes.n == 0)
        return false;
    f->offset += bytes.n;
    if (f->passed || !f->old)
        f->grew_ms = uv_now(t->loop);
    keep_check(f, t->piece, (size_t)got);
    t->events.bytes(t->events.ctx, f->file, bytes, seconds(f->mtime_ns));
    return bytes.n == PIECE_BYTES;
}

static int64_t time_ns(const struct timespec *at)
{
    return (int64_t)at->tv_sec * 1000000000 + at->tv_nsec;
}

/* True: there may be more to read at once. */
static bool read_open(struct tail *t, struct tail_file *f, int fd)
{
    struct stat st;
    int64_t ctime_ns;

    if (fstat(fd, &st) < 0)
        return false;
    ctime_ns = time_ns(&st.st_ctim);
    /* As long as before and written since: what is there may be something else. */
    f->unsure = f->unsure || ctime_ns != f->ctime_ns;
    f->mtime_ns = time_ns(&st.st_mtim);
    f->ctime_ns = ctime_ns;
    if (!f->begun || st.st_dev != f->dev || st.st_ino != f->ino ||
        (uint64_t)st.st_size < f->offset)
        begin(t, f, &st);
    if (!f->unsure && (uint64_t)st.st_size == f->offset)
        return false;
    return read_piece(t, f, fd, &st);
}

static int open_dir(struct tail *t)
{
    if (t->dirfd < 0)
        t->dirfd = open(t->dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return t->dirfd;
}

/* -1: it could not be opened, and f may be gone. */
static int open_file(struct tail *t, struct tail_file *f)
{
    struct err e = { 0 };
    int fd;

    if (f->fd >= 0 && !f->look_again)
        return f->fd;
    close_file(t, f);
    f->look_again = false;
    fd = open_dir(t) < 0 ? -ENOENT : opener_open(t->dirfd, f->text, &e);
    if (fd >= 0)
        return fd;
    if (opener_passes(fd)) { /* of what was never opened no event tells */
        f->look_again = true;
        put_rarely(t, f);
        return -1;
    }
    tell_gone(t, f, fd == OPENER_GONE ? NULL : &e);
    return -1;
}

static void keep_open(struct tail *t, struct tail_file *f, int fd)
{
    if (f->fd == fd)
        return;
    if (t->open >= t->open_max) {
        close(fd);
        return;
    }
    f->fd = fd;
    t->open++;
}

/* Whether it is to be looked at without an event. */
static bool is_polled(const struct tail *t, const struct tail_file *f)
{
    return f->wd < 0 && uv_now(t->loop) - f->grew_ms < GROWS_MS;
}

/* One piece of a file; what follows after others had their turn. */
static void read_next(struct tail *t, struct tail_file *f)
{
    uint64_t ino = f->ino;
    bool more;
    int fd;

    take_out(t, f);
    fd = open_file(t, f);
    if (fd < 0)
        return;
    watch(t, f, fd);
    more = read_open(t, f, fd);
    if (ino != f->ino && ino) { /* the watch is on the other inode */
        unwatch(t, f);
        watch(t, f, fd);
    }
    if (f->offset > 0) /* an empty file was just made: its first bytes come at once */
        f->read_ms = uv_now(t->loop);
    keep_open(t, f, fd);
    if (more) {
        put_last(t, f, DUE);
        return;
    }
    f->passed = true;
    if (is_polled(t, f)) {
        f->read_ms = uv_now(t->loop);
        put_last(t, f, LATER);
        set_timer(t);
    } else if (f->wd < 0 && !t->polls) { /* where events are rare, scans are none */
        put_rarely(t, f);
    }
    t->events.end(t->events.ctx, f->file, seconds(f->mtime_ns));
}

static void on_work(uv_idle_t *h)
{
    struct tail *t = h->data;
    uint64_t end_ns = uv_hrtime() + SLICE_NS;

    while (t->due.first && uv_hrtime() < end_ns)
        read_next(t, t->due.first);
    if (!t->due.first)
        uv_idle_stop(&t->work);
}

void tail_catch_up(struct tail *t, uint64_t patience_ms)
{
    uint64_t end_ns = uv_hrtime() + patience_ms * NS_PER_MS;
    struct tail_file *f;

    for (size_t i = 0; (f = table_next(&t->by_name, &i));)
        put_last(t, f, DUE);
    while (t->due.first && uv_hrtime() < end_ns)
        read_next(t, t->due.first);
}

/* ---- events --------------------------------------------------------------------------------- */

static void on_event(struct tail *t, const struct inotify_event *event)
{
    struct tail_file *f;
    int wd = event->wd;

    if (event->mask & IN_Q_OVERFLOW) {
        for (size_t i = 0; (f = table_next(&t->by_name, &i));)
            want(t, f);
        return;
    }
    f = table_get(&t->by_wd, (struct view){ (const char *)&wd, sizeof wd });
    if (!f)
        return;
    if (event->mask & IN_IGNORED) { /* the inode is gone, and its watch with it */
        table_remove(&t->by_wd, wd_key(f));
        f->wd = -1;
        return;
    }
    f->unsure = true;
    want(t, f);
}

static void on_readable(uv_poll_t *h, int status, int events)
{
    struct tail *t = h->data;
    _Alignas(struct inotify_event) char room[EVENT_BYTES];
    ssize_t n;

    (void)status;
    (void)events;
    while ((n = read(t->inotify, room, sizeof room)) > 0)
        for (ssize_t at = 0; at < n;) {
            const struct inotify_event *event =
                (const struct inotify_event *)(const void *)(room + at);

            on_event(t, event);
            at += (ssize_t)(sizeof *event + event->len);
        }
}

static struct tail_file *file_new(struct tail *t, struct view name, void *file)
{
    struct tail_file *f = mem_zalloc(sizeof *f + name.n + 1);

    memcpy(f->text, name.p, name.n);
    f->name = (struct view){ f->text, name.n };
    f->file = file;
    f->fd = f->wd = -1;
    table_put(&t->by_name, f->name, f);
    return f;
}

void tail_seen(struct tail *t, struct view name, uint32_t mask, void *file)
{
    const uint32_t another = IN_CREATE | IN_MOVED_TO | IN_DELETE | IN_MOVED_FROM;
    struct tail_file *f = table_get(&t->by_name, name);

    if (!f) {
        f = file_new(t, name, file);
        f->old = mask == 0;
    }
    /* A scan tells of a name, not of what has it. */
    if (mask == 0 || mask & another) {
        f->look_again = true;
        if (t->dirfd >= 0 && mask == 0) { /* the directory may be another one, too */
            close(t->dirfd);
            t->dirfd = -1;
        }
    }
    if (mask)
        f->grew_ms = uv_now(t->loop);
    want(t, f);
}

void tail_forget(struct tail *t, struct view name)
{
    struct tail_file *f = table_get(&t->by_name, name);

    if (f)
        file_free(t, f);
}

/* ---- life ------------------------------------------------------------------------------------- */

static size_t open_max(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur < LIMIT_HIGH)
        return OPEN_FEW;
    return OPEN_MAX;
}

static void start_inotify(struct tail *t)
{
    t->inotify = t->polls ? -ENOSYS : inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (t->inotify == -1)
        t->inotify = -errno;
    if (t->inotify < 0)
        return;
    uv_poll_init(t->loop, &t->poll, t->inotify);
    t->poll.data = t;
    t->handles++;
    uv_poll_start(&t->poll, UV_READABLE, on_readable);
}

struct tail *tail_new(uv_loop_t *loop, const struct tail_options *o,
                      const struct tail_events *events)
{
    size_t n = strlen(o->dir);
    struct tail *t = mem_zalloc(sizeof *t + n + 1);

    memcpy(t->dir, o->dir, n + 1);
    t->loop = loop;
    t->events = *events;
    t->polls = o->polls;
    t->dirfd = -1;
    t->open_max = open_max();
    t->piece = mem_alloc(CHECK_BYTES + PIECE_BYTES);
    uv_timer_init(loop, &t->later);
    uv_timer_init(loop, &t->rarely);
    uv_idle_init(loop, &t->work);
    t->later.data = t->rarely.data = t->work.data = t;
    t->handles = 3;
    start_inotify(t);
    return t;
}

static void on_closed(uv_handle_t *h)
{
    struct tail *t = h->data;

    if (--t->handles)
        return;
    if (t->inotify >= 0)
        close(t->inotify);
    if (t->dirfd >= 0)
        close(t->dirfd);
    free(t->piece);
    free(t);
}

void tail_stop(struct tail *t)
{
    struct tail_file *f;

    for (;;) {
        size_t i = 0;

        f = table_next(&t->by_name, &i);
        if (!f)
            break;
        file_free(t, f);
    }
    table_deinit(&t->by_name);
    table_deinit(&t->by_wd);
    if (t->inotify >= 0)
        uv_close((uv_handle_t *)&t->poll, on_closed);
    uv_close((uv_handle_t *)&t->later, on_closed);
    uv_close((uv_handle_t *)&t->rarely, on_closed);
    uv_close((uv_handle_t *)&t->work, on_closed);
}
