/*
 * usage.h - time that was used on cores: from a counter to what came between two readings.
 */
#ifndef SERVER_POWER_USAGE_H
#define SERVER_POWER_USAGE_H

#include <stdbool.h>
#include <stdint.h>

struct usage {
    const char *scope; /* host, cgroup, process */
    /* Counts ns. 0; a negative errno: not known at this moment. */
    int (*read)(void *source, uint64_t *ns);
    void *source;
    bool has_last, said;
    uint64_t last;
    double cores;   /* mean between the last two readings; NaN: not known */
    double total_s; /* core-seconds since the first reading */
    uint64_t errors;
};

void usage_init(struct usage *u, const char *scope,
                int (*read)(void *source, uint64_t *ns), void *source);

/* Core-seconds since the last reading, span_s ago (NaN: that is no base); NaN: not
 * known. */
double usage_read(struct usage *u, double span_s);

/* ns from what the kernel counts in ticks of sysconf(_SC_CLK_TCK). */
uint64_t usage_ticks_ns(uint64_t ticks);

/*
 * Of the whole machine: user, nice, system, irq and softirq of the first line of
 * PROCFS/stat (proc(5); guests are part of user, and stolen time is not used here).
 */
struct host_usage {
    const char *procfs; /* borrowed; NULL: none is read */
    int fd;             /* -1: not open at this moment */
};

/* 0 or a negative errno. One that may pass (opener_passes()) leaves it as one that is read
 * from then on; after others none is. */
int host_usage_open(struct host_usage *h, const char *procfs);
void host_usage_close(struct host_usage *h);
int host_usage_read(void *host_usage, uint64_t *ns);

/* Cores that are online, by SYSFS/devices/system/cpu/online; NaN: it does not tell. */
double host_cores(const char *sysfs);

#endif
