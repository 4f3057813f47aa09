/*
 * interpose.c - makes calls of the C library fail, at places and times that a test names.
 *
 * Preloaded into the program under test. A call is known by its function and its site:
 * the first return address on the stack that lies in our own binary, functions left out
 * that only pass on what others want (mem_alloc() and the like). Where a library makes
 * the call, its place there is part of the site as well, so that libuv's write for one
 * caller of ours is told from that for another.
 *
 * Under AddressSanitizer its run-time library is preloaded before this one, which then
 * sees the calls that the sanitizer passes on; memory is the sanitizer's alone there.
 *
 * Nothing here allocates: some of the calls come from malloc()'s own callers, or with
 * the loader's lock held.
 */
#include "tests/faults/plan.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>
#include <unwind.h>

enum { OBJECTS_MAX = 64, IOV_MAX_HERE = 1024 };

/* The program, and what it loads of its own: addresses in the n-th of them are told as
 * n in the highest byte and the offset below. faults.py has the same list. */
static const char *const own_objects[] = { "program", "web_toolbox.so",
                                           "transport_tls.so", "upstream.so" };
enum { NUMBER_SHIFT = 56 };

struct object {
    uintptr_t from, to, base;
    uint64_t hash;   /* of its name */
    uint64_t number; /* among our own, shifted */
    bool ours;
    bool transparent; /* this library, the sanitizer's */
    char name[FAULTS_OBJECT];
};

struct outcome {
    int error;     /* 0: the call is made */
    int64_t bytes; /* -1: as many as it likes */
};

static struct faults_control *control;
static struct object objects[OBJECTS_MAX];
static atomic_size_t object_count;
static pthread_mutex_t objects_lock = PTHREAD_MUTEX_INITIALIZER;
static _Thread_local bool inside __attribute__((tls_model("initial-exec")));

/* ---- objects ---------------------------------------------------------------------- */

static uint64_t mix(uint64_t h, uint64_t v)
{
    h = (h ^ v) * UINT64_C(0x9e3779b97f4a7c15);
    return h ^ h >> 29;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static bool known(uintptr_t base)
{
    for (size_t i = 0; i < atomic_load(&object_count); i++)
        if (objects[i].base == base)
            return true;
    return false;
}

static int on_object(struct dl_phdr_info *info, size_t size, void *data)
{
    size_t count = atomic_load(&object_count);
    struct object *o = &objects[count];
    bool program = count == 0; /* the loader tells of it first */

    (void)size;
    (void)data;
    if (count == OBJECTS_MAX || known(info->dlpi_addr))
        return 0;
    *o = (struct object){ .base = info->dlpi_addr, .from = UINTPTR_MAX };
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *ph = &info->dlpi_phdr[i];

        if (ph->p_type != PT_LOAD)
            continue;
        if (o->base + ph->p_vaddr < o->from)
            o->from = o->base + ph->p_vaddr;
        if (o->base + ph->p_vaddr + ph->p_memsz > o->to)
            o->to = o->base + ph->p_vaddr + ph->p_memsz;
    }
    strncpy(o->name, program ? "program" : base_name(info->dlpi_name),
            sizeof o->name - 1);
    for (uint64_t n = 0; n < sizeof own_objects / sizeof *own_objects; n++)
        if (strcmp(o->name, own_objects[n]) == 0) {
            o->ours = true;
            o->number = n << NUMBER_SHIFT;
        }
    o->transparent = strncmp(o->name, "libasan", 7) == 0 ||
                     strncmp(o->name, "libubsan", 8) == 0 ||
                     ((uintptr_t)on_object >= o->from && (uintptr_t)on_object < o->to);
    for (const char *p = o->name; *p; p++)
        o->hash = mix(o->hash, (unsigned char)*p);
    atomic_store(&object_count, count + 1);
    return 0;
}

static const struct object *find_object(uintptr_t at)
{
    for (int again = 0; again < 2; again++) {
        for (size_t i = 0; i < atomic_load(&object_count); i++)
            if (at >= objects[i].from && at < objects[i].to)
                return &objects[i];
        pthread_mutex_lock(&objects_lock);
        dl_iterate_phdr(on_object, NULL);
        pthread_mutex_unlock(&objects_lock);
    }
    return NULL;
}

static uint64_t place(const struct object *o, uintptr_t at)
{
    return o->number | (at - o->base);
}

