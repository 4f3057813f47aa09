#include "server/compare/panel.h"

#include "tests/unit/module_host.h"

enum { SOURCES = 40, CURVES = 2, STEPS = 5, MOST = 700 };

/* A directory of encodes, and the panel that is kept up with it. */
struct desk {
    struct scenario of[MOST];
    char names[MOST][32], sources[MOST][16];
    uint32_t n;
    struct panel *panel;
    struct panel_heads heads;
    struct segment_scratch scratch;
};

static void add(struct desk *d, int source, int curve, int step)
{
    static const char *const presets[] = { "fast", "slow" };
    struct scenario *s = &d->of[d->n];

    snprintf(d->names[d->n], 32, "%d %d %d", source, curve, step);
    snprintf(d->sources[d->n], 16, "clip%03d", source);
    *s = unknown_scenario(d->names[d->n]);
    s->source = view_of(d->sources[d->n]);
    s->resolution = VIEW("1280x720");
    s->encoder = VIEW("libx264");
    s->preset = view_of(presets[curve]);
    s->encoder_given = s->preset_given = true;
    s->facts.bitrate_bps = 1e6 * (step + 1) * (curve + 1);
    s->facts.vmaf = 60 + 5 * step + curve;
    s->hash[0] = d->n;
    d->n++;
}

static void fill(struct desk *d)
{
    *d = (struct desk){ .n = 0 };
    panel_heads_init(&d->heads);
    for (int source = 0; source < SOURCES; source++)
        for (int curve = 0; curve < CURVES; curve++)
            for (int step = 0; step < STEPS; step++)
                add(d, source, curve, step);
}

static struct panel *make(struct desk *d, const struct panel *before)
{
    const struct run *run = make_run("run", d->of, d->n);
    const struct panel_task t = { .before = before,
                                  .served = { .runs = &run, .run_count = 1 },
                                  .deflated = SIZE_MAX };
    struct panel *p = panel_make(&t, &d->scratch);

    if (p)
        panel_settle(p);
    run_unref(run);
    return p;
}

/* False: nothing differs. */
static bool bring_up(struct desk *d)
{
    struct panel *p = make(d, d->panel);

    if (!p)
        return false;
    panel_free(d->panel);
    d->panel = p;
    return true;
}

static void text_of(const struct body *b, struct buf *text)
{
    buf_release(text);
    for (uint32_t i = 0; i < b->chunk_count; i++)
        buf_add(text, b->chunks[i]->text, b->chunks[i]->n);
}

/* What is kept says the same as what is made from nothing. */
static void check_fresh(struct desk *d)
{
    struct panel *fresh = make(d, NULL);
    struct body *a = panel_body(d->panel, &d->heads);
    struct buf kept = { 0 }, made = { 0 };

    text_of(a, &kept);
    if (fresh) {
        struct body *b = panel_body(fresh, &d->heads);

        text_of(b, &made);
        body_unref(b);
    }
    assert_true(view_eq(buf_as_view(&kept), buf_as_view(&made)));
    buf_deinit(&kept);
    buf_deinit(&made);
    body_unref(a);
    panel_free(fresh);
}

static void clear(struct desk *d)
{
    panel_free(d->panel);
    panel_heads_deinit(&d->heads);
    segment_scratch_deinit(&d->scratch);
}

static uint32_t differing(const struct body *a, const struct body *b)
{
    uint32_t n = 0;

    assert_int_equal(a->chunk_count, b->chunk_count);
    for (uint32_t i = 0; i < a->chunk_count; i++)
        n += a->chunks[i] != b->chunks[i];
    return n;
}

static void a_change_makes_its_own_block_anew(void **state)
{
    struct body *before, *after;
    struct desk d;

    (void)state;
    fill(&d);
    assert_true(bring_up(&d));
    before = panel_body(d.panel, &d.heads);
    assert_true(before->chunk_count >= 2 * (1 + 2)); /* of two blocks at least */
    assert_false(bring_up(&d));                      /* nothing differs */

    d.of[155].facts.vmaf += 0.5; /* the curve bends, the front stays */
    assert_true(bring_up(&d));
    after = panel_body(d.panel, &d.heads);
    assert_int_equal(differing(before, after), 1);
    check_fresh(&d);
    body_unref(before);
    before = after;

    d.of[150].facts.vmaf = NAN; /* the anchor is the other one now */
    assert_true(bring_up(&d));
    after = panel_body(d.panel, &d.heads);
    assert_int_equal(differing(before, after), 2);
    check_fresh(&d);
    body_unref(before);
    body_unref(after);
    clear(&d);
}

static void what_goes_and_comes_is_kept_up_with(void **state)
{
    uint64_t dice = 7;
    struct desk d;

    (void)state;
    fill(&d);
    assert_true(bring_up(&d));
    for (int round = 0; round < 60; round++) {
        struct scenario *s;

        dice = dice * 6364136223846793005u + 1442695040888963407u;
        s = &d.of[(dice >> 33) % d.n];
        switch (dice >> 62) {
        case 0: /* a whole source moves to another place */
            s->source = s->source.n ? VIEW("") : view_of(d.sources[s - d.of]);
            break;
        case 1:
            s->facts.bitrate_bps *= 1.1;
            break;
        case 2:
            s->resolution = VIEW("640x360");
            break;
        default:
            s->facts.vmaf = s->facts.vmaf > 50 ? (double)NAN : 70;
        }
        bring_up(&d);
        check_fresh(&d);
    }
    clear(&d);
}

static void nothing_left_is_an_empty_body(void **state)
{
    struct body *b;
    struct desk d;

    (void)state;
    fill(&d);
    assert_true(bring_up(&d));
    d.n = 0;
    assert_true(bring_up(&d));
    b = panel_body(d.panel, &d.heads);
    assert_int_equal(b->chunk_count, 0);
    body_unref(b);
    assert_false(bring_up(&d));
    clear(&d);
}

static void a_large_set_is_served_in_slices(void **state)
{
    struct body *b;
    struct desk d;

    (void)state;
    fill(&d);
    d.n = 0;
    for (int i = 0; i < 600; i++)
        add(&d, 0, i % 2, i / 2);
    assert_true(bring_up(&d));
    b = panel_body(d.panel, &d.heads);
    assert_int_equal(b->family_count, 2);
    assert_int_equal(b->families[1].count, 1 + 3); /* 256, 256 and 88 encodes */
    body_unref(b);
    clear(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_change_makes_its_own_block_anew),
        cmocka_unit_test(what_goes_and_comes_is_kept_up_with),
        cmocka_unit_test(nothing_left_is_an_empty_body),
        cmocka_unit_test(a_large_set_is_served_in_slices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
