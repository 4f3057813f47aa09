#include "server/config.h"

#include "core/decimal.h"
#include "core/mem.h"
#include "server/http/address.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#define AT(field) offsetof(struct config, field)

static const struct option own[] = {
    { "results-dir", OPT_STRING, AT(results_dir), "RESULTS_DIR", "./test_results",
      "DIR", "directory that the runs' results files appear in", "inputs" },
    { "newest", OPT_STRING, AT(newest_text), NULL, "auto", "RULE",
      "which run is newest: by the time in the file names, else by modification time "
      "(auto), by name, or by mtime",
      "inputs", .choices = "auto|name|mtime" },
    { "runs", OPT_STRING, AT(runs_text), NULL, "latest", "RUNS",
      "runs to serve: latest, all, or the newest N; all and N add the label run_id to "
      "QoE and cost",
      "inputs" },
    { "watch", OPT_STRING, AT(watch_text), NULL, "auto", "MODE",
      "how changes are noticed; auto polls on network file systems", "inputs",
      .choices = "auto|inotify|poll" },
    { "poll-interval", OPT_DURATION, AT(poll_interval_ms), NULL, "2s", "D",
      "time between two looks at the directory when it is polled", "inputs", .min = 10,
      .max = 8.64e7 },
    { "max-file-size", OPT_SIZE, AT(max_file_size), NULL, "64MiB", "SIZE",
      "a larger results file is refused", "inputs", .min = 1, .max = 4294967296 },
    { "max-scenarios", OPT_U32, AT(max_scenarios), NULL, "20000", "N",
      "over all served runs; the oldest runs are left out first", "inputs", .min = 1,
      .max = 4294967295 },
    { "series.ttl", OPT_DURATION, AT(rules.ttl_ms), NULL, "0s", "D",
      "a run whose file has not changed for D is served no more; 0s: every run stays",
      "inputs", .max = 3.2e11 },
    { "only", OPT_STRING, AT(only), NULL, NULL, "MODULE",
      "compute and serve this module alone: results, qoe or cost", "web" },
    { "port", OPT_STRING, AT(port), NULL, NULL, "N",
      "port of the one endpoint, together with --only (as the predecessors had it)",
      "web" },
    { "web.config.file", OPT_STRING, AT(web_config_file), NULL, NULL, "FILE",
      "TLS, passwords, rate limit and headers, as Prometheus exporters read them; see "
      "docs/web-config.md",
      "web" },
    { "web.max-connections", OPT_U32, AT(max_connections), NULL, "1024", "N",
      "connections at a time, over all endpoints", "web", .min = 1, .max = 1000000 },
    { "web.read-timeout", OPT_DURATION, AT(read_timeout_ms), NULL, "10s", "D",
      "time for a client to send a whole request", "web", .min = 1, .max = 8.64e7 },
    { "web.max-connections-per-peer", OPT_U32, AT(max_per_peer), NULL, "0", "N",
      "of one address (of IPv6: one /64); 0: half of --web.max-connections, and "
      "loopback is free of it",
      "web", .min = 0, .max = 1000000 },
    { "web.idle-timeout", OPT_DURATION, AT(idle_timeout_ms), NULL, "5m", "D",
      "time between two requests of a connection", "web", .min = 1, .max = 8.64e7 },
    { "web.write-timeout", OPT_DURATION, AT(write_timeout_ms), NULL, "30s", "D",
      "time for a client to take the next byte of its answer", "web", .min = 1,
      .max = 8.64e7 },
    { "web.slow-memory", OPT_SIZE, AT(slow_bytes), NULL, "64MiB", "SIZE",
      "what slow readers may keep of answers that are served no more; past it the "
      "slowest are closed",
      "web", .min = 1, .max = 1e15 },
    { "web.allowed-host", OPT_STRING, AT(allowed_hosts), NULL, "", "LIST",
      "names by which browsers may send requests that change something, besides IP "
      "addresses and localhost",
      "web" },
    { "web.text-cache", OPT_SIZE, AT(text_cache), NULL, "16MiB", "SIZE",
      "text kept ready for clients that take no gzip; larger answers are inflated as "
      "they are sent",
      "web" },
    { "shutdown.linger", OPT_DURATION, AT(linger_ms), NULL, "0s", "D",
      "on SIGTERM, serve until everybody has scraped the last values, or D is over",
      "process", .max = 8.64e7 },
    { "log.level", OPT_STRING, AT(log_level_text), NULL, "info", "LEVEL",
      "least important lines that are written", "process",
      .choices = "debug|info|warn|error" },
    { "log.format", OPT_STRING, AT(log_format_text), NULL, "logfmt", "FORMAT",
      "of the lines on stderr", "process", .choices = "logfmt|json" },
    { "once", OPT_STRING, AT(once), NULL, NULL, "MODULE",
      "scan, print that module's exposition (or all) to stdout, exit: for cron and "
      "textfile collectors",
      "process" },
    { "check-config", OPT_BOOL, AT(check_config), NULL, NULL, NULL,
      "check flags, variables and files they name, exit", "process" },
    { "health-check", OPT_BOOL, AT(health_check), NULL, NULL, NULL,
      "ask the running exporter's /health (same flags), exit 0 or 1", "process" },
    { "model-path", OPT_STRING, AT(model_path), NULL, NULL, "FILE",
      "accepted and ignored, so that old command lines start", "process" },
};

