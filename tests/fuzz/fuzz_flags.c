/*
 * fuzz_flags.c - command lines and environments.
 *
 * One line is one argument; a line that begins with '$' is a variable: $NAME=value.
 */
#include "server/config.h"

#include "core/buf.h"
#include "core/mem.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

enum { WORDS_MAX = 64 };

struct words {
    char *argv[WORDS_MAX + 2];
    int argc;
    char *variables[WORDS_MAX];
    size_t variable_count;
};

static const char *variable(void *ctx, const char *name)
{
    const struct words *w = ctx;
    size_t n = strlen(name);

    for (size_t i = 0; i < w->variable_count; i++)
        if (strncmp(w->variables[i], name, n) == 0 && w->variables[i][n] == '=')
            return w->variables[i] + n + 1;
    return NULL;
}

static void split(char *text, struct words *w)
{
    static char program[] = "encode_exporter";

    w->argv[w->argc++] = program;
    for (char *line = text; line;) {
        char *end = strchr(line, '\n');

        if (end)
            *end++ = '\0';
        if (line[0] == '$' && w->variable_count < WORDS_MAX)
            w->variables[w->variable_count++] = line + 1;
        else if (line[0] != '$' && w->argc <= WORDS_MAX)
            w->argv[w->argc++] = line;
        line = end && *end ? end : NULL;
    }
    w->argv[w->argc] = NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = mem_alloc(size + 1);
    struct words w = { .argc = 0 };
    struct config c;
    struct err e = { 0 };

    memcpy(text, data, size);
    text[size] = '\0';
    split(text, &w);
    if (config_parse(&c, w.argc, w.argv, variable, &w, &e) < 0) {
        /* One line for a person, never empty. */
        assert(e.code < 0 && e.text[0] && !strchr(e.text, '\n'));
    } else if (c.action == CONFIG_HELP) {
        struct buf help = { 0 };

        config_help(c.help_topic, &help);
        buf_deinit(&help);
    } else if (c.action != CONFIG_VERSION) {
        bool on = false;

        for (size_t i = 0; i < registry_count; i++) {
            void *fields = mem_zalloc(registry[i]->config_size);

            config_module(&c, i, fields);
            free(fields);
            on = on || c.on[i];
        }
        assert(on && c.results_dir && *c.results_dir && c.poll_interval_ms > 0 &&
               c.max_scenarios > 0 && c.max_connections > 0);
    }
    config_deinit(&c);
    free(text);
    return 0;
}
