/*
 * outlook.h - what is to be expected: models of all targets, and what they say.
 *
 * An outlook is made from scratch, from lessons in a fixed order, and never changes: the same
 * lessons give the same bytes, whatever came when. Numbers in it are rounded to four
 * significant digits, so that an encode more moves only what it teaches.
 */
#ifndef MODULES_PREDICT_OUTLOOK_H
#define MODULES_PREDICT_OUTLOOK_H

#include "core/buf.h"
#include "core/err.h"
#include "modules/predict/lesson.h"

/* Whether other encodes of the same content were learned from. */
enum scope { SCOPE_KNOWN, SCOPE_NEW, SCOPE_COUNT };
const char *scope_name(enum scope s); /* "known_source", "new_source" */

struct estimate { /* with its 95 % prediction interval; NaN: the data cannot say */
    double value, low, high;
};

/* An encode that nobody has made yet. */
struct whatif {
    struct view name;            /* label config */
    double bitrate_kbps;         /* to ask for */
    double width, height, fps;   /* above 0 */
    struct view encoder, preset; /* empty: the pair that most lessons have */
};

/* The configurations to predict: those of a file's text, or the default four. */
struct whatif_list {
    struct whatif *all;
    size_t count;
    double target_vmaf;
};

/*
 * Reads {"configs": [{"name": …, "bitrate": "4M", "resolution": "1920x1080", "fps": 30,
 * "encoder": …, "preset": …}, …]}; text.p NULL: the default ones. -EINVAL: e names file, key
 * and reason. Texts are copied.
 */
int whatif_read(struct view text, const char *file, double target_vmaf,
                struct whatif_list *out, struct err *e);
void whatif_deinit(struct whatif_list *l);

struct whatif_outlook {
    struct whatif what; /* with encoder and preset filled in where any lesson says */
    struct estimate vmaf, psnr_db, ssim;
    struct estimate core_seconds; /* per second of content */
    struct estimate energy_j;     /* per second of content */
    struct estimate power_w;
    double confidence[TARGET_COUNT]; /* 0 to 1: the cross-validated R² of new sources
                                        (of encodes, below three sources), floored at 0,
                                        over sqrt(1 + leverage); NaN where nothing is
                                        predicted */
    struct estimate
        recommended_kbps; /* the lowest to ask for whose predicted VMAF reaches
                                         target_vmaf; low and high: where the ends of the
                                         interval do. Each by itself is NaN where that is
                                         beyond the range of the data */
    double target_vmaf;
};

struct model_report {
    enum target target;
    enum scope scope;
    struct view group;    /* what sets it apart from other models of its target, as
                             "cpu_model=…,passes=2"; empty: nothing */
    const char *model;    /* "linear", "mixed" … */
    struct view features; /* "log_bitrate*encoder,preset" */
    double r2, rmse;      /* of left-out encodes or sources, in the target's unit */
    double coverage;      /* part of those within their intervals */
    double condition;
    uint32_t samples, sources, left_out; /* left_out: outliers */
};

/* What is expected of a scenario by others of its source, its own measurement left out. */
struct scenario_outlook {
    struct estimate power_w;
    double energy_j, core_seconds; /* of the whole encode */
    double efficiency;             /* pixels per joule */
};

struct run_outlook {
    struct view id;
    uint32_t count;
    struct scenario_outlook *of; /* by the scenario's index in its run */
};

struct outlook;

/*
 * all: of any runs, in any order; borrowed. Takes up to a second per target with 10 000
 * lessons: for the pool. Never NULL; without enough lessons it just says little.
 */
struct outlook *outlook_new(const struct lessons *const all[], size_t count,
                            const struct whatif_list *whatifs);

/* The same, but NULL soon after *stop has become true: nobody waits for it any more. */
struct outlook *outlook_new_unless(const atomic_bool *stop,
                                   const struct lessons *const all[], size_t count,
                                   const struct whatif_list *whatifs);
void outlook_free(struct outlook *o);

/* Of lessons and settings: 16 hexadecimal digits. */
const char *outlook_version(const struct outlook *o);
uint64_t outlook_lessons(const struct outlook *o); /* how many */

const struct model_report *outlook_models(const struct outlook *o, size_t *count);
const struct whatif_outlook *outlook_whatifs(const struct outlook *o, size_t *count);

/* NULL: nothing is known of it. */
const struct scenario_outlook *outlook_scenario(const struct outlook *o,
                                                struct view run_id, uint32_t index);

/* One more question, asked at the prompt: as if it stood in the list. */
void outlook_ask(const struct outlook *o, const struct whatif *what, double target_vmaf,
                 struct whatif_outlook *out);

#endif
