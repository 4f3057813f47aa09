/*
 * gate.c - the functions of predict.so, as the program calls them: the first opens the
 * library, all others pass on.
 *
 * Predictions are on by default, and a program without its library serves all else: so a
 * missing one ends the start only of those who asked for it.
 */
#include "server/predict/predict.h"

#include <limits.h>
#include <stdio.h>

#include "server/library.h"

static const struct predict *predict; /* the main thread's; NULL: not opened */

static int load(struct err *e)
{
    char path[PATH_MAX + 256];
    const void *found;
    int rc = library_find("predict.so", path, sizeof path, e);

    if (rc == 0)
        rc = library_open(path, PREDICT_SYMBOL, ENCODE_ABI, "nothing else", &found, e);
    if (rc == 0)
        predict = found;
    return rc;
}

/* 0 without a library, too: then nothing is predicted. */
static int open_library(const struct config *c, struct err *e)
{
    int rc;

    if (!c->predict.on || predict)
        return 0;
    rc = load(e);
    if (rc == 0 || config_said(c, "predict") || *c->predict.listen)
        return rc;
    log_line(LOG_WARN, "nothing is predicted", "reason", e->text, "remedy",
             "install it, or say --predict off", NULL);
    return 0;
}

int predict_prompt(int argc, char **argv)
{
    struct err e = { 0 };

    if (!predict && load(&e) < 0) {
        fprintf(stderr, "encode_exporter: predict: %s\n", e.text);
        return 1;
    }
    return predict->predict_prompt(argc, argv);
}

int forecast_check(const struct config *c, struct err *e)
{
    int rc = open_library(c, e);

    return rc == 0 && predict && c->predict.on ? predict->forecast_check(c, e) : rc;
}

int forecast_new(const struct forecast_host *h, struct forecast **out, struct err *e)
{
    int rc = open_library(h->config, e);

    *out = NULL;
    return rc == 0 && predict && h->config->predict.on
               ? predict->forecast_new(h, out, e)
               : rc;
}

void forecast_start(struct forecast *f)
{
    if (f)
        predict->forecast_start(f);
}

void forecast_changed(struct forecast *f, const struct diff *d)
{
    if (f)
        predict->forecast_changed(f, d);
}

void forecast_served(struct forecast *f)
{
    if (f)
        predict->forecast_served(f);
}

struct read_digest forecast_digest(const struct forecast *f)
{
    return f ? predict->forecast_digest(f) : (struct read_digest){ NULL, NULL };
}

void forecast_learned(struct forecast *f, struct view id, const void *lessons)
{
    predict->forecast_learned(f, id, lessons); /* somebody took them from a run */
}

void forecast_learned_all(struct forecast *f)
{
    if (f)
        predict->forecast_learned_all(f);
}

int forecast_read(struct forecast *f, struct err *e)
{
    return f ? predict->forecast_read(f, e) : 0;
}

void forecast_take(struct forecast *f)
{
    if (f)
        predict->forecast_take(f);
}

void forecast_refit(struct forecast *f)
{
    if (f)
        predict->forecast_refit(f);
}

bool forecast_loaded(const struct forecast *f)
{
    return f && predict->forecast_loaded(f);
}

void forecast_about(const struct forecast *f, struct about *out)
{
    if (f)
        predict->forecast_about(f, out);
}

void forecast_settled(struct forecast *f, void (*done)(void *ctx), void *ctx)
{
    if (f)
        predict->forecast_settled(f, done, ctx);
    else
        done(ctx);
}

void forecast_freeze(struct forecast *f)
{
    if (f)
        predict->forecast_freeze(f);
}

void forecast_stop(struct forecast *f)
{
    if (f)
        predict->forecast_stop(f);
}

void forecast_free(struct forecast *f)
{
    if (f)
        predict->forecast_free(f);
}
