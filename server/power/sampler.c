/*
 * sampler.c - what is read, when, and what is made of two readings.
 *
 * All counters are read in one go. What lies between two readings counts when the clocks
 * agree on how long that was: not over a step of the wall clock, a suspension, or a minute
 * and more without a reading. It is a hole then, never a guess.
 */
#include "server/power/sampler.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <strings.h>
#include <time.h>

#include "core/mem.h"
#include "server/log.h"
#include "server/power/sampler_inner.h"
#include "server/sources/opener.h"

#define TOO_LONG_NS (60 * GRID_NS) /* holes up to this are bridged anyway */

/* Between reading one clock and the next the process may have to wait; beyond this a clock
 * was set. What is less makes one second a little long or short. */
#define CLOCKS_NS (50 * INT64_C(1000000))

/* Zones are looked for once a minute, and after one failed, not more often than this. */
#define SCAN_NS       (60 * GRID_NS)
#define SCAN_AGAIN_NS (2 * GRID_NS)

/* ---- a reading ------------------------------------------------------------------------ */

static bool differ(int64_t a_ns, int64_t b_ns)
{
    return llabs(a_ns - b_ns) > CLOCKS_NS;
}

/* Seconds since the last reading; NaN: it is no base. */
static double span(const struct sampler *s, const struct instant *now)
{
    int64_t ran_ns = now->running_ns - s->last.running_ns;

    if (!s->has_last || ran_ns <= 0 || ran_ns > TOO_LONG_NS ||
        differ(now->boot_ns - s->last.boot_ns, ran_ns))
        return NAN;
    return (double)ran_ns / 1e9;
}

/* Whether seconds of Unix time went by as they did by the other clock. */
static bool clock_held(const struct sampler *s, const struct instant *now)
{
    int64_t went_ns = now->unix_ns - s->last.unix_ns;

    return went_ns > 0 && !differ(went_ns, now->running_ns - s->last.running_ns);
}

static double estimate(struct sampler *s, double core_seconds, double span_s)
{
    double joules = s->c->model_idle_w * span_s + s->c->model_core_w * core_seconds;

    s->model_w = joules / span_s;
    if (!isnan(joules))
        s->model_j += joules;
    return joules;
}

static bool is_idle(const struct sampler *s)
{
    return s->basis == ENERGY_NONE && !s->named.scope;
}

/* It turned out that there are no counters. */
static void do_without(struct sampler *s)
{
    s->basis = isnan(s->c->model_idle_w) ? ENERGY_NONE : ENERGY_ESTIMATED;
    log_line(LOG_INFO, "this machine has no counter of energy", NULL);
    if (is_idle(s))
        host_usage_close(&s->host_source);
}

static void rescan(struct sampler *s, const struct instant *now, bool failed)
{
    int64_t since_ns = now->running_ns - s->scan_ns;
    size_t count = s->zones.count;

    if (s->basis != ENERGY_SAMPLER || since_ns < (failed ? SCAN_AGAIN_NS : SCAN_NS))
        return;
    s->scan_ns = now->running_ns;
    zones_scan(&s->zones);
    if (s->unsure && s->zones.failed == 0 && zones_counting(&s->zones) == 0)
        do_without(s);
    s->unsure = s->unsure && s->zones.failed < 0;
    if (s->zones.count != count)
        grid_apart(&s->power, now->unix_ns);
}

void sampler_read(struct sampler *s, const struct instant *now)
{
    double span_s = span(s, now), joules, core_seconds = NAN, host = NAN;
    int64_t cell = now->unix_ns / GRID_NS;
    bool failed = false;

    joules = zones_read(&s->zones, span_s, &failed);
    if (s->host_source.procfs)
        host = usage_read(&s->host, span_s);
    if (s->named.scope)
        core_seconds = usage_read(&s->named, span_s);
    if (s->basis == ENERGY_ESTIMATED)
        joules = estimate(s, host, span_s);
    s->cores.held_back = s->c->process && !s->processes.any;
    if (!isnan(span_s) && clock_held(s, now)) {
        grid_lay(&s->power, s->last.unix_ns, now->unix_ns, joules);
        grid_lay(&s->cores, s->last.unix_ns, now->unix_ns, core_seconds);
    } else {
        grid_break(&s->power, now->unix_ns);
        grid_break(&s->cores, now->unix_ns);
    }
    timeline_forget(&s->power.line, cell - SAMPLER_KEPT_S);
    timeline_forget(&s->cores.line, cell - SAMPLER_KEPT_S);
    if (s->has_last)
        s->until_s = (double)cell;
    s->last = *now;
    s->has_last = true;
    rescan(s, now, failed);
}

