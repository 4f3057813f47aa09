#include "core/scenario.h"
#include "core/buf.h"
#include "core/hash.h"
#include "core/mem.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

const char *energy_basis_name(enum energy_basis b)
{
    static const char *const names[] = {
        [ENERGY_NONE] = "none",
        [ENERGY_SAMPLES] = "samples",
        [ENERGY_SAMPLES_PARTIAL] = "samples_partial",
        [ENERGY_REPORTED] = "reported",
        [ENERGY_UPSTREAM] = "upstream",
        [ENERGY_UPSTREAM_SHARED] = "upstream_shared",
        [ENERGY_SAMPLER] = "sampler",
        [ENERGY_SAMPLER_SHARED] = "sampler_shared",
        [ENERGY_ESTIMATED] = "estimated",
    };

    return names[b];
}

const char *compute_basis_name(enum compute_basis b)
{
    static const char *const names[] = {
        [COMPUTE_NONE] = "none",
        [COMPUTE_USAGE] = "usage",
        [COMPUTE_USAGE_PARTIAL] = "usage_partial",
        [COMPUTE_REPORTED] = "reported",
        [COMPUTE_UPSTREAM] = "upstream",
        [COMPUTE_SAMPLER] = "sampler",
        [COMPUTE_WALL_CLOCK] = "wall_clock",
    };

    return names[b];
}

/* Every text of a scenario, so that none is forgotten when it is copied. */
static const size_t texts[] = {
    offsetof(struct scenario, name),       offsetof(struct scenario, bitrate),
    offsetof(struct scenario, resolution), offsetof(struct scenario, fps),
    offsetof(struct scenario, streams),    offsetof(struct scenario, output_ladder),
    offsetof(struct scenario, encoder),    offsetof(struct scenario, encoder_type),
    offsetof(struct scenario, preset),     offsetof(struct scenario, region),
    offsetof(struct scenario, codec),      offsetof(struct scenario, source),
    offsetof(struct scenario, host),       offsetof(struct scenario, cpu_model),
    offsetof(struct scenario, gpu_model),  offsetof(struct scenario, rate_control),
    offsetof(struct scenario, vmaf_model), offsetof(struct scenario, transfer),
    offsetof(struct scenario, reference),  offsetof(struct scenario, output),
};

enum { TEXTS = sizeof texts / sizeof *texts };

static struct view *text_at(struct scenario *s, size_t i)
{
    return (struct view *)(void *)((char *)s + texts[i]);
}

static void move_text(char **to, struct view *v)
{
    if (v->n)
        memcpy(*to, v->p, v->n);
    v->p = *to;
    *to += v->n;
}

/* Each part with its length before it, so that no two lists of parts look the same. */
static struct hash identity(const struct scenario *s)
{
    const struct view parts[] = { s->name, s->bitrate, s->resolution, s->encoder,
                                  s->preset };
    struct hash h = { { 0, 0 } };
    struct buf b = { 0 };

    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        uint64_t n = parts[i].n;

        buf_add(&b, &n, sizeof n);
        buf_view(&b, parts[i]);
    }
    h = hash_of(buf_as_view(&b), 0);
    buf_deinit(&b);
    return h;
}

struct scenario *scenario_new(const struct scenario *from)
{
    struct scenario copy = *from;
    size_t bytes = sizeof copy + copy.param_count * sizeof *copy.params;

    assert(!copy.as_told || !copy.as_told->as_told);
    assert(copy.name.n > 0 && copy.param_count <= SCENARIO_PARAMS_MAX);
    for (size_t i = 0; i < TEXTS; i++)
        bytes += text_at(&copy, i)->n;
    for (uint32_t i = 0; i < copy.param_count; i++)
        bytes += copy.params[i].key.n + copy.params[i].value.n;

    char *block = mem_alloc(bytes);
    struct scenario *s = (struct scenario *)(void *)block;
    struct param *params = (struct param *)(void *)(block + sizeof *s);
    char *to = (char *)(params + copy.param_count);
    struct hash who = identity(&copy);

    for (size_t i = 0; i < TEXTS; i++)
        move_text(&to, text_at(&copy, i));
    for (uint32_t i = 0; i < copy.param_count; i++) {
        params[i] = copy.params[i];
        move_text(&to, &params[i].key);
        move_text(&to, &params[i].value);
    }
    assert(to == block + bytes);
    copy.params = params;
    memcpy(copy.identity, who.part, sizeof copy.identity);
    memcpy(s, &copy, sizeof *s);
    atomic_init(&s->refs, 1);
    return s;
}

const struct scenario *scenario_ref(const struct scenario *s)
{
    atomic_fetch_add_explicit(&((struct scenario *)(uintptr_t)s)->refs, 1,
                              memory_order_relaxed);
    return s;
}

void scenario_unref(const struct scenario *s)
{
    struct scenario *mine = (struct scenario *)(uintptr_t)s;

    /* Whoever frees must see all that other holders did before they let go. */
    if (!mine || atomic_fetch_sub_explicit(&mine->refs, 1, memory_order_acq_rel) != 1)
        return;
    scenario_unref(mine->as_told);
    free(mine);
}

const struct scenario *scenario_told(const struct scenario *s)
{
    return s->as_told ? s->as_told : s;
}

double scenario_unix_time(double s)
{
    return s >= 1e9 && s < 1e11 ? s : NAN;
}