enum { OWN = sizeof own / sizeof *own };

/* Tables of other parts; each fills a struct within struct config. */
static const struct {
    const struct option *table;
    size_t at;
} parts[] = {
    { power_options, AT(power) },     { upstream_options, AT(upstream) },
    { push_options, AT(push) },       { carbon_options, AT(carbon) },
    { predict_options, AT(predict) }, { compare_options, AT(compare) },
    { compute_options, AT(compute) }, { live_options, AT(live) },
};

enum { PARTS = sizeof parts / sizeof *parts, PARTS_OPTIONS_MAX = 100 };

/* Variables of the predecessors that mean nothing here; with a word on why. */
static const struct {
    const char *name, *notice;
} ignored[] = {
    { "RESULTS_EXPORTER_CACHE_SECONDS", "RESULTS_EXPORTER_CACHE_SECONDS is ignored: "
                                        "changes are served when they happen" },
    { "MODEL_PATH", "MODEL_PATH is ignored: models are not read from files" },
};

static void add_parts(struct option *table, size_t n)
{
    for (size_t i = 0; i < PARTS; i++)
        for (const struct option *o = parts[i].table; o->name; o++) {
            assert(n < OWN + MODULES_MAX + PARTS_OPTIONS_MAX);
            table[n] = *o;
            table[n++].offset += parts[i].at;
        }
}

const struct option *config_options(void)
{
    /* Written once, at the first call, before any thread is started. */
    static struct option table[OWN + MODULES_MAX + PARTS_OPTIONS_MAX + 1];
    static char names[MODULES_MAX][64], variables[MODULES_MAX][64],
        ports[MODULES_MAX][8];

    if (table[0].name)
        return table;
    for (size_t i = 0; i < registry_count; i++) {
        const struct module *m = registry[i];
        struct buf b = { 0 };

        buf_fmt(&b, "%s.listen-address", m->name);
        memcpy(names[i], b.p, b.n < 63 ? b.n : 63);
        buf_release(&b);
        buf_fmt(&b, "%s_EXPORTER_PORT", m->name);
        for (size_t k = 0; k < b.n; k++)
            variables[i][k] =
                (char)(b.p[k] >= 'a' && b.p[k] <= 'z' ? b.p[k] - 32 : b.p[k]);
        buf_release(&b);
        buf_fmt(&b, ":%u", m->default_port);
        memcpy(ports[i], b.p, b.n);
        buf_deinit(&b);
        table[OWN + i] = (struct option){
            .name = names[i],
            .type = OPT_PORT,
            .offset = AT(listen) + i * sizeof(const char *),
            .env = variables[i],
            .preset = ports[i],
            .value = "ADDR",
            .help =
                "HOST:PORT, :PORT (all addresses), unix:/PATH, unix:@NAME, or \"\" for "
                "off; the variable holds a port alone",
            .topic = "web",
        };
    }
    add_parts(table, OWN + registry_count);
    memcpy(table, own, sizeof own);
    return table;
}

