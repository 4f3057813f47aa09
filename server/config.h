/*
 * config.h - flags and environment → what the program does.
 *
 * A flag wins over its variable, that wins over the default. Texts are borrowed from
 * argv and the environment, or live in the config.
 */
#ifndef SERVER_CONFIG_H
#define SERVER_CONFIG_H

#include "core/arena.h"
#include "core/option.h"
#include "core/store.h"
#include "server/log.h"
#include "server/carbon/carbon_config.h"
#include "server/compare/compare_config.h"
#include "server/compute/compute_config.h"
#include "server/power/power_config.h"
#include "server/live/live_config.h"
#include "server/predict/predict_config.h"
#include "server/push/push_config.h"
#include "server/registry.h"
#include "server/upstream/upstream_config.h"

enum config_action {
    CONFIG_SERVE,
    CONFIG_ONCE,
    CONFIG_CHECK,
    CONFIG_HEALTH,
    CONFIG_HELP,
    CONFIG_VERSION,
};

enum watch_mode { WATCH_AUTO, WATCH_INOTIFY, WATCH_POLL };

/* A text somebody gave for an option, in the order in which they apply. */
struct setting {
    int module; /* index; -1: the server's own */
    const struct option *option;
    const char *text; /* NULL: a flag without value */
    const char *from; /* "--currency" or "environment variable CURRENCY" */
    bool by_environment;
};

struct config {
    enum config_action action;
    const char *help_topic; /* NULL: overview */

    const char *results_dir;
    const char *listen[MODULES_MAX]; /* per module; "" is off */
    bool on[MODULES_MAX];            /* modules that compute at all (--only) */
    const char *only;
    const char *port;
    const char *once; /* module name or "all" */
    int once_module;  /* index; -1: all */

    const char *newest_text, *runs_text, *watch_text;
    struct store_rules rules; /* from them */
    bool with_run_id;
    enum watch_mode watch;
    uint64_t poll_interval_ms;
    uint64_t max_file_size; /* bytes */
    uint32_t max_scenarios;

    const char *web_config_file; /* NULL or "": none */
    uint32_t max_connections, max_per_peer;
    uint64_t read_timeout_ms, idle_timeout_ms, write_timeout_ms;
    uint64_t slow_bytes;
    const char *allowed_hosts; /* separated by commas */
    uint64_t text_cache;       /* bytes */
    uint64_t linger_ms;

    struct power_config power;
    struct upstream_config upstream;
    struct push_config push;
    struct carbon_config carbon;
    struct predict_config predict;
    struct compare_config compare;
    struct compute_config compute;
    struct live_config live;

    const char *log_level_text, *log_format_text;
    enum log_level log_level;
    bool log_json;

    bool check_config, health_check;
    const char *model_path; /* accepted and ignored */

    const char *notices[8]; /* for the log, once it runs */
    size_t notice_count;

    struct setting *settings;
    size_t setting_count, setting_cap;
    struct arena mem;
};

typedef const char *config_getenv(void *ctx, const char *name);

/*
 * Fills *c, which config_deinit() ends in any case. -EINVAL: e is one line that names
 * the flag or variable and what is allowed. Opens nothing.
 */
int config_parse(struct config *c, int argc, char **argv, config_getenv *env, void *ctx,
                 struct err *e);
void config_deinit(struct config *c);

/* Whether somebody said so, by flag or variable; else it is the default. */
bool config_said(const struct config *c, const char *option);

/*
 * Sets the fields of one module's config from defaults, variables and flags; what was
 * checked by config_parse() cannot fail. Fields of OPT_FILE have a path and no text.
 */
void config_module(const struct config *c, size_t module, void *fields);

/* The table of the server's own options, with the listen addresses of all modules. */
const struct option *config_options(void);

/* The text of --help for a topic (NULL: overview) into out. False: no such topic; "all"
 * is every flag, "markdown" the table of the README. */
bool config_help(const char *topic, struct buf *out);

#endif
