/*
 * cgroup.h - time that a cgroup has used on cores, v2 or v1.
 */
#ifndef SERVER_POWER_CGROUP_H
#define SERVER_POWER_CGROUP_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"

struct cgroup {
    const char *root, *path; /* borrowed */
    int fd;                  /* -1: it is not there */
    bool v2;                 /* cpu.stat, else cpuacct.usage */
};

/*
 * path: a directory below root or by its full name, or the cgroup's name as in
 * /proc/PID/cgroup. Looked for as it is, below the controller cpuacct (v1), and below
 * unified (both versions side by side). A negative errno and e: there is none.
 */
int cgroup_open(struct cgroup *g, const char *root, const char *path, struct err *e);
void cgroup_close(struct cgroup *g);

/* For struct usage. One that was removed is looked for again. */
int cgroup_read(void *cgroup, uint64_t *ns);

#endif
