/*
 * child.h - the command as a child: its signals, its end, its CPU time.
 *
 * It keeps our terminal, process group, descriptors and dispositions of signals, so that it
 * runs as without us. Signals that somebody sends to us alone are passed on; those of the
 * terminal reach the whole group by themselves.
 */
#ifndef SERVER_RECORD_CHILD_H
#define SERVER_RECORD_CHILD_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

struct child {
    pid_t pid;
    bool gone;       /* it has ended, with: */
    int status;      /* as wait(2) tells it */
    double waited_s; /* core-seconds of all that has ended, wait4(2) */
    int signals;     /* signalfd(2) */
    sigset_t before; /* mask and disposition that we were started with */
    struct sigaction before_child;
};

/*
 * Starts argv, found by PATH; keep: a descriptor that it inherits, or -1. 0, or a negative
 * errno of fork(2) or execvp(3): then nothing runs.
 */
int child_start(struct child *c, char *const argv[], int keep);

/* Waits until the child has ended, or for timeout_s. */
void child_wait(struct child *c, double timeout_s);

/* What a shell calls the end: the exit status, or 128 and the number of the signal. */
int child_status(const struct child *c);

/* Ends this process as the child ended; returns the status to exit with where that is no
 * signal, or cannot be one (the first process of a container). */
int child_end_alike(const struct child *c);

#endif
