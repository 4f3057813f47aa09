/*
 * worker.c - fork, execve, and an end that is told by SIGCHLD.
 *
 * uv_spawn() has no room for what is to happen between fork and exec (the signal that comes
 * when we die, limits, priority), so that is done here, with nothing but calls that are safe
 * in the child of a process with threads. This process has no other children.
 */
#include "server/compute/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/mem.h"
#include "server/log.h"

enum {
    PIECE_BYTES = 64 * 1024,
    GIVEN_MAX = WORKER_FILES_MAX + WORKER_PIPES_MAX + 3,
    ABOVE = 32,       /* descriptors from here on are nobody's number in the child */
    LOWEST = 19,      /* priority */
    LINGER_MS = 1000, /* for pipes that somebody holds after its end */
    ERRORS_MAX =
        256 * 1024 * 1024, /* bytes: some hours of frames that are all broken */
};

#define NS_PER_S 1e9

struct channel { /* the end of a pipe that is read */
    uv_pipe_t handle;
    struct worker *c;
    struct worker_pipe pipe; /* bytes NULL: standard error */
    uint64_t got;
    bool open;
};

struct worker {
    uv_signal_t chld;
    uv_timer_t timer;
    struct channel channels[WORKER_PIPES_MAX + 1];
    size_t channel_count, open; /* of channels: those that have not ended */
    unsigned handles;           /* that are not closed yet */
    pid_t pid;
    bool gone, closing;
    uint64_t began_ns;
    struct worker_end end;
    char line[WORKER_SAID_MAX]; /* of standard error, as it comes */
    size_t line_n;
    void (*ended)(void *ctx, const struct worker_end *end);
    void *ctx;
    char piece[PIECE_BYTES];
};

/* ---- in the child, before it is another program ------------------------------------------ */

struct given {
    int fd, as;
};

struct becoming {
    const char *program;
    char *const *argv, *const *env;
    struct given given[GIVEN_MAX];
    size_t count;
    pid_t parent;
};

static void write_all(int fd, const char *text)
{
    ssize_t n = write(fd, text, strlen(text));

    (void)n; /* nobody is left to be told */
}

static void limit(int resource)
{
    const struct rlimit none = { 0, 0 };

    setrlimit(resource, &none);
}

static void be_modest(void)
{
    int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

    if (fd >= 0) {
        write_all(fd, "1000");
        close(fd);
    }
    setpriority(PRIO_PROCESS, 0, LOWEST);
    limit(RLIMIT_CORE);
    limit(RLIMIT_FSIZE);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

/* All that it is given moves out of the way first; what else it has there is not for it: a
 * supervisor may have left us its own. */
static bool place(struct given *given, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        given[i].fd = fcntl(given[i].fd, F_DUPFD_CLOEXEC, ABOVE);
        if (given[i].fd < 0)
            return false;
    }
    for (int fd = WORKER_FILE_FD; fd < ABOVE; fd++)
        close(fd);
    for (size_t i = 0; i < count; i++)
        if (dup2(given[i].fd, given[i].as) < 0) /* without close-on-exec */
            return false;
    return true;
}

