/*
 * prompt.c - one question to the models of a directory.
 *
 * Everything happens in turn on this thread: nobody waits for anything else. The newest
 * files come first until there are as many scenarios as the exporter learns from, so that
 * both know the same.
 */
#include "server/predict/prompt.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "core/ranking.h"
#include "modules/predict/tell.h"
#include "server/module_set.h"
#include "server/predict/prompt_config.h"
#include "server/predict/whatifs.h"
#include "server/sources/reader.h"
#include "server/sources/scan.h"
#include "server/start.h"
#include "server/version.h"

struct seen { /* a results file */
    struct ranked rank;
    const char *name; /* in the scan */
};

struct gathered { /* the newest runs first */
    const struct lessons **all;
    size_t count, cap;
    uint64_t scenarios;
    bool oldest_taught; /* the run read last is the last of all[] */
};

static void keep(struct gathered *g, const struct lessons *l)
{
    if (g->count == g->cap) {
        g->cap = g->cap ? g->cap * 2 : 64;
        g->all = mem_resize(g->all, g->cap, sizeof(const struct lessons *));
    }
    g->all[g->count++] = l;
}

static void gathered_deinit(struct gathered *g)
{
    for (size_t i = 0; i < g->count; i++)
        lessons_unref(g->all[i]);
    free(g->all);
}

static void say_unread(const char *name, const struct read_item *item)
{
    log_line(LOG_WARN, "results file is left out", "file", name, "reason", item->e.text,
             NULL);
}

static void learn(struct gathered *g, const struct config *c, const char *name,
                  struct reader_tools *tools)
{
    struct read_job *job = read_job_new(1);
    struct read_item *item = &job->items[0];

    job->dir = c->results_dir;
    job->max_bytes = c->max_file_size;
    job->max_scenarios = c->max_scenarios;
    job->tools = tools;
    memcpy(item->name, name, strlen(name) + 1);
    read_job_run(job);
    if (item->run) {
        const struct lessons *l = lessons_of(item->run);

        g->scenarios += item->run->count;
        g->oldest_taught = l;
        if (l)
            keep(g, l);
    } else {
        say_unread(name, item);
    }
    read_job_free(job);
}

static void rank(struct ranking *k, const struct scan *scan)
{
    for (size_t i = 0; i < scan->count; i++) {
        const struct scan_entry *found = &scan->entries[i];
        struct seen *s;

        if (found->kind != NAME_RUN)
            continue;
        if (found->rc < 0) {
            log_line(LOG_WARN, "results file is left out", "file", found->name.p,
                     "reason", found->reason, NULL);
            continue;
        }
        s = mem_zalloc(sizeof *s);
        s->rank.id = name_id(found->name);
        s->rank.mtime_ns = found->look.stamp.mtime_ns;
        s->name = found->name.p;
        ranking_add(k, &s->rank);
    }
}

static void nothing_to_do(struct ranked *r)
{
    (void)r;
}

static int gather(const struct config *c, struct gathered *g, struct err *e)
{
    struct reader_tools *tools = reader_tools_new();
    struct ranking k = { .rule = c->rules.newest };
    struct scan scan = { 0 };
    int rc = scan_read(c->results_dir, &scan, e);

    if (rc == 0) {
        struct ranking_walk w;
        const struct seen *s;

        rank(&k, &scan);
        w = ranking_walk(&k);
        while (g->scenarios < c->predict.scenarios &&
               (s = (const struct seen *)ranking_next(&w)))
            learn(g, c, s->name, tools);
    }
    ranking_deinit(&k, nothing_to_do);
    scan_deinit(&scan);
    reader_tools_free(tools);
    return rc;
}

/* Of the oldest run the first scenarios alone may be among the newest of all. */
static struct outlook *learned(const struct gathered *g, const struct config *c,
                               const struct whatifs *w)
{
    const struct lessons **all = mem_alloc((g->count + 1) * sizeof *all);
    const struct lessons *some = NULL;
    struct outlook *o;

    for (size_t i = 0; i < g->count; i++)
        all[i] = g->all[i];
    if (g->scenarios > c->predict.scenarios && g->oldest_taught) {
        uint64_t over = g->scenarios - c->predict.scenarios;
        const struct lessons *last = all[g->count - 1];

        some = lessons_first(last, (uint32_t)(last->scenario_count - over));
        all[g->count - 1] = some;
    }
    o = outlook_new(all, g->count, &w->list);
    lessons_unref(some);
    free(all);
    return o;
}