/* ---- when ----------------------------------------------------------------------------- */

static int64_t clock_ns(clockid_t clock)
{
    struct timespec t = { 0, 0 };

    clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * GRID_NS + t.tv_nsec;
}

static void on_timer(uv_timer_t *timer);

/* At the next second of the wall clock, so that readings fit the grid; not if that is too
 * near to measure anything. */
static void wait_for_next(struct sampler *s)
{
    int64_t into_ms = clock_ns(CLOCK_REALTIME) % GRID_NS / 1000000;
    uint64_t wait_ms = (uint64_t)(1000 - into_ms);

    if (wait_ms < 500)
        wait_ms += 1000;
    uv_update_time(s->timer.loop);
    uv_timer_start(&s->timer, on_timer, wait_ms, 0);
}

static void read_now(struct sampler *s)
{
    const struct instant now = { clock_ns(CLOCK_REALTIME), clock_ns(CLOCK_MONOTONIC),
                                 clock_ns(CLOCK_BOOTTIME) };

    sampler_read(s, &now);
}

static void on_timer(uv_timer_t *timer)
{
    struct sampler *s = timer->data;

    read_now(s);
    if (!is_idle(s))
        wait_for_next(s);
    if (s->sampled)
        s->sampled(s->ctx);
}

/* ---- what there is to read ------------------------------------------------------------ */

static void say_missing(const struct sampler *s)
{
    unsigned missing = zones_missing(&s->zones);

    for (int k = 0; k < ZONE_KINDS; k++)
        if (missing & 1U << k)
            log_line(LOG_WARN, "this machine has no such counter of energy", "zones",
                     zone_kind_names[k], "asked for by", "--power.zones", NULL);
}

static int say_shut(const struct zone *shut, struct err *e)
{
    const bool refused = shut->problem == -EACCES || shut->problem == -EPERM;

    return err_set(e, shut->problem, "%s: %s%s", shut->path, strerror(-shut->problem),
                   refused ? "; let the exporter read it: by chmod or a udev rule, by "
                             "CAP_DAC_READ_SEARCH, in a container by a mount of the "
                             "host's /sys (docs/power.md)"
                           : "");
}

/* What stands in the way of measuring power, and what to do about it; 0: nothing. */
static int find_power(struct sampler *s, struct err *e)
{
    const struct zones *z = &s->zones;
    const struct zone *shut;

    zones_scan(&s->zones);
    shut = zones_unreadable(z);
    if (shut)
        return say_shut(shut, e);
    if (z->failed < 0)
        return err_set(e, z->failed, "%s/class: %s", s->c->sysfs, strerror(-z->failed));
    if (zones_counting(z) > 0)
        return 0;
    if (z->hidden < 0)
        return err_set(
            e, z->hidden,
            "%s/class/powercap: zones are hidden (%s), as container runtimes "
            "do; mount the host's /sys and name it by --power.sysfs "
            "(docs/power.md)",
            s->c->sysfs, strerror(-z->hidden));
    return err_set(e, -ENODEV,
                   "%s/class/powercap and hwmon have no counter of energy for "
                   "--power.zones %s (a virtual machine has none)%s",
                   s->c->sysfs, s->c->zones_text,
                   isnan(s->c->model_idle_w)
                       ? "; give --power.model or --prometheus-url"
                       : "; --power.model estimates it");
}

static int start_power(struct sampler *s, struct err *e)
{
    const bool model = !isnan(s->c->model_idle_w);
    int rc = find_power(s, e), host;

    if (rc == 0) {
        s->basis = ENERGY_SAMPLER;
        say_missing(s);
        if (model)
            log_line(LOG_INFO, "--power.model is not used: power is measured", NULL);
        return 0;
    }
    if (s->c->mode == POWER_RAPL)
        return rc;
    log_line(rc == -ENODEV ? LOG_INFO : LOG_WARN,
             "power of this machine is not measured", "reason", e->text, NULL);
    if (opener_passes(rc)) { /* there may be counters: they are looked for again */
        s->basis = ENERGY_SAMPLER;
        s->unsure = true;
        return 0;
    }
    zones_deinit(&s->zones);
    if (!model)
        return 0;
    host = host_usage_open(&s->host_source, s->c->procfs);
    if (host < 0 && !opener_passes(host))
        return err_set(e, host, "--power.model: %s/stat: %s", s->c->procfs,
                       strerror(-host));
    s->basis = ENERGY_ESTIMATED;
    return 0;
}

