#include "modules/compare/compare.h"

#include "tests/unit/encodes.h"
#include "tests/unit/module_host.h"

#include "core/json.h"

/* Stands for a module, so that samples are looked up as those of one. */
static const struct module shown = { .families = compare_families,
                                     .family_count = COMPARE_FAMILIES };

static void compare(struct host *h, const struct run *const runs[], size_t count,
                    const struct compare_context *c)
{
    const struct served all = { .runs = runs, .run_count = count };
    size_t n;
    struct compare_entry *e = compare_entries(&all, c, &n);

    h->m = &shown;
    series_release(&h->out);
    for (size_t i = 0, size; i < n; i += size) {
        size = compare_set_size(e + i, n - i);
        compare_fronts(e + i, size);
        compare_tell_rates(e + i, size, c, &h->out);
        compare_tell_fronts(e + i, size, c, &h->out);
    }
    free(e);
    assert_sound(h);
}

static const struct compare_context plain = { .ctx = NULL };

/* ---- real encodes ------------------------------------------------------------------------ */

static const struct run *read_run(struct results_parser *p, const char *name)
{
    char path[512];
    struct results_notes notes;
    struct err err = { 0 };
    const struct run *run;
    struct view text;

    snprintf(path, sizeof path, TEST_DATA "/encodes/%s", name);
    text = encodes_read(path);
    assert_int_equal(results_parse(p, text, (struct view){ name, strlen(name) - 5 },
                                   NULL, 0, &run, &notes, &err),
                     RESULTS_OK);
    free((char *)(uintptr_t)text.p);
    return run;
}

static void text_of(const struct json_value *v, const char *key, char to[64])
{
    struct view text = json_text(json_member(v, view_of(key)));

    snprintf(to, 64, "%.*s", VIEW_ARG(text));
}

/* Figures that are there; the others have a reason. */
static size_t check_entry(const struct host *h, const struct json_value *entry)
{
    static const char *const metrics[] = { "vmaf", "psnr", "ssim" };
    char source[64], encoder[64], preset[64], parts[300];
    size_t found = 0;

    text_of(entry, "clip", source);
    text_of(json_member(entry, VIEW("test")), "encoder", encoder);
    text_of(json_member(entry, VIEW("test")), "preset", preset);
    for (size_t m = 0; m < 3; m++) {
        const struct json_value *want =
            json_member(json_member(entry, VIEW("pchip")), view_of(metrics[m]));
        double got;

        snprintf(parts, sizeof parts,
                 "source=\"%s\" encoder=\"%s\" preset=\"%s\" metric=\"%s\"", source,
                 encoder, preset, metrics[m]);
        got = sample(h, "qoe_bd_rate_percent", parts);
        if (isnan(got))
            continue;
        if (!(fabs(got - want->number) < 1e-4))
            fail_msg("%s: got %.9g, want %.9g", parts, got, want->number);
        found++;
    }
    return found;
}

static void the_reference_is_met_by_the_measured_encodes(void **state)
{
    /* All but those in real time and those of several sizes. */
    static const char *const names[] = {
        "114333", "114416", "114454", "114529", "114539", "114613", "114658",
        "114740", "114935", "114956", "115059", "115317", "115435", "115609",
        "115726", "115843", "120004", "120011", "120020", "120042",
    };
    enum { RUNS = sizeof names / sizeof *names };
    const struct compare_context c = { .anchor = VIEW("libx264 veryfast"),
                                       .with_run_id = true };
    struct view text = encodes_read(TEST_DATA "/reference/bd_rate.json");
    struct json_parser *json = json_parser_new();
    struct results_parser *p = results_parser_new();
    const struct json_value *all, *entries;
    const struct run *runs[RUNS];
    struct host h = { 0 };
    struct arena mem = { 0 };
    struct err e = { 0 };
    size_t found = 0;

    (void)state;
    for (size_t i = 0; i < RUNS; i++) {
        char name[64];

        snprintf(name, sizeof name, "test_results_20261120_%s.json", names[i]);
        runs[i] = read_run(p, name);
    }
    compare(&h, runs, RUNS, &c);
    assert_int_equal(json_parse(json, text, &mem, &all, &e), 0);
    entries = json_member(all, VIEW("entries"));
    for (uint32_t i = 0; i < entries->n; i++)
        found += check_entry(&h, &entries->items[i]);
    /* 27 entries of three scores; libsvtav1 8 of photopan720 begins where veryfast ends:
       they share 1, 20 and 39 % of its qualities. */
    assert_int_equal(found, 27 * 3 - 3);
    assert_int_equal(sample_count(&h, "qoe_bd_rate_percent"), found);
    for (size_t i = 0; i < RUNS; i++)
        run_unref(runs[i]);
    series_deinit(&h.out);
    arena_deinit(&mem);
    free((char *)(uintptr_t)text.p);
    results_parser_free(p);
    json_parser_free(json);
}