/* ---- finding and applying ------------------------------------------------------------ */

static const struct option *find_in(const struct option *table, struct view name)
{
    for (const struct option *o = table; o && o->name; o++)
        if (view_eq(view_of(o->name), name))
            return o;
    return NULL;
}

static const struct option *find(struct view name, int *module)
{
    const struct option *o = find_in(config_options(), name);

    *module = -1;
    for (size_t i = 0; !o && i < registry_count; i++) {
        o = find_in(registry[i]->options, name);
        *module = (int)i;
    }
    return o;
}

static const char *keep(struct config *c, const char *a, struct view b)
{
    size_t n = strlen(a);
    char *text = arena_alloc(&c->mem, n + b.n + 1, 1);

    memcpy(text, a, n);
    memcpy(text + n, b.p, b.n);
    return text;
}

static void notice(struct config *c, const char *text)
{
    if (c->notice_count < sizeof c->notices / sizeof *c->notices)
        c->notices[c->notice_count++] = text;
}

/* Checks the text of a module's option in a scratch copy of its fields. */
static int check_module_option(const struct setting *s, struct err *e)
{
    void *scratch = mem_zalloc(registry[s->module]->config_size);
    int rc = option_set(s->option, scratch, s->text, s->from, s->by_environment, e);

    free(scratch);
    return rc;
}

static int apply(struct config *c, struct setting s, struct err *e)
{
    int rc = s.module < 0 ? option_set(s.option, c, s.text, s.from, s.by_environment, e)
                          : check_module_option(&s, e);

    if (rc < 0)
        return rc;
    if (c->setting_count == c->setting_cap) {
        c->setting_cap = c->setting_cap ? c->setting_cap * 2 : 32;
        c->settings = mem_resize(c->settings, c->setting_cap, sizeof *c->settings);
    }
    c->settings[c->setting_count++] = s;
    return 0;
}

void config_module(const struct config *c, size_t module, void *fields)
{
    option_defaults(registry[module]->options, fields);
    for (size_t i = 0; i < c->setting_count; i++) {
        const struct setting *s = &c->settings[i];

        if (s->module == (int)module)
            option_set(s->option, fields, s->text, s->from, s->by_environment, NULL);
    }
}

static int port_number(const char *text, const char *from, struct err *e)
{
    double n;

    if (decimal_read(view_of(text), &n) && n >= 0 && n <= 65535 && n == (int)n)
        return 0;
    return err_set(e, -EINVAL, "%s: \"%s\" is not a port from 0 to 65535", from, text);
}

static int read_variable(struct config *c, const struct option *o, int module,
                         config_getenv *env, void *ctx, struct err *e)
{
    struct view names = view_of(o->env), name;

    while (view_split(&names, '|', &name)) {
        const char *variable = keep(c, "", name);
        const char *text = env(ctx, variable);
        const char *from = keep(c, "environment variable ", name);
        double zero;

        if (!text || !*text)
            continue;
        if (o->env_zero_unset && decimal_read(view_of(text), &zero) && zero == 0)
            continue;
        if (o->type == OPT_PORT) {
            if (port_number(text, from, e) < 0)
                return -EINVAL;
            text = keep(c, ":", view_of(text));
        }
        return apply(c, (struct setting){ module, o, text, from, true }, e);
    }
    return 0;
}

static int read_variables(struct config *c, config_getenv *env, void *ctx,
                          struct err *e)
{
    for (int m = -1; m < (int)registry_count; m++) {
        const struct option *o = m < 0 ? config_options() : registry[m]->options;

        for (; o && o->name; o++)
            if (o->env && read_variable(c, o, m, env, ctx, e) < 0)
                return -EINVAL;
    }
    for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++) {
        const char *text = env(ctx, ignored[i].name);

        if (text && *text)
            notice(c, ignored[i].notice);
    }
    return 0;
}