static int start_named(struct sampler *s, struct err *e)
{
    int rc = 0;

    if (s->c->cgroup) {
        rc = cgroup_open(&s->cgroup, s->c->cgroupfs, s->c->cgroup, e);
        usage_init(&s->named, "cgroup", cgroup_read, &s->cgroup);
    } else if (s->c->process) {
        rc = processes_open(&s->processes, s->c->procfs, s->c->process, e);
        usage_init(&s->named, "process", processes_read, &s->processes);
    }
    return rc;
}

static void sampler_free(struct sampler *s)
{
    zones_deinit(&s->zones);
    host_usage_close(&s->host_source);
    cgroup_close(&s->cgroup);
    processes_close(&s->processes);
    grid_deinit(&s->power);
    grid_deinit(&s->cores);
    free(s);
}

static struct sampler *sampler_make(const struct power_config *c)
{
    struct sampler *s = mem_zalloc(sizeof *s);
    size_t size = sizeof s->host_name;

    s->c = c;
    s->model_w = s->until_s = NAN;
    s->host_source.fd = s->cgroup.fd = -1;
    uv_os_gethostname(s->host_name, &size); /* without one no host is here */
    zones_init(&s->zones, c);
    usage_init(&s->host, "host", host_usage_read, &s->host_source);
    grid_init(&s->power);
    grid_init(&s->cores);
    return s;
}

int sampler_new(uv_loop_t *loop, const struct config *c, struct self *self,
                void (*sampled)(void *ctx), void *ctx, struct sampler **out,
                struct err *e)
{
    *out = NULL;
    if (c->power.mode == POWER_OFF)
        return 0;

    struct sampler *s = sampler_make(&c->power);
    int rc = start_power(s, e);

    if (rc == 0)
        rc = start_named(s, e);
    if (rc < 0 || is_idle(s)) {
        sampler_free(s);
        return rc;
    }
    if (s->basis != ENERGY_ESTIMATED)
        host_usage_open(&s->host_source, c->power.procfs); /* good to have */
    s->sampled = sampled;
    s->ctx = ctx;
    s->host_cores = host_cores(c->power.sysfs);
    sampler_tell(s, self);
    uv_timer_init(loop, &s->timer);
    s->timer.data = s;
    read_now(s);
    s->scan_ns = s->last.running_ns;
    wait_for_next(s);
    *out = s;
    return 0;
}

static void on_closed(uv_handle_t *timer)
{
    sampler_free(timer->data);
}

void sampler_stop(struct sampler *s)
{
    if (s)
        uv_close((uv_handle_t *)&s->timer, on_closed);
}

/* ---- what is known -------------------------------------------------------------------- */

const struct timeline *sampler_power(const struct sampler *s)
{
    return s->basis == ENERGY_NONE ? NULL : &s->power.line;
}

const struct timeline *sampler_cores(const struct sampler *s)
{
    return s->named.scope ? &s->cores.line : NULL;
}

enum energy_basis sampler_basis(const struct sampler *s)
{
    return s->basis;
}

double sampler_host_cores(const struct sampler *s)
{
    return s->host_cores;
}

double sampler_until(const struct sampler *s)
{
    return s->until_s;
}

static bool is_name(struct view host, const char *name)
{
    return name && *name && strlen(name) == host.n &&
           strncasecmp(name, host.p, host.n) == 0;
}

bool sampler_is_here(const struct sampler *s, struct view host)
{
    const char *name = s->host_name;
    struct view rest = view_of(name), first, host_first;

    if (host.n == 0 || is_name(host, name) || is_name(host, "localhost") ||
        is_name(host, getenv("HOSTNAME")) || is_name(host, getenv("NODE_NAME")))
        return true;

    /* One of them may have its domain where the other has none. */
    view_split(&rest, '.', &first);
    view_split(&host, '.', &host_first);
    return !rest.p != !host.p && view_eq(first, host_first);
}