/* ---- encodes by hand --------------------------------------------------------------------- */

enum { STEPS = 4, ROOM = 40 };

struct made {
    struct scenario of[ROOM];
    char names[ROOM][32], rates[ROOM][16];
    uint32_t n;
};

/* STEPS encodes at 1, 2, 4 and 8 Mbit/s times factor, VMAF 60 to 90. */
static void add_curve(struct made *m, const char *encoder, const char *preset,
                      double factor)
{
    for (int i = 0; i < STEPS; i++) {
        struct scenario *s = &m->of[m->n];

        snprintf(m->names[m->n], 32, "%s %s %d", encoder, preset, i);
        snprintf(m->rates[m->n], 16, "%dM", 1 << i);
        *s = unknown_scenario(m->names[m->n]);
        s->source = VIEW("clip");
        s->resolution = VIEW("1280x720");
        s->output_ladder = VIEW("1280x720@30");
        s->encoder = view_of(encoder);
        s->preset = view_of(preset);
        s->encoder_given = s->preset_given = true;
        s->bitrate = view_of(m->rates[m->n]);
        s->facts.bitrate_bps = 1e6 * (1 << i);
        s->facts.actual_bitrate_bps = factor * s->facts.bitrate_bps;
        s->facts.vmaf = 60 + 10 * i;
        s->facts.psnr_db = 30 + i;
        s->facts.ssim = 0.9 + 0.01 * i;
        m->n++;
    }
}

static void compare_made(struct host *h, const struct made *m,
                         const struct compare_context *c)
{
    const struct run *run = make_run("run", m->of, m->n);

    compare(h, &run, 1, c);
    run_unref(run);
}

/* Two curves, of which the second needs half. */
static void make_two(struct made *m)
{
    m->n = 0;
    add_curve(m, "libx264", "veryfast", 1);
    add_curve(m, "libx265", "fast", 0.5);
}

static void rates_that_came_out_are_compared(void **state)
{
    struct made m;
    struct host h = { 0 };

    (void)state;
    make_two(&m);
    compare_made(&h, &m, &plain);
    assert_served(&h, "qoe_bd_rate_percent",
                  "qoe_bd_rate_percent{source=\"clip\",resolution=\"1280x720\","
                  "anchor=\"libx264 veryfast\",encoder=\"libx265\",preset=\"fast\","
                  "metric=\"vmaf\"} -50\n"
                  "qoe_bd_rate_percent{source=\"clip\",resolution=\"1280x720\","
                  "anchor=\"libx264 veryfast\",encoder=\"libx265\",preset=\"fast\","
                  "metric=\"psnr\"} -50\n"
                  "qoe_bd_rate_percent{source=\"clip\",resolution=\"1280x720\","
                  "anchor=\"libx264 veryfast\",encoder=\"libx265\",preset=\"fast\","
                  "metric=\"ssim\"} -50\n");
    for (uint32_t i = 0; i < m.n; i++)
        m.of[i].facts.actual_bitrate_bps = NAN; /* then those asked for */
    compare_made(&h, &m, &plain);
    assert_near(sample(&h, "qoe_bd_rate_percent", "metric=\"vmaf\""), 0, 1e-12);
    series_deinit(&h.out);
}

static void the_anchor_is_named_or_has_most_points(void **state)
{
    struct compare_context c = plain;
    struct made m;
    struct host h = { 0 };

    (void)state;
    make_two(&m);
    c.anchor = VIEW("libx265 fast");
    compare_made(&h, &m, &c);
    assert_near(sample(&h, "qoe_bd_rate_percent",
                       "anchor=\"libx265 encoder=\"libx264\" metric=\"vmaf\""),
                100, 1e-12);
    c.anchor = VIEW("libx265 slow"); /* nobody ran it */
    compare_made(&h, &m, &c);
    assert_int_equal(sample_count(&h, "qoe_bd_rate_percent"), 0);

    add_curve(&m, "libx265", "fast", 0.5); /* five points: 16 Mbit/s, VMAF 95 */
    m.n -= STEPS - 1;
    m.of[m.n - 1].name = VIEW("fifth");
    m.of[m.n - 1].facts.bitrate_bps = 16e6;
    m.of[m.n - 1].facts.actual_bitrate_bps = 8e6;
    m.of[m.n - 1].facts.vmaf = 95;
    compare_made(&h, &m, &plain);
    assert_true(sample(&h, "qoe_bd_rate_percent",
                       "anchor=\"libx265 encoder=\"libx264\" metric=\"vmaf\"") > 90);
    series_deinit(&h.out);
}

