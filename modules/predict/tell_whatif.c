/*
 * tell_whatif.c - what is expected of configurations that nobody has run.
 *
 * Each stands on its own endpoint with its interval, and once more without on the port
 * that the predecessor's prediction exporter had; only the numbers of the families differ.
 */
#include "modules/predict/tell_inner.h"

#include <math.h>

struct at { /* families of one quantity; low is NONE where there is no interval */
    uint16_t value, low, high;
};

#define NONE UINT16_MAX

struct whatif_at {
    struct at vmaf, psnr, confidence, bitrate, usd, co2;
};

#define NOWHERE                                                                        \
    {                                                                                  \
        NONE, NONE, NONE                                                               \
    }

static const struct whatif_at places[TELL_ON_COUNT] = {
    [TELL_RESULTS] = { NOWHERE, NOWHERE, NOWHERE, NOWHERE, NOWHERE, NOWHERE },
    [TELL_QOE] = { .vmaf = { QOE_VMAF, QOE_VMAF_LOW, QOE_VMAF_HIGH },
                   .psnr = { QOE_PSNR, QOE_PSNR_LOW, QOE_PSNR_HIGH },
                   .confidence = { QOE_CONFIDENCE, NONE, NONE },
                   .bitrate = { QOE_BITRATE, QOE_BITRATE_LOW, QOE_BITRATE_HIGH },
                   .usd = NOWHERE,
                   .co2 = NOWHERE },
    [TELL_COST] = { .vmaf = NOWHERE,
                    .psnr = NOWHERE,
                    .confidence = NOWHERE,
                    .bitrate = NOWHERE,
                    .usd = { COST_USD, COST_USD_LOW, COST_USD_HIGH },
                    .co2 = { COST_CO2, COST_CO2_LOW, COST_CO2_HIGH } },
    [TELL_ML] = { .vmaf = { ML_VMAF, NONE, NONE },
                  .psnr = { ML_PSNR, NONE, NONE },
                  .confidence = { ML_CONFIDENCE, NONE, NONE },
                  .bitrate = { ML_BITRATE, NONE, NONE },
                  .usd = { ML_USD, NONE, NONE },
                  .co2 = { ML_CO2, NONE, NONE } },
};

static void add_decimal(const char *name, double a, const char *mid, double b,
                        struct series *out, struct labels *l)
{
    struct buf text = { 0 };

    buf_decimal(&text, a);
    buf_str(&text, mid);
    if (!isnan(b))
        buf_decimal(&text, b);
    labels_add(out, l, name, buf_as_view(&text));
    buf_deinit(&text);
}

static struct labels whatif_labels(const struct whatif *w, struct series *out)
{
    struct labels l = labels_open(out);

    labels_add(out, &l, "config", w->name);
    add_decimal("bitrate", w->bitrate_kbps, "kbps", NAN, out, &l);
    add_decimal("resolution", w->width, "x", w->height, out, &l);
    add_decimal("fps", w->fps, "", NAN, out, &l);
    labels_add(out, &l, "encoder", w->encoder);
    labels_add(out, &l, "preset", w->preset);
    return l;
}

static void add_estimate(const struct at *at, const struct estimate *e, struct labels l,
                         struct series *out)
{
    if (at->value == NONE)
        return;
    series_add(out, at->value, l, e->value);
    if (at->low == NONE)
        return;
    series_add(out, at->low, l, e->low);
    series_add(out, at->high, l, e->high);
}

static void add_confidence(const struct at *at, const struct whatif_outlook *w,
                           struct series *out)
{
    if (at->value == NONE)
        return;
    for (int t = 0; t < TARGET_COUNT; t++) {
        struct labels l;

        if (isnan(w->confidence[t]))
            continue;
        l = whatif_labels(&w->what, out);
        labels_add(out, &l, "target", view_of(target_name((enum target)t)));
        series_add(out, at->value, l, w->confidence[t]);
    }
}

static void add_bitrate(const struct at *at, const struct whatif_outlook *w,
                        struct series *out)
{
    struct labels l;

    if (at->value == NONE)
        return;
    l = whatif_labels(&w->what, out);
    add_decimal("target_vmaf", w->target_vmaf, "", NAN, out, &l);
    add_estimate(at, &w->recommended_kbps, l, out);
}

static void add_prices(const struct whatif_at *at, const struct whatif_outlook *w,
                       const struct tariff *t, struct labels l, struct series *out)
{
    const struct estimate usd = tell_hourly_cost(w, &t->usd);
    const struct estimate co2 = tell_hourly_co2_kg(w, t);

    add_estimate(&at->usd, &usd, l, out);
    add_estimate(&at->co2, &co2, l, out);
}

void tell_whatifs(enum tell_on on, const struct outlook *o,
                  const struct tell_context *c, struct series *out)
{
    const struct whatif_at *at = &places[on];
    const struct view home = { NULL, 0 };
    size_t count = 0;
    const struct whatif_outlook *all = outlook_whatifs(o, &count);
    struct tariff t;
    bool priced = at->usd.value != NONE && tell_tariff(c, home, &t);

    for (size_t i = 0; i < count; i++) {
        const struct whatif_outlook *w = &all[i];
        struct labels l = whatif_labels(&w->what, out);

        add_estimate(&at->vmaf, &w->vmaf, l, out);
        add_estimate(&at->psnr, &w->psnr_db, l, out);
        if (priced)
            add_prices(at, w, &t, l, out);
        add_confidence(&at->confidence, w, out);
        add_bitrate(&at->bitrate, w, out);
    }
}
