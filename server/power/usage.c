#include "server/power/usage.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "server/log.h"
#include "server/power/kept.h"
#include "server/sources/opener.h"

void usage_init(struct usage *u, const char *scope,
                int (*read)(void *source, uint64_t *ns), void *source)
{
    *u = (struct usage){ .scope = scope, .read = read, .source = source, .cores = NAN };
}

static void tell(struct usage *u, int rc)
{
    if (rc < 0 && !u->said)
        log_line(LOG_WARN, "use of cores is not read", "of", u->scope, "reason",
                 strerror(-rc), NULL);
    else if (rc == 0 && u->said)
        log_line(LOG_INFO, "use of cores is read again", "of", u->scope, NULL);
    u->said = rc < 0;
}

double usage_read(struct usage *u, double span_s)
{
    double used_s = NAN;
    uint64_t now = 0;
    int rc = u->read(u->source, &now);

    if (rc < 0)
        u->errors++;
    else if (u->has_last && now >= u->last && !isnan(span_s))
        used_s = (double)(now - u->last) / 1e9;
    u->has_last = rc == 0;
    u->last = now;
    u->cores = used_s / span_s;
    if (!isnan(used_s))
        u->total_s += used_s;
    tell(u, rc);
    return used_s;
}

uint64_t usage_ticks_ns(uint64_t ticks)
{
    return ticks * (UINT64_C(1000000000) / (uint64_t)sysconf(_SC_CLK_TCK));
}

/* ---- the machine ---------------------------------------------------------------------- */

static int open_stat(struct host_usage *h)
{
    char path[PATH_MAX];

    snprintf(path, sizeof path, "%s/stat", h->procfs);
    h->fd = kept_open(path);
    return h->fd < 0 ? h->fd : 0;
}

int host_usage_open(struct host_usage *h, const char *procfs)
{
    uint64_t ns;
    int rc;

    *h = (struct host_usage){ .procfs = procfs, .fd = -1 };
    rc = host_usage_read(h, &ns);
    if (rc < 0)
        host_usage_close(h);
    if (opener_passes(rc))
        h->procfs = procfs;
    return rc;
}

void host_usage_close(struct host_usage *h)
{
    if (h->fd >= 0)
        close(h->fd);
    *h = (struct host_usage){ .fd = -1 };
}

int host_usage_read(void *host_usage, uint64_t *ns)
{
    enum { USER, NICE, SYSTEM, IDLE, IOWAIT, IRQ, SOFTIRQ, FIELDS };
    struct host_usage *h = host_usage;
    char text[KEPT_MAX];
    uint64_t n[FIELDS];
    struct view v;
    int rc = h->fd < 0 ? open_stat(h) : 0;

    if (rc == 0)
        rc = kept_read(h->fd, text, &v);
    if (rc < 0)
        return rc;
    if (!view_starts(v, VIEW("cpu ")))
        return -EINVAL;
    v = view_skip(v, strlen("cpu "));
    for (int i = 0; i < FIELDS; i++)
        if (!kept_number(&v, &n[i]))
            return -EINVAL;
    *ns = usage_ticks_ns(n[USER] + n[NICE] + n[SYSTEM] + n[IRQ] + n[SOFTIRQ]);
    return 0;
}

/* Of a list like 0-3,8; NaN: it is none. */
static double count_list(struct view list)
{
    struct view range;
    double count = 0;

    while (view_split(&list, ',', &range)) {
        uint64_t first, last;

        if (!kept_number(&range, &first))
            return NAN;
        last = first;
        if (range.n > 0) {
            range = view_skip(range, 1);
            if (!kept_number(&range, &last) || range.n > 0 || last < first)
                return NAN;
        }
        count += (double)(last - first + 1);
    }
    return count;
}

double host_cores(const char *sysfs)
{
    char path[PATH_MAX], text[KEPT_MAX];
    struct view list;

    snprintf(path, sizeof path, "%s/devices/system/cpu/online", sysfs);
    return kept_once(path, text, &list) == 0 ? count_list(list) : NAN;
}
