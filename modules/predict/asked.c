/*
 * asked.c - encoders miss the rate that they are asked for, each in its own way: some by a
 * third, and more at low rates. Nearly a constant of the encoder, so that a small ridge on
 * the log of the ratio is enough.
 */
#include "modules/predict/asked.h"

#include "core/mem.h"

#include <math.h>
#include <stdlib.h>

#define RATIO_MOST 4 /* beyond it the lesson is no rule */

static const struct form form = {
    "ridge",
    "log_bits_per_pixel,encoder",
    { { BLOCK_ONE, FREE }, { BLOCK_U, FIRST }, { BLOCK_ENC, FIRST } },
    { { BLOCK_END } },
};
static const double penalty = 1;
static const struct forms forms = { &form, 1, &penalty, 1 };

void asked_make(struct asked *a, const struct data *d)
{
    struct point *at = mem_alloc((d->count + 1) * sizeof *at);
    double *y = mem_alloc((d->count + 1) * sizeof *y);
    uint32_t *source = mem_zalloc((d->count + 1) * sizeof *source);
    struct known k;
    /* A log, as that of core-seconds is. */
    struct examples e = {
        .target = TARGET_CORE_SECONDS,
        .data = d,
        .at = at,
        .y = y,
        .source = source,
        .sources = 1,
    };

    *a = (struct asked){ 0 };
    for (size_t i = 0; i < d->count; i++) {
        const struct lesson *l = d->rows[i].l;
        double ratio = log(l->came_bps / l->asked_bps);

        /* The very same: nobody has looked. */
        if (d->rows[i].copy_of != ROW_ITSELF || l->by_quality || !isfinite(ratio) ||
            l->came_bps == l->asked_bps ||
            !point_of_row(&d->rows[i], KIND_COMPUTE, d->texts, &at[e.n]))
            continue;
        y[e.n++] = ratio;
    }
    if (e.n > 0 && known_fit(&e, &forms, true, &k, &a->ratio))
        known_deinit(&k);
    free(at);
    free(y);
    free(source);
}

void asked_deinit(struct asked *a)
{
    predictor_deinit(&a->ratio);
}

double asked_comes(const struct asked *a, const struct whatif *w, uint32_t encoder,
                   uint32_t preset)
{
    double asked = w->bitrate_kbps * 1000, value, half, leverage;
    struct point at;

    point_of_whatif(w, KIND_COMPUTE, asked, encoder, preset, &at);
    if (!predictor_at(&a->ratio, &at, &value, &half, &leverage))
        return asked;
    return asked * exp(fmin(fmax(value, -log(RATIO_MOST)), log(RATIO_MOST)));
}