static bool passes_on(uint64_t offset)
{
    for (uint32_t i = 0; i < control->skip_count && i < FAULTS_SKIPS; i++)
        if (offset >= control->skips[i][0] && offset < control->skips[i][1])
            return true;
    return false;
}

/* ---- sites ------------------------------------------------------------------------ */

struct walk {
    const struct object *object; /* of the call itself */
    uintptr_t caller;
    uint64_t frames[FAULTS_FRAMES];
    size_t frame_count;
};

static _Unwind_Reason_Code on_frame(struct _Unwind_Context *context, void *data)
{
    struct walk *w = data;
    uintptr_t at = _Unwind_GetIP(context);
    const struct object *o = at ? find_object(at) : NULL;

    if (!at)
        return _URC_END_OF_STACK;
    if (!o || o->transparent)
        return _URC_NO_REASON;
    if (!w->object) {
        w->object = o;
        w->caller = at;
    }
    if (!o->ours || (w->frame_count == 0 && passes_on(place(o, at))))
        return _URC_NO_REASON;
    w->frames[w->frame_count++] = place(o, at);
    return w->frame_count == FAULTS_FRAMES ? _URC_END_OF_STACK : _URC_NO_REASON;
}

/* The first letter of what a descriptor is. */
static uint16_t kind_of(int fd)
{
    struct stat st;

    if (fd < 0 || syscall(SYS_fstat, fd, &st) < 0)
        return 0;
    return S_ISSOCK(st.st_mode)   ? 's'
           : S_ISFIFO(st.st_mode) ? 'p'
           : S_ISREG(st.st_mode)  ? 'f'
           : S_ISDIR(st.st_mode)  ? 'd'
                                  : 'a';
}

/* Notes the site, new or met before. Returns it; NULL: there is no room. */
static struct faults_site *note(uint64_t key, int fd, const struct walk *w,
                                const char *function)
{
    for (size_t n = 0; n < FAULTS_SITES; n++) {
        struct faults_site *s = &control->sites[(key + n) & (FAULTS_SITES - 1)];
        uint64_t found = 0;

        if (atomic_load(&s->key) == key)
            return s;
        if (!atomic_compare_exchange_strong(&s->key, &found, key)) {
            if (found == key)
                return s;
            continue;
        }
        s->kind = kind_of(fd);
        s->by_library = !w->object || !w->object->ours;
        s->caller = w->object ? w->caller - w->object->base : 0;
        memcpy(s->frames, w->frames, sizeof s->frames);
        memcpy(s->object, w->object ? w->object->name : "?",
               w->object ? sizeof s->object : 2);
        strncpy(s->function, function, sizeof s->function - 1);
        atomic_store(&s->complete, 1);
        return s;
    }
    atomic_fetch_add(&control->lost, 1);
    return NULL;
}

static uint64_t find_site(const char *function, int fd)
{
    struct walk w = { 0 };
    uint64_t key = 0;

    _Unwind_Backtrace(on_frame, &w);
    for (const char *p = function; *p; p++)
        key = mix(key, (unsigned char)*p);
    key = mix(key, w.frames[0]);
    if (w.object && !w.object->ours)
        key = mix(mix(key, w.object->hash), w.caller - w.object->base);
    key = key ? key : 1;
    if (control->record) {
        struct faults_site *s = note(key, fd, &w, function);

        if (s)
            atomic_fetch_add(&s->hits, 1);
    }
    return key;
}

/* ---- plans ------------------------------------------------------------------------ */

static bool due(struct faults_plan *p)
{
    uint64_t n = atomic_fetch_add(&p->met, 1);

    if (n < p->from || n - p->from >= p->count ||
        (p->every > 1 && (n - p->from) % p->every != 0))
        return false;
    atomic_fetch_add(&p->done, 1);
    return true;
}

static bool wanted(void)
{
    if (!control)
        return false;
    if (control->record)
        return true;
    for (size_t i = 0; i < FAULTS_PLANS; i++)
        if (control->plans[i].on)
            return true;
    return false;
}

/* What is to become of this call. */
static struct outcome judge(const char *function, int fd)
{
    struct outcome out = { 0, -1 };
    int saved = errno;
    uint64_t key = 0;

    if (inside || !wanted())
        return out;
    inside = true;
    if (control->record)
        key = find_site(function, fd);
    for (size_t i = 0; i < FAULTS_PLANS; i++) {
        struct faults_plan *p = &control->plans[i];

        if (!p->on)
            continue;
        if (p->key && !key)
            key = find_site(function, fd);
        if ((p->key ? p->key == key
                    : strncmp(p->function, function, sizeof p->function) == 0) &&
            due(p)) {
            out = (struct outcome){ p->error, p->bytes };
            break;
        }
    }
    inside = false;
    errno = saved;
    return out;
}