/* What each change of one encode does to the figures of its curve. */
static void what_is_no_curve_has_no_figure(void **state)
{
    struct made m;
    struct host h = { 0 };

    (void)state;
    make_two(&m);
    m.of[6].facts.vmaf = 69; /* falls */
    compare_made(&h, &m, &plain);
    assert_unknown(sample(&h, "qoe_bd_rate_percent", "metric=\"vmaf\""));
    assert_near(sample(&h, "qoe_bd_rate_percent", "metric=\"psnr\""), -50, 1e-12);

    make_two(&m);
    m.of[7].facts.psnr_db = INFINITY; /* three are left */
    m.of[7].facts.ssim = NAN;
    compare_made(&h, &m, &plain);
    assert_near(sample(&h, "qoe_bd_rate_percent", "metric=\"vmaf\""), -50, 1e-12);
    assert_int_equal(sample_count(&h, "qoe_bd_rate_percent"), 1);

    make_two(&m);
    for (int i = 4; i < 8; i++)
        m.of[i].facts.vmaf += 15.1; /* 14.9 of 30 are common */
    compare_made(&h, &m, &plain);
    assert_unknown(sample(&h, "qoe_bd_rate_percent", "metric=\"vmaf\""));
    for (int i = 4; i < 8; i++)
        m.of[i].facts.vmaf -= 0.2;
    compare_made(&h, &m, &plain);
    assert_true(sample(&h, "qoe_bd_rate_percent", "metric=\"vmaf\"") < -50);
    series_deinit(&h.out);
}

static void a_default_is_no_fact(void **state)
{
    struct made m;
    struct host h = { 0 };

    (void)state;
    make_two(&m);
    m.of[4].preset_given = false;
    compare_made(&h, &m, &plain);
    assert_int_equal(sample_count(&h, "qoe_bd_rate_percent"), 0);
    assert_int_equal(sample_count(&h, "qoe_pareto_optimal"), 8);
    series_deinit(&h.out);
}

static void only_what_is_alike_is_compared(void **state)
{
    static const struct param film[] = { { VIEW("tune"), VIEW("film") } };
    struct made m;
    struct host h = { 0 };

    (void)state;
    for (int change = 0; change < 7; change++) {
        make_two(&m);
        for (int i = 4; i < 8; i++) {
            struct scenario *s = &m.of[i];

            s->source = change == 0   ? VIEW("other")
                        : change == 1 ? VIEW("")
                                      : s->source;
            s->resolution = change == 2 ? VIEW("640x360") : s->resolution;
            s->vmaf_model = change == 3 ? VIEW("vmaf_4k_v0.6.1") : s->vmaf_model;
            s->params = film;
            s->param_count = change == 4;
            s->output_ladder =
                change == 5 ? VIEW("1280x720@30,640x360@30") : s->output_ladder;
            s->state = change == 6 ? SCENARIO_RUNNING : s->state;
        }
        compare_made(&h, &m, &plain);
        assert_int_equal(sample_count(&h, "qoe_bd_rate_percent"), 0);
        assert_int_equal(sample_count(&h, "qoe_pareto_optimal"),
                         change == 1 || change >= 5 ? 4 : 8);
    }
    make_two(&m);
    for (int i = 0; i < 8; i++) {
        m.of[i].params = film;
        m.of[i].param_count = 1;
        m.of[i].facts.streams = 2;
    }
    compare_made(&h, &m, &plain);
    assert_near(sample(&h, "qoe_bd_rate_percent",
                       "conditions=\"streams=2,tune=film\" metric=\"vmaf\""),
                -50, 1e-12);
    series_deinit(&h.out);
}

