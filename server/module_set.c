#include "server/module_set.h"

#include "core/mem.h"
#include "server/version.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_LIMIT = 4 * 1024 * 1024 };    /* bytes of a file that an option names */

static int read_open(int fd, const char *path, struct buf *out, struct err *e)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return err_set(e, -errno, "%s: %s", path, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return err_set(e, -EINVAL, "%s: is not a regular file", path);
    for (;;) {
        char *to = buf_room(out, 65536);

        if (!to)
            return err_set(e, -EFBIG, "%s: is larger than %d bytes", path, FILE_LIMIT);

        ssize_t n = read(fd, to, 65536);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set(e, -errno, "%s: %s", path, strerror(errno));
        if (n == 0)
            return 0;
        buf_commit(out, (size_t)n);
    }
}

static int read_file(const char *path, struct buf *out, struct err *e)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    if (fd < 0)
        return err_set(e, -errno, "%s: %s", path, strerror(errno));

    int rc = read_open(fd, path, out, e);

    close(fd);
    return rc;
}

static int read_files(struct module_set *s, size_t module, bool first, struct err *e)
{
    for (const struct option *o = registry[module]->options; o && o->name; o++) {
        if (o->type != OPT_FILE)
            continue;

        struct option_file *file =
            (struct option_file *)(void *)((char *)s->config[module] + o->offset);
        struct buf text = { .limit = FILE_LIMIT };

        if (!file->path)
            continue;

        int rc = read_file(file->path, &text, e);

        if (rc == -ENOENT && file->by_environment && first) {
            log_line(LOG_WARN, "file named by an environment variable is not there", "flag",
                     o->name, "reason", e->text, "served", "built-in values", NULL);
            buf_deinit(&text);
            file->path = NULL;
            continue;
        }
        if (rc < 0) {
            buf_deinit(&text);
            return rc;
        }
        if (s->text_count == sizeof s->texts / sizeof *s->texts) {
            buf_deinit(&text);
            return err_set(e, -E2BIG, "%s: too many files", file->path);
        }
        s->texts[s->text_count++] = text.p;    /* freed with the set */
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
    view_split(&rest, ':', &flag);
    for (size_t i = 0; rest.p && i < c->setting_count; i++)
        if (view_eq(view_of(c->settings[i].option->name), flag))
            last = &c->settings[i];
    if (last && last->by_environment) {
        char *reason = mem_strdup(rest.p);    /* e->text is written anew */

        err_set(e, e->code, "%s:%s", last->from, reason);
        free(reason);
    }
}

static int configure(struct module_set *s, const struct config *c, size_t i, bool first,
                     struct err *e)
{
    const struct module *m = registry[i];
    const struct module_context ctx = { .with_run_id = c->with_run_id,
                                        .version = version_text };
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
