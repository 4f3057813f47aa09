/*
 * forecast.h - what is learned from the runs of the directory, and served of it.
 *
 * Hears of every run, fits models on the pool when that has changed anything, and puts
 * what they say beside the bodies of the endpoints (pipeline_add()). Scrapes see what the
 * previous fit said meanwhile. All of it lies in predict.so. Loop thread only, but for
 * what forecast_digest() gives.
 */
#ifndef SERVER_PREDICT_FORECAST_H
#define SERVER_PREDICT_FORECAST_H

#include <uv.h>

#include "server/config.h"
#include "server/pipeline.h"
#include "server/sources/reader.h"

struct forecast;

/* What it works for; borrowed, and there for longer. */
struct forecast_host {
    uv_loop_t *loop;
    const struct config *config;
    struct store *store;
    struct pipeline *pipeline;
    struct self *self; /* gets our families */
};

/*
 * *out is NULL with --predict off, and where predict.so is missing and nobody asked for
 * predictions: then the log says so. A negative errno and e: a setting or the file that
 * one names is wrong, or the library is missing. All functions below accept NULL.
 */
int forecast_new(const struct forecast_host *h, struct forecast **out, struct err *e);

/* What the process tells of it. For docs. */
const struct family *forecast_families(size_t *count);

/* Checks the settings and the file they name. */
int forecast_check(const struct config *c, struct err *e);

/* Nothing is fitted before: the first scan is served. */
void forecast_start(struct forecast *f);

/* What happened to a run that is, or was, read to be served. */
void forecast_changed(struct forecast *f, const struct diff *d);

/* What is served may have changed, or the settings of modules have. */
void forecast_served(struct forecast *f);

/* For a source; see source.h. With NULL nobody learns. */
struct read_digest forecast_digest(const struct forecast *f);
void forecast_learned(struct forecast *f, struct view id, const void *lessons);
void forecast_learned_all(struct forecast *f);

/* Reads --predict.configs anew; what it holds counts from forecast_take() on. On failure
 * e names file, key and reason. */
int forecast_read(struct forecast *f, struct err *e);
void forecast_take(struct forecast *f);

/* Fits anew, as soon as that may be. */
void forecast_refit(struct forecast *f);

/* True once there is a fit that can predict anything. */
bool forecast_loaded(const struct forecast *f);

/* What the last fit says, as rows for the page. */
void forecast_about(const struct forecast *f, struct about *out);

/* Calls done once, when all is learned and fitted: at once if that is now. */
void forecast_settled(struct forecast *f, void (*done)(void *ctx), void *ctx);

/* What is said stays as it is from now on. */
void forecast_freeze(struct forecast *f);

/* Closes all handles; what is on the pool ends by itself, and soon. */
void forecast_stop(struct forecast *f);

/* After the loop has run dry. */
void forecast_free(struct forecast *f);

#endif