static void reset_signals(void)
{
    sigset_t none;

    for (int i = 1; i < NSIG; i++)
        signal(i, SIG_DFL); /* fails where that cannot be set */
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static _Noreturn void become(struct becoming *b)
{
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (getppid() != b->parent) /* it died before */
        _exit(126);
    reset_signals();
    be_modest();
    if (place(b->given, b->count)) {
        close_range(ABOVE, ~0U, 0);
        execve(b->program, b->argv, b->env);
    }
    write_all(STDERR_FILENO, strerror(errno));
    write_all(STDERR_FILENO, "\n");
    _exit(127);
}

/* ---- the end ------------------------------------------------------------------------------ */

static void on_closed(uv_handle_t *handle)
{
    struct worker *c = handle->data;

    c->handles--;
    if (c->handles > 0)
        return;
    c->ended(c->ctx, &c->end);
    free(c);
}

static void close_channel(struct channel *ch)
{
    if (!ch->open)
        return;
    ch->open = false;
    ch->c->open--;
    ch->handle.data = ch->c; /* for on_closed() */
    uv_close((uv_handle_t *)&ch->handle, on_closed);
}

static void keep_line(struct worker *c)
{
    if (c->line_n == 0)
        return;
    memcpy(c->end.said, c->line, c->line_n);
    c->end.said[c->line_n] = '\0';
    c->line_n = 0;
}

/* When it has ended and all it wrote was read. */
static void settle(struct worker *c)
{
    if (!c->gone || c->open > 0 || c->closing)
        return;
    c->closing = true;
    keep_line(c);
    uv_close((uv_handle_t *)&c->chld, on_closed);
    uv_close((uv_handle_t *)&c->timer, on_closed);
}

static void end_it(struct worker *c, enum worker_fate fate)
{
    if (c->gone)
        return;
    if (c->end.fate == WORKER_EXITED)
        c->end.fate = fate;
    kill(-c->pid, SIGKILL);
    kill(c->pid, SIGKILL); /* it may not have its group yet */
}

static void on_late(uv_timer_t *timer)
{
    struct worker *c = timer->data;

    if (!c->gone) {
        end_it(c, WORKER_TIMEOUT);
        return;
    }
    for (size_t i = 0; i < c->channel_count; i++)
        close_channel(&c->channels[i]);
    settle(c);
}

static void on_sigchld(uv_signal_t *handle, int number)
{
    struct worker *c = handle->data;
    siginfo_t info = { 0 };

    (void)number;
    if (c->gone ||
        waitid(P_PID, (id_t)c->pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0 ||
        info.si_pid == 0)
        return;
    kill(-c->pid, SIGKILL); /* what it left behind; its number is still its own */
    if (waitpid(c->pid, &c->end.status, 0) < 0)
        return;
    c->gone = true;
    c->end.took_s = (double)(uv_hrtime() - c->began_ns) / NS_PER_S;
    uv_timer_start(&c->timer, on_late, LINGER_MS, 0);
    settle(c);
}

/* ---- what it writes --------------------------------------------------------------------------- */

/* The last line that holds anything. */
static void hear(struct worker *c, struct view bytes)
{
    for (size_t i = 0; i < bytes.n; i++) {
        if (bytes.p[i] == '\n' || bytes.p[i] == '\r')
            keep_line(c);
        else if (c->line_n + 1 < sizeof c->line)
            c->line[c->line_n++] = bytes.p[i] ? bytes.p[i] : ' ';
    }
}

static void on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
    struct channel *ch = handle->data;

    (void)suggested;
    *out = uv_buf_init(ch->c->piece, PIECE_BYTES);
}

static void on_bytes(uv_stream_t *stream, ssize_t n, const uv_buf_t *room)
{
    struct channel *ch = stream->data;
    struct worker *c = ch->c;

    if (n < 0) {
        close_channel(ch);
        settle(c);
        return;
    }
    ch->got += (uint64_t)n;
    if (ch->got > ch->pipe.max_bytes)
        end_it(c, WORKER_OVERFLOW);
    else if (!ch->pipe.bytes)
        hear(c, (struct view){ room->base, (size_t)n });
    else
        ch->pipe.bytes(ch->pipe.ctx, (struct view){ room->base, (size_t)n });
}

/* ---- the beginning ------------------------------------------------------------------------------ */

static void add_given(struct becoming *b, int fd, int as)
{
    b->given[b->count++] = (struct given){ fd, as };
}

/* One more pipe; its end for the child goes to b. */
static int open_channel(struct worker *c, const struct worker_pipe *p,
                        struct becoming *b)
{
    struct channel *ch = &c->channels[c->channel_count];
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    add_given(b, ends[1], p->fd);
    ch->c = c;
    ch->pipe = *p;
    uv_pipe_init(c->chld.loop, &ch->handle, 0);
    ch->handle.data = ch;
    uv_pipe_open(&ch->handle, ends[0]);
    ch->open = true;
    c->channel_count++;
    c->open++;
    c->handles++;
    return 0;
}

static int open_channels(struct worker *c, const struct worker_order *o,
                         struct becoming *b)
{
    static const struct worker_pipe errors = { .fd = STDERR_FILENO,
                                               .max_bytes = ERRORS_MAX };
    int rc = open_channel(c, &errors, b);

    for (size_t i = 0; i < o->pipe_count && rc == 0; i++)
        rc = open_channel(c, &o->pipes[i], b);
    return rc;
}

/* Known by now whether it may: the child itself has nobody to tell. */
static void say_priority(pid_t pid)
{
    static bool said;

    if (said || setpriority(PRIO_PROCESS, (id_t)pid, LOWEST) == 0 || errno == ESRCH)
        return;
    said = true;
    log_line(LOG_WARN, "measuring runs with the priority of this process", "reason",
             strerror(errno), "remedy",
             "allow the system call setpriority, see docs/compute.md", NULL);
}

static int start(struct worker *c, const struct worker_order *o, struct becoming *b)
{
    sigset_t all, before;

    /* No handler of ours may run in the child. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    c->began_ns = uv_hrtime();
    c->pid = fork();
    if (c->pid == 0)
        become(b);

    int rc = c->pid < 0 ? -errno : 0;

    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc < 0)
        return rc;
    setpgid(c->pid, c->pid); /* whoever comes first */
    say_priority(c->pid);
    uv_timer_start(&c->timer, on_late, o->limit_ms, 0);
    for (size_t i = 0; i < c->channel_count; i++)
        uv_read_start((uv_stream_t *)&c->channels[i].handle, on_room, on_bytes);
    return 0;
}

static void nobody(void *ctx, const struct worker_end *end)
{
    (void)ctx;
    (void)end;
}

/* Nothing runs: what was opened for it goes. */
static void give_up(struct worker *c)
{
    c->ended = nobody;
    c->gone = true;
    for (size_t i = 0; i < c->channel_count; i++)
        close_channel(&c->channels[i]);
    settle(c);
}

/* Variables of the child: copies, ended by NULL. */
static void make_environment(char path[], char libraries[], size_t size, char *env[4])
{
    const char *libs = getenv("LD_LIBRARY_PATH"), *dirs = getenv("PATH");
    static char plain[] = "LC_ALL=C";
    size_t n = 0;

    env[n++] = plain;
    if (dirs && (size_t)snprintf(path, size, "PATH=%s", dirs) < size)
        env[n++] = path;
    if (libs && (size_t)snprintf(libraries, size, "LD_LIBRARY_PATH=%s", libs) < size)
        env[n++] = libraries;
    env[n] = NULL;
}

struct worker *worker_start(const struct worker_order *o,
                            void (*ended)(void *ctx, const struct worker_end *end),
                            void *ctx, struct err *e)
{
    struct worker *c = mem_zalloc(sizeof *c);
    char path[4096], libraries[4096], *env[4];
    struct becoming b = { .program = o->program, .env = env, .parent = getpid() };
    int nothing = open("/dev/null", O_RDWR | O_CLOEXEC), rc;
    size_t fds;

    make_environment(path, libraries, sizeof path, env);
    memcpy(&b.argv, &o->argv, sizeof b.argv); /* execve() changes nothing */
    c->ended = ended;
    c->ctx = ctx;
    uv_signal_init(o->loop, &c->chld);
    uv_timer_init(o->loop, &c->timer);
    c->chld.data = c->timer.data = c;
    c->handles = 2;
    uv_signal_start(&c->chld, on_sigchld, SIGCHLD);
    add_given(&b, nothing, STDIN_FILENO);
    add_given(&b, nothing, STDOUT_FILENO);
    for (size_t i = 0; i < o->file_count; i++)
        add_given(&b, o->files[i], WORKER_FILE_FD + (int)i);
    fds = b.count;
    rc = nothing < 0 ? -errno : open_channels(c, o, &b);
    if (rc == 0)
        rc = start(c, o, &b);
    for (size_t i = fds; i < b.count; i++)
        close(b.given[i].fd);
    if (nothing >= 0)
        close(nothing);
    if (rc == 0)
        return c;
    err_set(e, rc, "it cannot be started: %s", strerror(-rc));
    give_up(c);
    return NULL;
}

void worker_stop(struct worker *c)
{
    end_it(c, WORKER_STOPPED);
}
