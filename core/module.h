/*
 * module.h - all that a module needs to know of its host.
 *
 * A module turns scenarios into samples. It is one constant record; the host keeps its
 * memory and hands it to every hook, so a module has no globals. It does no I/O.
 *
 * config  is filled from the options, checked and completed by configure(), and const
 *         from then on: a reload makes a new one and drops the old one when nobody
 *         uses it. Hooks that get nothing else are functions of options and data and
 *         run on any thread.
 * memory  outlives reloads. Only remember() changes it, which nobody calls while overall()
 *         looks at it.
 */
#ifndef CORE_MODULE_H
#define CORE_MODULE_H

#include "core/about.h"
#include "core/option.h"
#include "core/run.h"
#include "core/series.h"
#include "core/tariff.h"

enum { MODULE_ABI = 3 };

/* What a grid operator says of the electricity that is used now. */
struct carbon_now {
    bool known;
    double kg_per_kwh;
    double as_of_s; /* Unix time that it is for */
    const char
        *zone; /* of the source: "SE-SE3"; borrowed while modules are configured */
};

/* What the host decides for all modules. */
struct module_context {
    bool with_run_id;         /* QoE and cost families carry run_id */
    const char *version;      /* of the program */
    struct carbon_now carbon; /* of the region that --region names */
};

/* One scenario where it stands. */
struct place {
    const struct run *run;
    const struct scenario *s;
    const struct scenario *baseline; /* of its run; NULL: none. May be s */
    uint32_t ordinal;                /* label repeat from 2 on */
};

/* What happened to one run. Both runs stay readable until the hook returns. */
struct diff {
    struct view id;
    const struct run *before; /* NULL: new */
    const struct run *after;  /* NULL: gone */
    const uint32_t *changed;  /* indices in after: new or different, ascending */
    uint32_t changed_count;
    bool from_start; /* the file was there before the first scan ended */
    bool measured;   /* nothing was read: measurements alone changed */
};

/* What is served now, for overall(). */
struct served {
    const struct run *const *runs; /* oldest first */
    const int64_t *mtimes_ns;      /* of the files they were read from, in the same
                                      order; Unix time */
    size_t run_count;
    uint64_t scenario_count;
    bool newest_ok; /* the newest file could be read and parsed */
};

struct module {
    unsigned abi;      /* MODULE_ABI; first member for ever */
    const char *name;  /* log tag, prefix of its listen flag */
    const char *title; /* for people */
    unsigned default_port;
    const struct family *families; /* served in this order */
    uint16_t family_count;
    const struct option *options;    /* ends with a NULL name; NULL: none */
    size_t config_size, memory_size; /* both zeroed by the host */

    /*
     * After the options are set. On failure (-EINVAL: an option, -EBADMSG: a file that
     * one names) e tells flag or file, key and reason, and what configure() had acquired
     * is released. deconfigure() undoes it.
     */
    int (*configure)(void *config, const struct module_context *ctx, struct err *e);
    void (*deconfigure)(void *config);

    /* Samples of one scenario. */
    void (*per_scenario)(const void *config, const struct place *at,
                         struct series *out);

    /*
     * Samples of a run, which come where its first scenario stands: of families that
     * have no others. mtime_ns: of the file it was read from, Unix time.
     */
    void (*per_run)(const void *config, const struct run *run, int64_t mtime_ns,
                    struct series *out);

    /* A run came, changed or went; called also for runs that stop being served only
     * when their file is gone. now_s: Unix time. Any thread, one call at a time, in the
     * order of what happened. */
    void (*remember)(void *memory, const void *config, const struct diff *d,
                     double now_s);
    void (*forget)(void *memory); /* frees what memory holds */

    /* Samples about everything; come before those of the scenarios of the same
     * family. */
    void (*overall)(const void *config, const void *memory, const struct served *all,
                    struct series *out);

    /* Facts for the page that people read: prices in force and the like. */
    void (*about)(const void *config, struct about *out);

    /* The one figure of a scenario that the page shows for this module; NaN: unknown.
     * unit is borrowed from config. */
    double (*headline)(const void *config, const struct place *at, const char **unit);

    /* What things cost in a region (empty: the one of --region): the cost module alone. */
    void (*tariff)(const void *config, struct view region, struct tariff *out);
};

#endif