static size_t at_most(size_t n, const struct outcome *o)
{
    return o->bytes >= 0 && (uint64_t)o->bytes < n ? (size_t)o->bytes : n;
}

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("FAULTS_CONTROL");
    int fd = path ? (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC) : -1;

    if (fd < 0)
        return;
    /* Another layout than ours would be read as plans that nobody made. */
    if (lseek(fd, 0, SEEK_END) != (off_t)sizeof *control)
        _exit(99);
    dl_iterate_phdr(on_object, NULL);

    void *p = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    syscall(SYS_close, fd);
    if (p == MAP_FAILED)
        return;
    control = p;
    atomic_fetch_add(&control->attached, 1);
}

/* The C library's headers have names of their own for parameters. */
/* NOLINTBEGIN(readability-inconsistent-declaration-parameter-name) */

/* ---- calls that fail as a whole ---------------------------------------------------- */

/* The next definition of a function behind this one. */
#define NEXT(name)                                                                     \
    static __typeof__(&(name)) next;                                                   \
    if (!next)                                                                         \
    next = (__typeof__(next))dlsym(RTLD_NEXT, #name)

#define FAIL(site, fd, failed)                                                         \
    struct outcome o = judge(site, fd);                                                \
    if (o.error) {                                                                     \
        errno = o.error;                                                               \
        return failed;                                                                 \
    }

#define PLAIN(result, name, site, failed, parameters, arguments)                       \
    result name parameters                                                             \
    {                                                                                  \
        NEXT(name);                                                                    \
        FAIL(site, -1, failed)                                                         \
        return next arguments;                                                         \
    }

/* Functions of <fcntl.h> and the like that fortified programs call; not declared. */
int __open64_2(const char *path, int flags);
int __open_2(const char *path, int flags);
int __openat_2(int fd, const char *path, int flags);

PLAIN(int, accept, "accept", -1, (int fd, struct sockaddr *sa, socklen_t *n),
      (fd, sa, n))
PLAIN(int, accept4, "accept", -1,
      (int fd, struct sockaddr *sa, socklen_t *n, int flags), (fd, sa, n, flags))
PLAIN(int, socket, "socket", -1, (int domain, int type, int protocol),
      (domain, type, protocol))
PLAIN(int, bind, "bind", -1, (int fd, const struct sockaddr *sa, socklen_t n),
      (fd, sa, n))
PLAIN(int, listen, "listen", -1, (int fd, int backlog), (fd, backlog))
PLAIN(int, connect, "connect", -1, (int fd, const struct sockaddr *sa, socklen_t n),
      (fd, sa, n))
PLAIN(int, shutdown, "shutdown", -1, (int fd, int how), (fd, how))
PLAIN(int, setsockopt, "setsockopt", -1,
      (int fd, int level, int name, const void *value, socklen_t n),
      (fd, level, name, value, n))
PLAIN(int, getsockname, "getsockname", -1, (int fd, struct sockaddr *sa, socklen_t *n),
      (fd, sa, n))

PLAIN(int, __open64_2, "open", -1, (const char *path, int flags), (path, flags))
PLAIN(int, __open_2, "open", -1, (const char *path, int flags), (path, flags))
PLAIN(int, __openat_2, "open", -1, (int fd, const char *path, int flags),
      (fd, path, flags))
PLAIN(int, access, "access", -1, (const char *path, int mode), (path, mode))
PLAIN(int, unlink, "unlink", -1, (const char *path), (path))
PLAIN(ssize_t, readlink, "readlink", -1, (const char *path, char *to, size_t n),
      (path, to, n))
PLAIN(ssize_t, readlinkat, "readlink", -1,
      (int fd, const char *path, char *to, size_t n), (fd, path, to, n))
PLAIN(int, stat, "stat", -1, (const char *path, struct stat *st), (path, st))
PLAIN(int, stat64, "stat", -1, (const char *path, struct stat64 *st), (path, st))
PLAIN(int, lstat, "lstat", -1, (const char *path, struct stat *st), (path, st))
PLAIN(int, lstat64, "lstat", -1, (const char *path, struct stat64 *st), (path, st))
PLAIN(int, fstat, "fstat", -1, (int fd, struct stat *st), (fd, st))
PLAIN(int, fstat64, "fstat", -1, (int fd, struct stat64 *st), (fd, st))
PLAIN(int, fstatat, "fstatat", -1,
      (int fd, const char *path, struct stat *st, int flags), (fd, path, st, flags))
PLAIN(int, statfs, "statfs", -1, (const char *path, struct statfs *fs), (path, fs))
PLAIN(DIR *, opendir, "opendir", NULL, (const char *path), (path))
PLAIN(DIR *, fdopendir, "fdopendir", NULL, (int fd), (fd))
PLAIN(struct dirent *, readdir, "readdir", NULL, (DIR * dir), (dir))
PLAIN(struct dirent64 *, readdir64, "readdir", NULL, (DIR * dir), (dir))

PLAIN(int, inotify_init1, "inotify_init1", -1, (int flags), (flags))
PLAIN(int, inotify_add_watch, "inotify_add_watch", -1,
      (int fd, const char *path, uint32_t mask), (fd, path, mask))
PLAIN(int, inotify_rm_watch, "inotify_rm_watch", -1, (int fd, int wd), (fd, wd))

PLAIN(int, epoll_create1, "epoll_create1", -1, (int flags), (flags))
PLAIN(int, epoll_ctl, "epoll_ctl", -1, (int ep, int op, int fd, struct epoll_event *ev),
      (ep, op, fd, ev))
PLAIN(int, poll, "poll", -1, (struct pollfd * fds, nfds_t count, int timeout),
      (fds, count, timeout))
PLAIN(int, eventfd, "eventfd", -1, (unsigned count, int flags), (count, flags))
PLAIN(int, pipe2, "pipe2", -1, (int fds[2], int flags), (fds, flags))

PLAIN(int, pthread_create, "pthread_create", o.error,
      (pthread_t * thread, const pthread_attr_t *attr, void *(*f)(void *), void *arg),
      (thread, attr, f, arg))

static int mode_of(int flags, va_list arguments)
{
    return flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE ? va_arg(arguments, int)
                                                               : 0;
}

#define OPENING(name, parameters, arguments)                                           \
    int name parameters                                                                \
    {                                                                                  \
        va_list rest;                                                                  \
        va_start(rest, flags);                                                         \
        int mode = mode_of(flags, rest);                                               \
        va_end(rest);                                                                  \
        NEXT(name);                                                                    \
        FAIL("open", -1, -1)                                                           \
        return next arguments;                                                         \
    }

OPENING(open, (const char *path, int flags, ...), (path, flags, mode))
OPENING(open64, (const char *path, int flags, ...), (path, flags, mode))
OPENING(openat, (int fd, const char *path, int flags, ...), (fd, path, flags, mode))

/* Of the raw system calls openat2() alone is of interest: it has no function yet. */
long syscall(long number, ...)
{
    long a[6];
    va_list rest;

    va_start(rest, number);
    for (int i = 0; i < 6; i++)
        a[i] = va_arg(rest, long);
    va_end(rest);
    NEXT(syscall);
    if (number == SYS_openat2) {
        FAIL("openat2", -1, -1)
    }
    return next(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

int fcntl(int fd, int command, ...)
{
    va_list rest;

    va_start(rest, command);

    long argument = va_arg(rest, long);

    va_end(rest);
    NEXT(fcntl);
    FAIL("fcntl", -1, -1)
    return next(fd, command, argument);
}

/* The descriptor is gone all the same, as it is on Linux. */
int close(int fd)
{
    NEXT(close);

    int rc = next(fd);

    FAIL("close", fd, -1)
    return rc;
}

/* ---- calls that may move fewer bytes ------------------------------------------------ */

#define MOVING(name, site, parameters, arguments)                                      \
    ssize_t name parameters                                                            \
    {                                                                                  \
        NEXT(name);                                                                    \
        FAIL(site, fd, -1)                                                             \
        n = at_most(n, &o);                                                            \
        return next arguments;                                                         \
    }

MOVING(read, "read", (int fd, void *to, size_t n), (fd, to, n))
MOVING(pread, "pread", (int fd, void *to, size_t n, off_t at), (fd, to, n, at))
MOVING(pread64, "pread", (int fd, void *to, size_t n, off64_t at), (fd, to, n, at))
MOVING(recv, "recv", (int fd, void *to, size_t n, int flags), (fd, to, n, flags))
MOVING(write, "write", (int fd, const void *p, size_t n), (fd, p, n))
MOVING(send, "send", (int fd, const void *p, size_t n, int flags), (fd, p, n, flags))
MOVING(sendto, "sendto",
       (int fd, const void *p, size_t n, int flags, const struct sockaddr *sa,
        socklen_t len),
       (fd, p, n, flags, sa, len))

/* The first bytes of a list of pieces; returns how many pieces that are. */
static int cut(struct iovec out[], const struct iovec *iov, int count,
               const struct outcome *o)
{
    uint64_t left = o->bytes >= 0 ? (uint64_t)o->bytes : UINT64_MAX;
    int n = 0;

    while (n < count && n < IOV_MAX_HERE && left > 0) {
        out[n] = iov[n];
        if (out[n].iov_len > left)
            out[n].iov_len = left;
        left -= out[n++].iov_len;
    }
    return n;
}

#define MOVING_PIECES(name, site)                                                      \
    ssize_t name(int fd, const struct iovec *iov, int count)                           \
    {                                                                                  \
        struct iovec few[IOV_MAX_HERE];                                                \
        NEXT(name);                                                                    \
        FAIL(site, fd, -1)                                                             \
        if (o.bytes < 0)                                                               \
            return next(fd, iov, count);                                               \
        return next(fd, few, cut(few, iov, count, &o));                                \
    }

MOVING_PIECES(readv, "readv")
MOVING_PIECES(writev, "writev")

ssize_t recvmsg(int fd, struct msghdr *m, int flags)
{
    NEXT(recvmsg);
    FAIL("recvmsg", fd, -1)
    return next(fd, m, flags);
}

ssize_t sendmsg(int fd, const struct msghdr *m, int flags)
{
    NEXT(sendmsg);
    FAIL("sendmsg", fd, -1)
    return next(fd, m, flags);
}

/* Fewer events at once is what the bytes are here. */
int epoll_wait(int ep, struct epoll_event *events, int max, int timeout)
{
    NEXT(epoll_wait);
    FAIL("epoll_wait", -1, -1)
    return next(ep, events, (int)at_most((size_t)max, &o), timeout);
}

int epoll_pwait(int ep, struct epoll_event *events, int max, int timeout,
                const sigset_t *signals)
{
    NEXT(epoll_pwait);
    FAIL("epoll_wait", -1, -1)
    return next(ep, events, (int)at_most((size_t)max, &o), timeout, signals);
}

/* ---- time --------------------------------------------------------------------------- */

int clock_gettime(clockid_t clock, struct timespec *now)
{
    NEXT(clock_gettime);

    int rc = next(clock, now);

    if (rc == 0 && control && control->clock_ns &&
        (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
        int64_t ns = now->tv_sec * INT64_C(1000000000) + now->tv_nsec;

        ns += control->clock_ns;
        now->tv_sec = ns / 1000000000;
        now->tv_nsec = ns % 1000000000;
    }
    return rc;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    struct timespec t;

    (void)zone;
    if (clock_gettime(CLOCK_REALTIME, &t) < 0)
        return -1;
    now->tv_sec = t.tv_sec;
    now->tv_usec = t.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *out)
{
    struct timespec t = { 0 };

    clock_gettime(CLOCK_REALTIME, &t);
    if (out)
        *out = t.tv_sec;
    return t.tv_sec;
}

/* ---- memory ------------------------------------------------------------------------- */

/* The C library's own, under the names that are no definition of ours. */
void *__libc_malloc(size_t n);
void *__libc_calloc(size_t count, size_t n);
void *__libc_realloc(void *p, size_t n);
void *__libc_memalign(size_t align, size_t n);

void *malloc(size_t n)
{
    FAIL("malloc", -1, NULL)
    return __libc_malloc(n);
}

void *calloc(size_t count, size_t n)
{
    FAIL("calloc", -1, NULL)
    return __libc_calloc(count, n);
}

void *realloc(void *p, size_t n)
{
    FAIL("realloc", -1, NULL)
    return __libc_realloc(p, n);
}

void *memalign(size_t align, size_t n)
{
    FAIL("memalign", -1, NULL)
    return __libc_memalign(align, n);
}

void *aligned_alloc(size_t align, size_t n)
{
    FAIL("memalign", -1, NULL)
    return __libc_memalign(align, n);
}

int posix_memalign(void **out, size_t align, size_t n)
{
    FAIL("memalign", -1, o.error)
    *out = __libc_memalign(align, n);
    return *out ? 0 : ENOMEM;
}

/* NOLINTEND(readability-inconsistent-declaration-parameter-name) */
