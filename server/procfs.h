/*
 * procfs.h - what the kernel knows of this process.
 *
 * Everything is NaN where it cannot be had.
 */
#ifndef SERVER_PROCFS_H
#define SERVER_PROCFS_H

#include "core/view.h"

struct procfs {
    double cpu_s;             /* user and system time, getrusage(2) */
    double resident_bytes;    /* field 24 of /proc/self/stat, proc(5) */
    double virtual_bytes;     /* field 23 */
    double start_unix_s;      /* boot time of /proc/stat + field 22 */
    double open_fds, max_fds; /* /proc/self/fd; RLIMIT_NOFILE, soft */
};

void procfs_read(struct procfs *out);

/* Fields 22 to 24 of a stat line as they stand: ticks, bytes, pages. False: no such. */
bool procfs_parse_stat(struct view line, double *start_ticks, double *virtual_bytes,
                       double *resident_pages);

/* Seconds of the btime line of /proc/stat, or NaN. */
double procfs_parse_boot(struct view text);

#endif