/* ---- prices --------------------------------------------------------------------------- */

static bool tariff(void *ctx, struct view region, struct tariff *out)
{
    const struct module_set *set = ctx;

    for (size_t i = 0; i < registry_count; i++)
        if (registry[i]->tariff && set->config[i]) {
            registry[i]->tariff(set->config[i], region, out);
            return true;
        }
    return false;
}

/* ---- the answer ------------------------------------------------------------------------ */

static int answer(const struct prompt_config *p, const struct config *c,
                  struct module_set *set, struct outlook *o)
{
    const struct tell_context context = {
        .tariff = tariff, .ctx = set, .version = version_text, .model_update_s = NAN
    };
    const struct whatif what = {
        .bitrate_kbps = p->bitrate_kbps,
        .width = p->width,
        .height = p->height,
        .fps = p->fps,
        .encoder = view_of(p->encoder),
        .preset = view_of(p->preset),
    };
    double target = isnan(p->target_vmaf) ? c->predict.target_vmaf : p->target_vmaf;
    struct buf text = { 0 };
    bool said = tell_person(o, &what, target, &context, p->json, &text);
    bool written = fwrite(text.p, 1, text.n, stdout) == text.n && fflush(stdout) == 0;

    if (!written)
        log_line(LOG_ERROR, "cannot write to stdout", "reason", strerror(errno), NULL);
    buf_deinit(&text);
    return said && written ? 0 : 1;
}

/* The configurations of the exporter are not told, but part of the version of its models:
 * who compares that with ml_model_version finds them the same. */
static int ask_with(const struct prompt_config *p, const struct config *c,
                    struct module_set *set, const struct whatifs *w)
{
    struct gathered g = { 0 };
    struct err e = { 0 };
    int rc = 1;

    if (gather(c, &g, &e) < 0) {
        log_line(LOG_ERROR, "cannot scan", "reason", e.text, NULL);
    } else {
        struct outlook *o = learned(&g, c, w);

        rc = answer(p, c, set, o);
        outlook_free(o);
    }
    gathered_deinit(&g);
    return rc;
}

static int ask(const struct prompt_config *p, const struct config *c)
{
    struct module_set *set = NULL;
    struct whatifs *w = NULL;
    struct err e = { 0 };
    int rc;

    log_configure(c->log_level > LOG_WARN ? c->log_level : LOG_WARN, c->log_json);
    if (module_set_new(c, true, &set, &e) < 0 || whatifs_read(c, &w, &e) < 0) {
        log_line(LOG_ERROR, "settings are wrong", "reason", e.text, NULL);
        rc = start_status(&e);
    } else {
        rc = ask_with(p, c, set, w);
    }
    whatifs_unref(w);
    if (set)
        module_set_unref(set);
    return rc;
}

static const char *get_variable(void *ctx, const char *name)
{
    (void)ctx;
    return getenv(name);
}

static int print_help(void)
{
    struct buf text = { 0 };
    int rc = 1;

    if (config_help("predict", &text) && fwrite(text.p, 1, text.n, stdout) == text.n &&
        fflush(stdout) == 0)
        rc = 0;
    buf_deinit(&text);
    return rc;
}

int predict_prompt(int argc, char **argv)
{
    struct prompt_config p;
    struct config c = { 0 };
    struct err e = { 0 };
    bool help = false;
    int rc = 2;

    if (prompt_config_take(&p, &argc, argv, &help, &e) < 0 ||
        (!help && config_parse(&c, argc, argv, get_variable, NULL, &e) < 0))
        fprintf(stderr, "encode_exporter: %s\n", e.text);
    else if (help)
        rc = print_help();
    else if (c.action != CONFIG_SERVE)
        fprintf(stderr, "encode_exporter: predict: --once, --check-config, "
                        "--health-check and --version have no meaning here\n");
    else
        rc = ask(&p, &c);
    config_deinit(&c);
    return rc;
}
