#include "modules/compare/compare_set.h"

#include "core/conditions.h"
#include "core/hash.h"

#include <math.h>

static bool over(const struct scenario *s)
{
    bool open = !isnan(s->start_s) && isnan(s->facts.duration_s);

    return s->state == SCENARIO_TOLD && !open;
}

static bool several_outputs(const struct scenario *s)
{
    return memchr(s->output_ladder.p, ',', s->output_ladder.n) != NULL;
}

bool compare_takes_part(const struct scenario *s)
{
    return s->source.n && s->resolution.n && !s->is_baseline && over(s) &&
           !several_outputs(s);
}

void compare_conditions(const struct scenario *s, struct buf *text)
{
    buf_release(text);
    if (s->facts.streams > 1)
        conditions_add_number(text, "streams", s->facts.streams);
    conditions_add_scores(text, s);
    conditions_add_encode(text, s);
}

static void mix(uint64_t hash[2], struct view v)
{
    struct hash h = hash_of(v, hash[0] ^ hash[1]);

    hash[0] = h.part[0];
    hash[1] = h.part[1];
}

void compare_set(const struct scenario *s, struct buf *text, uint64_t set[2])
{
    set[0] = set[1] = 0;
    mix(set, s->source);
    mix(set, s->resolution);
    compare_conditions(s, text);
    mix(set, buf_as_view(text));
}

void compare_test(const struct scenario *s, const uint64_t set[2], uint64_t test[2])
{
    double crf = isnan(s->facts.crf) ? (double)NAN : s->facts.crf;

    test[0] = set[0];
    test[1] = set[1];
    mix(test, (struct view){ (const char *)s->identity, sizeof s->identity });
    mix(test, (struct view){ (const char *)&crf, sizeof crf });
}

double compare_rate_bps(const struct facts *f)
{
    double bps = isnan(f->actual_bitrate_bps) ? f->bitrate_bps : f->actual_bitrate_bps;

    return isfinite(bps) && bps > 0 ? bps : (double)NAN;
}

double compare_plain_cost(double cost)
{
    return isfinite(cost) && cost >= 0 ? cost : (double)NAN;
}
