#include "core/scenario_labels.h"

struct labels scenario_labels_begin(const struct place *at, struct series *out)
{
    const struct scenario *s = at->s;
    struct labels l = labels_open(out);

    labels_add(out, &l, "run_id", at->run->id);
    labels_add(out, &l, "scenario", s->name);
    labels_add(out, &l, "bitrate", s->bitrate);
    labels_add(out, &l, "resolution", s->resolution);
    labels_add(out, &l, "fps", s->fps);
    labels_add(out, &l, "streams", s->streams);
    labels_add(out, &l, "output_ladder", s->output_ladder);
    labels_add(out, &l, "encoder", s->encoder);
    labels_add(out, &l, "encoder_type", s->encoder_type);
    labels_add(out, &l, "preset", s->preset);
    return l;
}

void scenario_labels_end(const struct place *at, struct series *out, struct labels *l)
{
    if (at->ordinal > 1)
        labels_add_u64(out, l, "repeat", at->ordinal);
}

struct labels scenario_labels(const struct place *at, struct series *out)
{
    struct labels l = scenario_labels_begin(at, out);

    scenario_labels_end(at, out, &l);
    return l;
}
