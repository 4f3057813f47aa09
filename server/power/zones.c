#include "server/power/zones.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/log.h"
#include "server/power/kept.h"
#include "server/power/zones_find.h"

/* No zone uses more: such a step is a counter that was set back. Watts. */
static const double power_max_w = 10e3;

/* Every counter of a processor moves within this. */
static const double still_max_s = 0.5;

/* Problems of a zone that are no errno. */
enum { STANDS_STILL = -100000, NO_POWER };

/* Whether its file is read, and it is the number that cannot be. */
static bool is_read(const struct zone *z)
{
    return z->fd >= 0 &&
           (z->problem == 0 || z->problem == STANDS_STILL || z->problem == NO_POWER);
}

void zones_init(struct zones *z, const struct power_config *c)
{
    *z = (struct zones){ .c = c };
}

static void zone_close(struct zone *z)
{
    if (z->fd >= 0)
        close(z->fd);
    z->fd = -1;
    z->has_last = false;
}

static void zone_deinit(struct zone *z)
{
    zone_close(z);
    free(z->path);
}

void zones_deinit(struct zones *z)
{
    for (size_t i = 0; i < z->count; i++)
        zone_deinit(&z->all[i]);
    free(z->all);
    z->all = NULL;
    z->count = 0;
}

/* ---- which there are ------------------------------------------------------------------ */

/* Opens it, if need be, and reads it. */
static int value_of(struct zone *z, uint64_t *value)
{
    int fd = z->fd < 0 ? kept_open(z->path) : z->fd;

    if (fd < 0)
        return fd;
    z->fd = fd;
    return kept_value(fd, value);
}

/* Anew: its driver may have come back meanwhile. */
static void zone_open(struct zone *z)
{
    uint64_t value;

    zone_close(z);
    z->problem = value_of(z, &value);
}

static struct zone *known_as(const struct zones *z, const struct zone *found)
{
    for (size_t i = 0; i < z->count; i++)
        if (z->all[i].path && strcmp(z->all[i].path, found->path) == 0 &&
            strcmp(z->all[i].name, found->name) == 0)
            return &z->all[i];
    return NULL;
}

/* The zone in place of what was just found, if it is known already. */
static void take_over(struct zones *from, struct zone *found)
{
    struct zone *known = known_as(from, found);

    if (known) { /* the older path goes, and says by that that this one is moved */
        char *path = found->path;

        free(known->path);
        known->path = NULL;
        *found = *known;
        found->path = path;
        known->fd = -1;
    }
    if (!is_read(found))
        zone_open(found);
}

void zones_scan(struct zones *z)
{
    struct zones before = *z;
    struct zones_found found;
    size_t n = 0;

    zones_find(z->c, &found);
    z->failed = found.failed;
    if (found.failed < 0 && z->count > 0) {
        struct zones none = { .all = found.all, .count = found.count };

        zones_deinit(&none);
        return;
    }
    for (size_t i = 0; i < found.count; i++) {
        struct zone *next = &found.all[i];
        struct zone *last = n > 0 ? &found.all[n - 1] : NULL;
        bool again = last && strcmp(last->name, next->name) == 0;

        if (again && is_read(last)) { /* the same counter, seen elsewhere */
            free(next->path);
            continue;
        }
        take_over(&before, next);
        if (again && !is_read(next)) {
            zone_deinit(next);
            continue;
        }
        if (again)
            zone_deinit(&found.all[--n]);
        found.all[n++] = *next;
    }
    for (size_t i = 0; i < before.count; i++)
        if (before.all[i].path && before.all[i].counts)
            log_line(LOG_INFO, "counter of energy is gone", "zone", before.all[i].name,
                     NULL);
    zones_deinit(&before);
    z->all = found.all;
    z->count = n;
    z->hidden = found.hidden;
}

unsigned zones_missing(const struct zones *z)
{
    unsigned missing = z->c->zones;

    for (size_t i = 0; i < z->count; i++)
        missing &= ~z->all[i].kind;
    return missing;
}

const struct zone *zones_unreadable(const struct zones *z)
{
    for (size_t i = 0; i < z->count; i++)
        if (z->all[i].counts && !is_read(&z->all[i]))
            return &z->all[i];
    return NULL;
}

size_t zones_counting(const struct zones *z)
{
    size_t n = 0;

    for (size_t i = 0; i < z->count; i++)
        n += z->all[i].counts;
    return n;
}

/* ---- reading -------------------------------------------------------------------------- */

bool zone_delta(uint64_t before_uj, uint64_t after_uj, uint64_t range_uj,
                uint64_t *delta_uj)
{
    if (after_uj < before_uj && before_uj > range_uj)
        return false;
    *delta_uj =
        after_uj >= before_uj ? after_uj - before_uj : range_uj - before_uj + after_uj;
    return true;
}

/* Joules since the last reading, which is span_s ago. */
static int zone_used(const struct zone *z, uint64_t now, double span_s, double *joules)
{
    uint64_t delta;

    if (z->is_power) { /* the straight line between both */
        *joules = ((double)z->last + (double)now) / 2e6 * span_s;
    } else {
        if (!zone_delta(z->last, now, z->range_uj, &delta))
            return NO_POWER;
        if (delta == 0 && z->kind != 1U << ZONE_GPU && span_s >= still_max_s)
            return STANDS_STILL;
        *joules = (double)delta / 1e6;
    }
    return *joules > power_max_w * span_s ? NO_POWER : 0;
}

static const char *why(int problem)
{
    switch (problem) {
    case STANDS_STILL:
        return "the counter stands still";
    case NO_POWER:
        return "the counter was set back";
    default:
        return strerror(-problem);
    }
}

static void tell(struct zone *z)
{
    if (z->problem < 0 && !z->said)
        log_line(LOG_WARN, "counter of energy is not read", "zone", z->name, "file",
                 z->path, "reason", why(z->problem), NULL);
    else if (z->problem == 0 && z->said)
        log_line(LOG_INFO, "counter of energy is read again", "zone", z->name, NULL);
    z->said = z->problem < 0;
}

/* Joules; NaN: not known. */
static double zone_read(struct zone *z, double span_s)
{
    double joules = NAN;
    uint64_t now = 0;

    z->problem = value_of(z, &now);
    if (z->problem == 0 && z->has_last && !isnan(span_s))
        z->problem = zone_used(z, now, span_s, &joules);
    if (z->problem < 0) {
        z->errors++;
        joules = NAN;
    }
    z->has_last = is_read(z);
    z->last = now;
    z->power_w = joules / span_s;
    if (!isnan(joules))
        z->energy_j += joules;
    tell(z);
    return joules;
}

double zones_read(struct zones *z, double span_s, bool *failed)
{
    double sum = zones_counting(z) > 0 ? 0 : NAN;

    *failed = z->failed < 0;
    for (size_t i = 0; i < z->count; i++) {
        double joules = zone_read(&z->all[i], span_s);

        if (!is_read(&z->all[i]))
            *failed = true;
        if (z->all[i].counts)
            sum += joules; /* NaN makes all of it unknown */
    }
    return sum;
}
