#include "modules/predict/tell_inner.h"

void tell_state(const struct tell_state_at *at, const struct outlook *o,
                const struct tell_context *c, struct series *out)
{
    struct labels none = labels_open(out), l;
    size_t models = 0;

    if (o)
        outlook_models(o, &models);
    series_add(out, at->up, none, models > 0);
    if (models > 0) {
        l = labels_open(out);
        labels_add(out, &l, "version",
                   view_of(c->model_version ? c->model_version : outlook_version(o)));
        series_add(out, at->version, l, 1);
        series_add(out, at->update, none, c->model_update_s);
    }
    l = labels_open(out);
    labels_add(out, &l, "version", view_of(c->version));
    labels_add(out, &l, "language", VIEW("c"));
    labels_add(out, &l, "ml_backend", VIEW("c"));
    series_add(out, at->info, l, 1);
}
