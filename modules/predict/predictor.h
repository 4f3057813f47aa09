/*
 * predictor.h - what the models of one target learn from, and the line that answers for
 * encodes that nobody has made.
 */
#ifndef MODULES_PREDICT_PREDICTOR_H
#define MODULES_PREDICT_PREDICTOR_H

#include "modules/predict/forms.h"

/* The lessons of one model, by source. */
struct examples {
    enum target target;
    const struct data *data; /* they are from */
    size_t n;
    const struct point *at;
    double *y;              /* on the scale of response.h, less an offset; NaN: not
                               learned from */
    const uint32_t *source; /* ascending, from 0 */
    uint32_t sources;
};

/* Of a target that grows with the pixels, what is learned is the rest: lp; else 0. */
double offset_of(enum target t, const struct point *p);

struct predictor {
    const struct form *form; /* NULL: there is none */
    struct design design;
    struct ridge_term *terms;
    struct ridge_form ridge;
    struct ridge_line line;
    double unit; /* half the width of a 95 % interval, over sqrt(1 + leverage) */
};

/* Without the offset; false: nothing can be said of such an encoder. */
bool predictor_at(const struct predictor *p, const struct point *at, double *value,
                  double *half, double *leverage);
void predictor_deinit(struct predictor *p);

/* Rows of a design for all points: n × design->columns. */
double *design_rows(const struct design *d, const struct point at[], size_t n);

/* ---- other encodes of the same content -------------------------------------------- */

struct known {
    const struct form *form;
    double *left_out, *half; /* of each example, without itself and the offset */
    double condition;
    size_t learned, outliers;
};

/*
 * Examples beyond ten robust deviations of what the others say of them lose their y.
 * pooled: sources are not told apart. line: gets the common line of a pooled fit; NULL: not
 * asked for. False: there is too little to learn from, and nothing is filled.
 */
bool known_fit(struct examples *e, const struct forms *forms, bool pooled,
               struct known *out, struct predictor *line);
void known_deinit(struct known *k);

/* ---- content never seen ----------------------------------------------------------- */

struct unseen {
    struct predictor line;
    double *value,
        *half; /* of each example that was learned from, by all sources but its
                             part, with form, penalty and interval chosen without it */
    double condition;
    uint32_t sources;
};

/* False: fewer than three sources, or too little to learn from; nothing is filled. */
bool unseen_fit(const struct examples *e, const struct forms *forms,
                struct unseen *out);
void unseen_deinit(struct unseen *u);

#endif
