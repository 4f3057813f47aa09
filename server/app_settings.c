/*
 * app_settings.c - settings that change while the program runs.
 *
 * All or nothing: what is wrong in one file leaves all as it was.
 */
#include "server/app_inner.h"

#include <errno.h>

/* A file that could not be read for a moment is read again soon. */
static void read_soon(const struct app *a, int rc)
{
    for (size_t i = 0; opener_passes(rc) && i < a->file_count; i++)
        filewatch_again(a->files[i]);
}

int app_reload(void *ctx, struct err *e)
{
    struct app *a = ctx;
    struct module_set *set = NULL;
    int rc = module_set_new(a->c, false, &set, e);

    /* All or nothing: the doors, which take effect at once, come last. */
    if (rc == 0)
        rc = forecast_read(a->forecast, e);
    if (rc == 0)
        rc = doors_reload(a->doors, e);
    if (rc < 0) {
        module_set_unref(set);
        log_line(LOG_ERROR, "settings not reloaded", "reason", e->text, "served",
                 "with the old ones", NULL);
        read_soon(a, rc);
        return -EINVAL;
    }
    pipeline_configure(a->pipeline, set);
    forecast_take(a->forecast);
    forecast_served(a->forecast);
    comparison_served(a->comparison);
    upstream_reloaded(a->upstream);
    log_line(LOG_INFO, "settings reloaded", NULL);
    return 0;
}

static void on_file_changed(void *ctx)
{
    struct err e = { 0 };

    app_reload(ctx, &e); /* says in the log how it went */
}

/* Files were read before they were watched: what changed in between shows now. */
void app_read_again(struct app *a)
{
    struct module_set *set;
    struct err e;

    int rc = module_set_new(a->c, false, &set, &e);

    if (rc == 0) {
        pipeline_configure(a->pipeline, set);
        forecast_served(a->forecast);
        comparison_served(a->comparison);
    }
    if (forecast_read(a->forecast, &e) == 0)
        forecast_take(a->forecast);
    read_soon(a, rc);
}

void app_on_carbon(void *ctx)
{
    struct app *a = ctx;

    module_set_carbon(carbon_now(a->carbon));
    app_read_again(a);
}

void app_watch_file(void *ctx, const char *path)
{
    struct app *a = ctx;

    if (a->file_count < FILES_MAX)
        a->files[a->file_count++] = filewatch_start(
            &a->loop, path, a->c->watch, a->c->poll_interval_ms, on_file_changed, a);
}