static void of_one_encode_the_newest_run_counts(void **state)
{
    struct compare_context c = { .with_run_id = true };
    const struct run *runs[2];
    struct made old, new;
    struct host h = { 0 };

    (void)state;
    make_two(&old);
    make_two(&new);
    for (int i = 4; i < 8; i++) {
        old.of[i].facts.actual_bitrate_bps *= 4;
        new.of[i].name = VIEW("another name"); /* asked for the same all the same */
    }
    old.of[0].facts.vmaf = 99; /* would be no curve, and on the front */
    runs[0] = make_run("old", old.of, old.n);
    runs[1] = make_run("new", new.of, new.n);
    compare(&h, runs, 2, &c);
    assert_near(sample(&h, "qoe_bd_rate_percent", "metric=\"vmaf\""), -50, 1e-12);
    /* All of the new run; of the old one those whose names it does not have. */
    assert_int_equal(sample_count(&h, "qoe_pareto_optimal"), 12);
    assert_near(sample(&h, "qoe_pareto_optimal",
                       "scenario=\"libx265 run_id=\"old\" bitrate=\"8M\""),
                0, 0);
    run_unref(runs[0]);
    run_unref(runs[1]);
    series_deinit(&h.out);
}

static void of_repeats_the_first_counts(void **state)
{
    struct made m;
    struct host h = { 0 };

    (void)state;
    make_two(&m);
    m.of[m.n] = m.of[4];
    m.of[m.n++].facts.vmaf = 1;
    compare_made(&h, &m, &plain);
    assert_near(sample(&h, "qoe_bd_rate_percent", "metric=\"vmaf\""), -50, 1e-12);
    assert_int_equal(sample_count(&h, "qoe_pareto_optimal"), 8);
    m.of[m.n - 1].facts.crf = 30; /* no repeat then, but of other conditions */
    m.of[4].facts.crf = 20;
    compare_made(&h, &m, &plain);
    assert_near(sample(&h, "qoe_pareto_optimal", "repeat=\"2\""), 0, 0);
    series_deinit(&h.out);
}

/* ---- fronts ------------------------------------------------------------------------------ */

/* Where an encode has a use of cores, that is its cost. */
static double cost_of(void *ctx, const struct place *at)
{
    (void)ctx;
    return at->s->facts.core_seconds;
}

static void fronts_are_told_by_bit_rate_and_by_cost(void **state)
{
    const struct compare_context c = { .cost = cost_of };
    struct made m;
    struct host h = { 0 };

    (void)state;
    make_two(&m);
    for (int i = 0; i < 8; i++)
        m.of[i].facts.core_seconds = i < 4 ? 1 + i : 2 + i; /* x264 is cheaper */
    m.of[7].facts.core_seconds = NAN;
    compare_made(&h, &m, &c);
    assert_int_equal(sample_count(&h, "qoe_pareto_optimal"), 15);
    for (int i = 0; i < 4; i++) {
        char parts[100];

        snprintf(parts, sizeof parts,
                 "encoder=\"libx264\" bitrate=\"%dM\" against=\"cost\"", 1 << i);
        assert_near(sample(&h, "qoe_pareto_optimal", parts), 1, 0);
        snprintf(parts, sizeof parts,
                 "encoder=\"libx264\" bitrate=\"%dM\" against=\"bitrate\"", 1 << i);
        assert_near(sample(&h, "qoe_pareto_optimal", parts), 0, 0);
        snprintf(parts, sizeof parts,
                 "encoder=\"libx265\" bitrate=\"%dM\" against=\"bitrate\"", 1 << i);
        assert_near(sample(&h, "qoe_pareto_optimal", parts), 1, 0);
    }
    assert_near(sample(&h, "qoe_pareto_optimal",
                       "encoder=\"libx265\" bitrate=\"4M\" against=\"cost\""),
                0, 0);
    series_deinit(&h.out);
}

static void one_alone_is_no_front(void **state)
{
    struct made m;
    struct host h = { 0 };

    (void)state;
    make_two(&m);
    m.n = 1;
    compare_made(&h, &m, &plain);
    assert_int_equal(h.out.count, 0);
    m.n = 2;
    m.of[1].facts.vmaf = NAN;
    compare_made(&h, &m, &plain);
    assert_int_equal(h.out.count, 0);
    m.n = 0;
    compare_made(&h, &m, &plain);
    assert_int_equal(h.out.count, 0);
    series_deinit(&h.out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_reference_is_met_by_the_measured_encodes),
        cmocka_unit_test(rates_that_came_out_are_compared),
        cmocka_unit_test(the_anchor_is_named_or_has_most_points),
        cmocka_unit_test(what_is_no_curve_has_no_figure),
        cmocka_unit_test(a_default_is_no_fact),
        cmocka_unit_test(only_what_is_alike_is_compared),
        cmocka_unit_test(of_one_encode_the_newest_run_counts),
        cmocka_unit_test(of_repeats_the_first_counts),
        cmocka_unit_test(fronts_are_told_by_bit_rate_and_by_cost),
        cmocka_unit_test(one_alone_is_no_front),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
