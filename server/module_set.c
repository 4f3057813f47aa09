#include "server/module_set.h"

#include "core/mem.h"
#include "server/sources/opener.h"
#include "server/version.h"

#include <errno.h>
#include <stdlib.h>

enum { FILE_LIMIT = 4 * 1024 * 1024 }; /* bytes of a file that an option names */

static int read_file(const char *path, struct buf *text, struct err *e)
{
    struct stamp stamp;
    struct err why;
    int rc = opener_read_trusted(path, FILE_LIMIT, 0, text, &stamp, &why);

    return rc < 0 ? err_set(e, rc, "%s: %s", path, why.text) : 0;
}

/* A file that cannot be read is a wrong value of its flag, unless that may pass. */
static int refuse_file(const struct option *o, int rc, struct err *e)
{
    char *reason = mem_strdup(e->text); /* e->text is written anew */

    rc = err_set(e, opener_passes(rc) ? rc : -EINVAL, "--%s: %s", o->name, reason);
    free(reason);
    return rc;
}

static int read_files(struct module_set *s, size_t module, bool first, struct err *e)
{
    for (const struct option *o = registry[module]->options; o && o->name; o++) {
        if (o->type != OPT_FILE)
            continue;

        struct option_file *file =
            (struct option_file *)(void *)((char *)s->config[module] + o->offset);
        struct buf text = { 0 };

        if (!file->path)
            continue;

        int rc = read_file(file->path, &text, e);

        if (rc == -ENOENT && file->by_environment && first) {
            log_line(LOG_WARN, "file named by an environment variable is not there",
                     "flag", o->name, "reason", e->text, "served", "built-in values",
                     NULL);
            buf_deinit(&text);
            file->path = NULL;
            continue;
        }
        if (rc < 0) {
            buf_deinit(&text);
            return refuse_file(o, rc, e);
        }
        if (s->text_count == sizeof s->texts / sizeof *s->texts) {
            buf_deinit(&text);
            return err_set(e, -E2BIG, "%s: too many files", file->path);
        }
        s->texts[s->text_count++] = text.p; /* freed with the set */
        file->text = buf_as_view(&text);
        if (!file->text.p)
            file->text = VIEW("");
    }
    return 0;
}

/*
 * A module that refuses an option names its flag; where the value came from a variable,
 * that is what its user has to look at.
 */
static void name_variable(const struct config *c, struct err *e)
{
    struct view rest = view_of(e->text), flag;
    const struct setting *last = NULL;

    if (!view_starts(rest, VIEW("--")))
        return;
    rest = view_skip(rest, 2);
    for (flag = (struct view){ rest.p, 0 }; rest.n && *rest.p != ':' && *rest.p != ' ';
         flag.n++)
        rest = view_skip(rest, 1);
    for (size_t i = 0; i < c->setting_count; i++)
        if (view_eq(view_of(c->settings[i].option->name), flag))
            last = &c->settings[i];
    if (last && last->by_environment) {
        char *reason = mem_strdup(rest.p); /* e->text is written anew */

        err_set(e, e->code, "%s%s", last->from, reason);
        free(reason);
    }
}

static struct carbon_now carbon; /* the main thread's */

void module_set_carbon(struct carbon_now now)
{
    carbon = now;
}

static int configure(struct module_set *s, const struct config *c, size_t i, bool first,
                     struct err *e)
{
    const struct module *m = registry[i];
    const struct module_context ctx = { .with_run_id = c->with_run_id,
                                        .version = version_text,
                                        .carbon = carbon };
    void *config = mem_zalloc(m->config_size);

    s->config[i] = config;
    config_module(c, i, config);

    int rc = read_files(s, i, first, e);

    if (rc == 0 && m->configure)
        rc = m->configure(config, &ctx, e);
    if (rc < 0) {
        name_variable(c, e);
        free(config);
        s->config[i] = NULL;
    }
    return rc;
}

int module_set_new(const struct config *c, bool first, struct module_set **out,
                   struct err *e)
{
    static uint64_t versions;
    struct module_set *s = mem_zalloc(sizeof *s);

    s->refs = 1;
    s->version = ++versions;
    for (size_t i = 0; i < registry_count; i++) {
        if (!c->on[i])
            continue;

        int rc = configure(s, c, i, first, e);

        if (rc < 0) {
            module_set_unref(s);
            return rc;
        }
    }
    *out = s;
    return 0;
}

struct module_set *module_set_ref(struct module_set *s)
{
    s->refs++;
    return s;
}

void module_set_unref(struct module_set *s)
{
    if (!s || --s->refs > 0)
        return;
    for (size_t i = 0; i < registry_count; i++) {
        if (!s->config[i])
            continue;
        if (registry[i]->deconfigure)
            registry[i]->deconfigure(s->config[i]);
        free(s->config[i]);
    }
    for (size_t i = 0; i < s->text_count; i++)
        free(s->texts[i]);
    free(s);
}

void module_set_files(const struct config *c, void (*f)(void *ctx, const char *path),
                      void *ctx)
{
    for (size_t i = 0; i < registry_count; i++) {
        if (!c->on[i])
            continue;

        const struct module *m = registry[i];
        char *fields = mem_zalloc(m->config_size);

        config_module(c, i, fields);
        for (const struct option *o = m->options; o && o->name; o++) {
            if (o->type != OPT_FILE)
                continue;

            const struct option_file *file = (void *)(fields + o->offset);

            if (file->path)
                f(ctx, file->path);
        }
        free(fields);
    }
}
