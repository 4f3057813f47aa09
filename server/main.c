#include "core/json.h"
#include "server/app.h"
#include "server/doors.h"
#include "server/fetch/fetch.h"
#include "server/health.h"
#include "server/once.h"
#include "server/predict/prompt.h"
#include "server/record/record.h"
#include "server/version.h"

#include <stdio.h>
#include <string.h>
#include <stdlib.h>

#include <llhttp.h>
#include <malloc.h>
#include <uv.h>

static const char *get_variable(void *ctx, const char *name)
{
    (void)ctx;
    return getenv(name);
}

static int print(const struct buf *text)
{
    return fwrite(text->p, 1, text->n, stdout) == text->n && fflush(stdout) == 0 ? 0
                                                                                 : 1;
}

static int help(const char *topic)
{
    struct buf text = { 0 };
    int rc = 2;

    if (config_help(topic, &text))
        rc = print(&text);
    else
        fprintf(stderr,
                "encode_exporter: --help %s: no such topic; topics are inputs, web, "
                "prices, power, upstream, predict, push, record, process, all\n",
                topic);
    buf_deinit(&text);
    return rc;
}

static int version(void)
{
    const char *libcurl = fetch_library_version();
    struct buf text = { 0 };

    buf_fmt(&text,
            "encode_exporter %s (revision %s, %s)\nlibuv %s, llhttp %d.%d.%d, %s%s%s\n",
            version_text, version_revision, version_compiler, uv_version_string(),
            LLHTTP_VERSION_MAJOR, LLHTTP_VERSION_MINOR, LLHTTP_VERSION_PATCH,
            json_library(), libcurl ? ", libcurl " : "", libcurl ? libcurl : "");

    int rc = print(&text);

    buf_deinit(&text);
    return rc;
}

static int check(const struct config *c)
{
    struct err e = { 0 };
    int rc = app_check(c, &e);

    fprintf(stderr, "encode_exporter: %s\n", rc ? e.text : "configuration is valid");
    return rc;
}

/* A unix socket is plain, whatever the web config says: the surest way to ask. */
static const char *address_to_ask(const struct config *c)
{
    const char *first = NULL;

    for (size_t i = 0; i < registry_count; i++) {
        if (strncmp(c->listen[i], "unix:", 5) == 0)
            return c->listen[i];
        if (!first && *c->listen[i])
            first = c->listen[i];
    }
    if (!first)
        return c->predict.listen;
    return first; /* config_parse() lets no configuration without one pass */
}

/*
 * The running exporter may serve with an older web config than the file, which may be
 * broken or gone by now: a probe that ended a healthy exporter for that would make an outage of a
 * slip. So what the file says is tried first, and then the other way.
 */
static int health(const struct config *c)
{
    const char *address = address_to_ask(c);
    struct err e = { 0 }, other;
    bool tls;

    if (doors_ask_tls(c, &tls, &e) < 0)
        tls = false;
    if (health_ask(address, tls, &e) == 0)
        return 0;
    if (c->web_config_file && *c->web_config_file &&
        health_ask(address, !tls, &other) == 0)
        return 0;
    fprintf(stderr, "encode_exporter: %s\n", e.text);
    return 1;
}

static int run(const struct config *c)
{
    switch (c->action) {
    case CONFIG_HELP:
        return help(c->help_topic);
    case CONFIG_VERSION:
        return version();
    case CONFIG_CHECK:
        return check(c);
    case CONFIG_HEALTH:
        return health(c);
    case CONFIG_ONCE:
        return once_print(c);
    case CONFIG_SERVE:
        break;
    }
    return app_serve(c);
}

int main(int argc, char **argv)
{
    struct config config;
    struct err e = { 0 };
    int rc = 2;

    /* Large buffers of files go back to the system at once, and threads of the pool share
     * their heaps: what the process keeps is what it serves. */
    mallopt(M_MMAP_THRESHOLD, 256 * 1024);
    mallopt(M_ARENA_MAX, 2);
    if (argc > 1 && strcmp(argv[1], "predict") == 0)
        return predict_prompt(argc - 1, argv + 1);
    if (argc > 1 && strcmp(argv[1], "record") == 0)
        return record_command(argc - 1, argv + 1);
    if (config_parse(&config, argc, argv, get_variable, NULL, &e) < 0)
        fprintf(stderr, "encode_exporter: %s\n", e.text);
    else
        rc = run(&config);
    config_deinit(&config);
    return rc;
}
