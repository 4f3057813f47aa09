/*
 * render.h - samples → bytes of the text format 0.0.4.
 *
 * Format: https://prometheus.io/docs/instrumenting/exposition_formats/
 */
#ifndef CORE_RENDER_H
#define CORE_RENDER_H

#include "core/series.h"

/* The # HELP and # TYPE lines of a family. */
void render_head(const struct family *f, struct buf *out);

/*
 * The sample lines of family number `family`, in the order they were added. order is
 * what series_order() made of the same series.
 */
struct series_order { /* zero-initialised; may be used again and again */
    uint32_t *sample; /* indices of samples, grouped by family, order kept */
    uint32_t *first;  /* families + 1 entries: where each family's group begins */
};
void series_order(const struct series *s, size_t families, struct series_order *out);
void series_order_deinit(struct series_order *o);

void render_samples(const struct series *s, const struct series_order *order,
                    const struct family *families, size_t family, struct buf *out);

#endif