static int read_flags(struct config *c, int argc, char **argv, struct err *e)
{
    for (int i = 1; i < argc; i++) {
        struct view arg = view_of(argv[i]), name, value = { NULL, 0 };
        int module;

        if (!view_starts(arg, VIEW("--")) || arg.n == 2)
            return err_set(e, -EINVAL,
                           "\"%s\" is no flag; flags look like --results-dir DIR, see "
                           "--help",
                           argv[i]);
        arg = view_skip(arg, 2);
        view_split(&arg, '=', &name);
        value = arg; /* p is NULL when there was no '=' */

        if (view_eq(name, VIEW("help"))) {
            c->action = CONFIG_HELP;
            c->help_topic = value.p ? value.p : i + 1 < argc ? argv[i + 1] : NULL;
            return 0;
        }
        if (view_eq(name, VIEW("version"))) {
            c->action = CONFIG_VERSION;
            return value.p ? err_set(e, -EINVAL, "--version: takes no value") : 0;
        }

        const struct option *o = find(name, &module);

        if (!o)
            return err_set(e, -EINVAL,
                           "unknown flag --%.*s; --help lists the topics, "
                           "--help all every flag",
                           VIEW_ARG(name));

        const char *from = keep(c, "--", name);

        if (!value.p && o->type != OPT_BOOL) {
            if (i + 1 >= argc)
                return err_set(e, -EINVAL, "%s: a value is missing: %s %s", from, from,
                               o->value);
            value = view_of(argv[++i]);
        }
        if (apply(c, (struct setting){ module, o, value.p, from, false }, e) < 0)
            return -EINVAL;
    }
    return 0;
}

/* ---- what follows from the texts ------------------------------------------------------ */

static int check_address(const char *module, const char *text, struct err *e)
{
    struct address a;
    struct err why;

    if (address_parse(view_of(text), &a, &why) == 0)
        return 0;
    return err_set(e, -EINVAL, "--%s.listen-address: %s", module, why.text);
}

static int derive_endpoints(struct config *c, struct err *e)
{
    int only = -1;
    bool any = false;

    if (c->only) {
        only = registry_find(view_of(c->only));
        if (only < 0)
            return err_set(e, -EINVAL, "--only: \"%s\" is none of results, qoe, cost",
                           c->only);
    }
    if (c->port && only < 0)
        return err_set(e, -EINVAL,
                       "--port: this program serves several endpoints; use "
                       "--results.listen-address, --qoe.listen-address and "
                       "--cost.listen-address, or add --only results|qoe|cost");
    if (c->port) {
        if (port_number(c->port, "--port", e) < 0)
            return -EINVAL;
        c->listen[only] = keep(c, ":", view_of(c->port));
    }
    for (size_t i = 0; i < registry_count; i++) {
        c->on[i] = only < 0 || only == (int)i;
        if (!c->on[i])
            c->listen[i] = "";
        if (*c->listen[i] && check_address(registry[i]->name, c->listen[i], e) < 0)
            return -EINVAL;
        any = any || *c->listen[i];
    }
    any = any || *c->predict.listen;
    if (!any && c->action != CONFIG_ONCE)
        return err_set(e, -EINVAL, "every listen address is empty: nothing to serve");
    return 0;
}

static int derive_rules(struct config *c, struct err *e)
{
    double n;

    c->rules.newest = c->newest_text[0] == 'a'   ? NEWEST_AUTO
                      : c->newest_text[0] == 'n' ? NEWEST_NAME
                                                 : NEWEST_MTIME;
    c->rules.max_scenarios = c->max_scenarios;
    c->with_run_id = true;
    if (strcmp(c->runs_text, "latest") == 0) {
        c->rules.runs = 1;
        c->with_run_id = false;
    } else if (strcmp(c->runs_text, "all") == 0) {
        c->rules.runs = 0;
    } else if (decimal_read(view_of(c->runs_text), &n) && n >= 1 && n <= 1e9 &&
               n == (uint32_t)n) {
        c->rules.runs = (uint32_t)n;
    } else {
        return err_set(e, -EINVAL,
                       "--runs: \"%s\" is neither latest, all, nor a number from 1",
                       c->runs_text);
    }
    return 0;
}

