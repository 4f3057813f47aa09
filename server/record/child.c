#include "server/record/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

static const int passed_on[] = { SIGHUP,  SIGINT,  SIGQUIT, SIGTERM,
                                 SIGUSR1, SIGUSR2, SIGTSTP, SIGCONT };

static void block_signals(struct child *c)
{
    struct sigaction act = { .sa_handler = SIG_DFL };
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    for (size_t i = 0; i < sizeof passed_on / sizeof *passed_on; i++)
        sigaddset(&set, passed_on[i]);
    sigprocmask(SIG_BLOCK, &set, &c->before);
    /* Where it is ignored, the kernel would wait for children in our place. */
    sigaction(SIGCHLD, &act, &c->before_child);
    c->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void unblock_signals(struct child *c)
{
    sigaction(SIGCHLD, &c->before_child, NULL);
    sigprocmask(SIG_SETMASK, &c->before, NULL);
}

/* In the child; report is closed by a successful exec. */
static _Noreturn void become(struct child *c, char *const argv[], int keep, int report)
{
    int failed;

    unblock_signals(c);
    if (keep >= 0)
        fcntl(keep, F_SETFD, 0);
    execvp(argv[0], argv);
    failed = errno;
    if (write(report, &failed, sizeof failed) < 0)
        _exit(126);
    _exit(127);
}

int child_start(struct child *c, char *const argv[], int keep)
{
    int report[2], failed = 0;
    ssize_t n;

    *c = (struct child){ .signals = -1 };
    if (pipe2(report, O_CLOEXEC) < 0)
        return -errno;
    block_signals(c);
    /* What the command leaves behind comes to us, and its time with it. */
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    c->pid = fork();
    if (c->pid == 0)
        become(c, argv, keep, report[1]);
    if (c->pid < 0)
        failed = errno;
    close(report[1]);
    do
        n = c->pid > 0 ? read(report[0], &failed, sizeof failed) : 0;
    while (n < 0 && errno == EINTR);
    close(report[0]);
    if (failed == 0)
        return 0;
    if (c->pid > 0)
        while (waitpid(c->pid, NULL, 0) < 0 && errno == EINTR)
            ;
    close(c->signals);
    unblock_signals(c);
    return -failed;
}

static double seconds(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec * 1e-6;
}

/* Everything that has ended, also what others left to us. */
static void reap(struct child *c)
{
    struct rusage usage;
    int status;
    pid_t pid;

    while ((pid = wait4(-1, &status, WNOHANG, &usage)) > 0) {
        c->waited_s += seconds(usage.ru_utime) + seconds(usage.ru_stime);
        if (pid == c->pid) {
            c->gone = true;
            c->status = status;
        }
    }
}

static void pass_on(const struct child *c, const struct signalfd_siginfo *info)
{
    /* The terminal's own (^C, ^Z, a lost line) reach every process of the group. */
    if (info->ssi_code != SI_KERNEL && !c->gone)
        kill(c->pid, (int)info->ssi_signo);
    if (info->ssi_signo == SIGTSTP)
        raise(SIGSTOP); /* until SIGCONT; shells wait for that */
}

void child_wait(struct child *c, double timeout_s)
{
    struct pollfd p = { .fd = c->signals, .events = POLLIN };
    struct signalfd_siginfo info;

    reap(c);
    if (c->gone)
        return;
    poll(&p, 1, timeout_s > 0 ? (int)(timeout_s * 1000) + 1 : 0);
    while (read(c->signals, &info, sizeof info) == (ssize_t)sizeof info)
        if (info.ssi_signo != SIGCHLD)
            pass_on(c, &info);
    reap(c);
}

int child_status(const struct child *c)
{
    return WIFSIGNALED(c->status) ? 128 + WTERMSIG(c->status) : WEXITSTATUS(c->status);
}

int child_end_alike(const struct child *c)
{
    const struct rlimit none = { 0, 0 };
    struct sigaction act = { .sa_handler = SIG_DFL };
    sigset_t set;

    if (WIFSIGNALED(c->status)) {
        int number = WTERMSIG(c->status);

        setrlimit(RLIMIT_CORE, &none); /* the child left one, if there is to be one */
        sigaction(number, &act, NULL);
        sigemptyset(&set);
        sigaddset(&set, number);
        raise(number);
        sigprocmask(SIG_UNBLOCK, &set, NULL);
    }
    return child_status(c);
}
