/*
 * usage.h - CPU time of a process with all that it started.
 */
#ifndef SERVER_RECORD_USAGE_H
#define SERVER_RECORD_USAGE_H

#include "core/view.h"

#include <sys/types.h>

/*
 * Core-seconds of the living processes below root, with those of children that they have
 * waited for: utime, stime, cutime and cstime of /proc/PID/stat, proc(5), in steps of a clock
 * tick (10 ms). Threads count; root itself does not. 0 where the kernel lists no children
 * (CONFIG_PROC_CHILDREN).
 */
double usage_below(pid_t root);

/* Sum of the four fields of a stat line, in ticks. False: it is none. */
bool usage_parse(struct view line, double *ticks);

#endif