static int derive(struct config *c, struct err *e)
{
    static const char *const levels[] = { "debug", "info", "warn", "error" };

    c->watch = c->watch_text[0] == 'a'   ? WATCH_AUTO
               : c->watch_text[0] == 'i' ? WATCH_INOTIFY
                                         : WATCH_POLL;
    for (int i = LOG_DEBUG; i <= LOG_ERROR; i++)
        if (strcmp(c->log_level_text, levels[i]) == 0)
            c->log_level = (enum log_level)i;
    c->log_json = c->log_format_text[0] == 'j';
    if (!*c->results_dir)
        return err_set(e, -EINVAL, "--results-dir: is empty");
    if (c->model_path)
        notice(c, "--model-path is ignored: models are not read from files");

    c->once_module = -1;
    if (c->once) {
        c->action = CONFIG_ONCE;
        if (strcmp(c->once, "all") != 0) {
            c->once_module = registry_find(view_of(c->once));
            if (c->once_module < 0)
                return err_set(e, -EINVAL,
                               "--once: \"%s\" is none of results, qoe, cost, all",
                               c->once);
        }
    } else if (c->check_config) {
        c->action = CONFIG_CHECK;
    } else if (c->health_check) {
        c->action = CONFIG_HEALTH;
    }
    if (derive_endpoints(c, e) < 0)
        return -EINVAL;
    if (c->once_module >= 0 && !c->on[c->once_module])
        return err_set(e, -EINVAL, "--once %s: --only %s leaves that module out",
                       c->once, c->only);
    if (derive_rules(c, e) < 0 || power_config_complete(&c->power, e) < 0 ||
        upstream_config_complete(&c->upstream, e) < 0 ||
        push_config_complete(&c->push, e) < 0 ||
        carbon_config_complete(&c->carbon, e) < 0 ||
        predict_config_complete(&c->predict, e) < 0 ||
        compare_config_check(&c->compare, e) < 0 ||
        live_config_complete(&c->live, c->web_config_file != NULL, e) < 0 ||
        compute_config_check(&c->compute, c->live.on, e) < 0)
        return -EINVAL;
    c->rules.lessons = c->predict.on ? c->predict.scenarios : 0;
    if (c->power.rapl_names && c->upstream.url && *c->upstream.url)
        return err_set(
            e, -EINVAL,
            "--power.rapl-names: the upstream (--prometheus-url) would count "
            "this machine's power twice; give one of them");
    return 0;
}

int config_parse(struct config *c, int argc, char **argv, config_getenv *env, void *ctx,
                 struct err *e)
{
    *c = (struct config){ .action = CONFIG_SERVE };
    option_defaults(config_options(), c);

    /* Flags are looked at first for --help and --version, which need nothing else to be
     * right; settings apply in order, so that flags win over variables. */
    for (int i = 1; i < argc; i++)
        if (strncmp(argv[i], "--help", 6) == 0 || strcmp(argv[i], "--version") == 0)
            return read_flags(c, argc - i + 1, argv + i - 1, e);
    if (read_variables(c, env, ctx, e) < 0 || read_flags(c, argc, argv, e) < 0)
        return -EINVAL;
    return derive(c, e);
}

bool config_said(const struct config *c, const char *option)
{
    for (size_t i = 0; i < c->setting_count; i++)
        if (strcmp(c->settings[i].option->name, option) == 0)
            return true;
    return false;
}

void config_deinit(struct config *c)
{
    arena_deinit(&c->mem);
    free(c->settings);
    *c = (struct config){ 0 };
}
