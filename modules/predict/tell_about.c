/*
 * tell_about.c - the configurations on the page that people read.
 */
#include "modules/predict/tell_inner.h"

#include <math.h>

static void add_estimate(struct buf *b, const char *name, const struct estimate *e,
                         const char *unit)
{
    if (isnan(e->value))
        return;
    if (b->n)
        buf_str(b, "; ");
    buf_fmt(b, "%s%.4g%s", name, e->value, unit);
    if (!isnan(e->low) && !isnan(e->high))
        buf_fmt(b, " (%.4g to %.4g)", e->low, e->high);
}

static void add_what(struct buf *b, const struct whatif *w)
{
    buf_view(b, w->name);
    buf_fmt(b, ": %gx%g, %g fps, %g kbit/s", w->width, w->height, w->fps,
            w->bitrate_kbps);
    if (w->encoder.n) {
        buf_str(b, ", ");
        buf_view(b, w->encoder);
    }
    if (w->preset.n) {
        buf_char(b, ' ');
        buf_view(b, w->preset);
    }
}

static void add_expected(struct buf *b, const struct whatif_outlook *w,
                         const struct tell_context *c)
{
    struct tariff t;

    add_estimate(b, "VMAF ", &w->vmaf, "");
    add_estimate(b, "PSNR ", &w->psnr_db, " dB");
    add_estimate(b, "", &w->core_seconds, " core-seconds per second of content");
    if (tell_tariff(c, VIEW(""), &t)) {
        const struct estimate usd = tell_hourly_cost(w, &t.usd);

        add_estimate(b, "", &usd, " USD per hour of content");
    }
    if (!isnan(w->recommended_kbps.value)) {
        buf_fmt(b, "; for VMAF %g ask for", w->target_vmaf);
        buf_fmt(b, " %.0f kbit/s", w->recommended_kbps.value);
    }
    if (!b->n)
        buf_str(b, "the data cannot say");
}

static void add_confidence(struct buf *b, const struct whatif_outlook *w)
{
    if (!isnan(w->confidence[TARGET_VMAF]))
        buf_fmt(b, "VMAF %s", confidence_word(w->confidence[TARGET_VMAF]));
    if (!isnan(w->confidence[TARGET_CORE_SECONDS]))
        buf_fmt(b, "%scost %s", b->n ? ", " : "",
                confidence_word(w->confidence[TARGET_CORE_SECONDS]));
    if (b->n)
        buf_str(b, " confidence");
}

void tell_about(const struct outlook *o, const struct tell_context *c,
                struct about *out)
{
    size_t n;
    const struct whatif_outlook *all = outlook_whatifs(o, &n);
    struct buf what = { 0 }, value = { 0 }, source = { 0 };

    about_section(out, "Predictions for content not seen yet");
    for (size_t i = 0; i < n; i++) {
        add_what(&what, &all[i].what);
        add_expected(&value, &all[i], c);
        add_confidence(&source, &all[i]);
        about_row(out, buf_as_view(&what), buf_as_view(&value), buf_as_view(&source));
        buf_release(&what);
        buf_release(&value);
        buf_release(&source);
    }
    buf_deinit(&what);
    buf_deinit(&value);
    buf_deinit(&source);
}
