/*
 * features.h - what of an encode a model looks at: lessons and what-ifs → points → rows of
 * columns.
 */
#ifndef MODULES_PREDICT_FEATURES_H
#define MODULES_PREDICT_FEATURES_H

#include "modules/predict/data.h"
#include "modules/predict/outlook.h"
#include "modules/predict/ridge.h"

enum kind { KIND_QUALITY, KIND_COMPUTE, KIND_POWER, KIND_POWER_BY_STREAMS };
enum kind kind_of(enum target t); /* KIND_POWER for power */

/* Blocks of columns: a number, or one per category, or a number per category. */
enum block {
    BLOCK_END, /* of a list */
    BLOCK_ONE,
    BLOCK_U,  /* bits per pixel, see point.u */
    BLOCK_U2, /* its square */
    BLOCK_E,  /* effort of the preset */
    BLOCK_EU,
    BLOCK_LP, /* pixel rate */
    BLOCK_STREAMS,
    BLOCK_STREAMS2,
    BLOCK_LOG_STREAMS,
    BLOCK_LOG_OUTPUTS,
    BLOCK_REAL_TIME,
    BLOCK_LOG_RATE,
    BLOCK_ENC, /* by encoder */
    BLOCK_ENC_U,
    BLOCK_ENC_U2,
    BLOCK_ENC_E,
    BLOCK_ENC_E2,
    BLOCK_ENC_EU,
    BLOCK_ENC_LP,
    BLOCK_PRESET, /* by encoder and preset */
    BLOCK_COUNT,
};

struct point {
    double u;  /* log of bits per pixel, about 0 in the middle of what is usual; for
                  quality with a fourth of the log of the pixel rate, because larger
                  pictures need fewer bits for each of their pixels; for crf: its negative
                  in doublings of the rate */
    double lp; /* log of pixels per second over 640x360 at 52 fps (1.2e7) */
    double e;  /* effort of the preset less a half; 0: not known */
    double streams, outputs, log_rate;
    double bits_per_pixel, pixel_rate, height; /* what ranges are checked by */
    uint32_t encoder, preset;                  /* category: as texts are numbered */
    uint32_t by_preset[2];
    bool real_time;
};

/* False: the lesson does not say enough for this kind. texts: of data. */
bool point_of_row(const struct row *r, enum kind kind, const struct view texts[],
                  struct point *out);

/* came_bps: bit rate that comes out of the one asked for; encoder and preset: numbers of
 * the texts in data, UINT32_MAX for one that no lesson has. */
void point_of_whatif(const struct whatif *w, enum kind kind, double came_bps,
                     uint32_t encoder, uint32_t preset, struct point *out);

/* ---- categories ------------------------------------------------------------------- */

enum {
    CATEGORIES_OWN = 12,   /* with slopes of their own, if there are enough of them */
    CATEGORY_LEAST = 3,    /* lessons that a slope takes */
    CATEGORIES_NAMED = 64, /* with a level of their own; the rest share one */
};

struct category {
    uint32_t encoder, preset, count;
};

struct categories {
    struct category *all; /* most frequent first; ties: by number of text */
    uint32_t count;
    uint32_t own, columns;
};

/* ---- columns ---------------------------------------------------------------------- */

struct design {
    struct categories encoders, presets;
    uint32_t at[BLOCK_COUNT], len[BLOCK_COUNT]; /* len 0: not in it */
    uint32_t columns;
};

/* Of these points, with the blocks whose bit is set in blocks. */
void design_init(struct design *d, const struct point at[], size_t n, uint32_t blocks);
void design_deinit(struct design *d);

/* x: d->columns numbers. False: no point had its encoder (x is filled all the same). */
bool design_row(const struct design *d, const struct point *p, double *x);

/* ---- forms ------------------------------------------------------------------------ */

enum weight { FREE, FIRST, SECOND }; /* penalty: none, k, 10 k */

struct form_block {
    uint8_t block, weight;
};

enum { FORM_BLOCKS = 16 };

struct form {
    const char *model, *features;
    struct form_block common[FORM_BLOCKS], by_group[FORM_BLOCKS];
};

uint32_t form_blocks(const struct form *f); /* bits */

/* Terms of the blocks that d has. Room for d->columns of each list; *out points there. */
void form_terms(const struct form *f, const struct design *d, double k,
                struct ridge_term *common, struct ridge_term *by_group,
                struct ridge_form *out);

#endif
