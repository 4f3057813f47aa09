/*
 * power_tree.h - a tree of sysfs, procfs and cgroupfs that a test drives.
 */
#ifndef TESTS_UNIT_POWER_TREE_H
#define TESTS_UNIT_POWER_TREE_H

#include <inttypes.h>

#include "core/option.h"
#include "scratch.h"
#include "server/log.h"
#include "server/power/power_config.h"

/* Makes directory and file; what is there is written in place, as the kernel's change. */
static inline void tree_put(const char *name, const char *text)
{
    char path[PATH_MAX];

    snprintf(path, sizeof path, "%s", scratch_path(name));
    for (char *p = path + strlen(scratch) + 1; (p = strchr(p, '/')); p++) {
        *p = '\0';
        mkdir(path, 0755);
        *p = '/';
    }
    scratch_write(name, text);
}

static inline void tree_number(const char *name, uint64_t n)
{
    char text[32];

    snprintf(text, sizeof text, "%" PRIu64 "\n", n);
    tree_put(name, text);
}

static inline void tree_remove(const char *name)
{
    assert_int_equal(nftw(scratch_path(name), scratch_remove, 16, FTW_DEPTH | FTW_PHYS),
                     0);
}

/* sys/class/powercap/ENTRY: a zone of RAPL. */
static inline void tree_zone(const char *entry, const char *name, uint64_t energy_uj,
                             uint64_t range_uj)
{
    char path[PATH_MAX];

    snprintf(path, sizeof path, "sys/class/powercap/%s/name", entry);
    tree_put(path, name);
    snprintf(path, sizeof path, "sys/class/powercap/%s/max_energy_range_uj", entry);
    tree_number(path, range_uj);
    snprintf(path, sizeof path, "sys/class/powercap/%s/energy_uj", entry);
    tree_number(path, energy_uj);
}

static inline void tree_energy(const char *entry, uint64_t energy_uj)
{
    char path[PATH_MAX];

    snprintf(path, sizeof path, "sys/class/powercap/%s/energy_uj", entry);
    tree_number(path, energy_uj);
}

/* Time that is not used (idle, iowait, steal) and that is in user already (guests) moves,
 * too. */
static inline void tree_core_ticks(uint64_t user)
{
    char text[256];

    snprintf(text, sizeof text,
             "cpu  %" PRIu64 " 10 20 %" PRIu64 " %" PRIu64 " 3 7 %" PRIu64 " %" PRIu64
             " 70\ncpu0 1 2 3\ncpu1 1 2 3\nintr 5\n",
             user, 7 * user, 5 * user, 3 * user, user / 2);
    tree_put("proc/stat", text);
}

static inline void tree_process(int pid, const char *name, uint64_t start,
                                uint64_t user, uint64_t system)
{
    char path[64], text[512];

    snprintf(path, sizeof path, "proc/%d/stat", pid);
    snprintf(text, sizeof text,
             "%d (%s) S 1 1 1 0 -1 4194304 100 0 0 0 %" PRIu64 " %" PRIu64
             " 700 800 20 0 5 0 %" PRIu64 " 123456789 321 18446744073709551615 1 1 0\n",
             pid, name, user, system, start);
    tree_put(path, text);
}

/* The defaults, and the roots in the tree. */
static inline struct power_config tree_config(void)
{
    static char roots[3][80];
    struct power_config c = { 0 };

    option_defaults(power_options, &c);
    snprintf(roots[0], sizeof roots[0], "%s/sys", scratch);
    snprintf(roots[1], sizeof roots[1], "%s/proc", scratch);
    snprintf(roots[2], sizeof roots[2], "%s/cgroup", scratch);
    c.sysfs = roots[0];
    c.procfs = roots[1];
    c.cgroupfs = roots[2];
    assert_int_equal(power_config_complete(&c, NULL), 0);
    return c;
}

static inline int tree_setup(void **state)
{
    log_configure(LOG_ERROR, false);
    return scratch_setup(state);
}

#define tree_test(f) cmocka_unit_test_setup_teardown(f, tree_setup, scratch_teardown)

#endif
