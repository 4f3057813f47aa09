/*
 * processes.h - time that all processes of a name have used on cores, but for those that this
 * process started: they are no encodes.
 *
 * The sum only grows: what a process used stays counted when it ends, but for what it
 * used after the last reading, which nobody tells. One that began since the last reading
 * counts from its beginning; one that has the name since later, or was there before the
 * first reading, from when it was found.
 */
#ifndef SERVER_POWER_PROCESSES_H
#define SERVER_POWER_PROCESSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/view.h"

struct process {
    int pid;
    bool ours;     /* it has the name */
    uint8_t young; /* readings for which it may still be about to take the name */
    uint64_t start, ticks; /* when it was looked at: fields 22 and 14 + 15, proc(5) */
};

struct processes {
    const char *procfs, *name; /* borrowed; compared by the 15 bytes the kernel keeps */
    uint64_t self;             /* our number in that tree; 0: we are not in it */
    struct process *all;       /* by pid */
    size_t count, cap;
    size_t again; /* where to look next for those that took the name later */
    bool any;     /* one of that name was ever there */
    bool listed;  /* all holds the last reading */
    uint64_t ticks;
};

/* A negative errno and e: processes cannot be listed. */
int processes_open(struct processes *p, const char *procfs, const char *name,
                   struct err *e);
void processes_close(struct processes *p);

/* For struct usage. */
int processes_read(void *processes, uint64_t *ns);

#endif
