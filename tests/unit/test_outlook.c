#include "modules/predict/outlook.h"

#include "tests/unit/encodes.h"
#include "tests/unit/made_lessons.h"

/* ---- real encodes ----------------------------------------------------------------- */

static void measured_encodes_are_predicted_as_worked_out_beforehand(void **state)
{
    (void)state;
    /* By NumPy, with dense matrices and each source (or encode) left out by a new fit. */
    static const struct {
        enum target t;
        enum scope s;
        double r2, coverage, r2_within, coverage_within;
    } want[] = {
        { TARGET_VMAF, SCOPE_NEW, 0.4865, 0.917, 5e-4, 5e-4 },
        { TARGET_PSNR, SCOPE_NEW, -0.1749, 0.896, 5e-4, 5e-4 },
        { TARGET_CORE_SECONDS, SCOPE_NEW, 0.8558, 0.979, 5e-4, 5e-4 },
        { TARGET_VMAF, SCOPE_KNOWN, 0.957, 0.94, 5e-3, 0.01 },
        { TARGET_PSNR, SCOPE_KNOWN, 0.994, 0.94, 5e-3, 0.01 },
        { TARGET_CORE_SECONDS, SCOPE_KNOWN, 0.99, 0.94, 5e-3, 0.01 },
    };
    struct encodes e;
    struct whatif_list w;
    struct outlook *o;

    encodes_load(&e, TEST_DATA "/encodes");
    assert_int_equal(whatif_read((struct view){ NULL, 0 }, "", 93, &w, NULL), 0);
    o = outlook_new(e.all, e.count, &w);
    assert_int_equal(outlook_lessons(o), 193);
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        const struct model_report *r = report_of(o, want[i].t, want[i].s);

        assert_non_null(r);
        assert_near(r->r2, want[i].r2, want[i].r2_within);
        assert_near(r->coverage, want[i].coverage, want[i].coverage_within);
        assert_int_equal(r->samples, 193);
        assert_int_equal(r->sources, 5);
        assert_int_equal(r->left_out, 0);
    }
    /* No power was measured there. */
    assert_null(report_of(o, TARGET_POWER, SCOPE_KNOWN));
    assert_null(report_of(o, TARGET_ENERGY, SCOPE_KNOWN));
    outlook_free(o);
    whatif_deinit(&w);
    encodes_free(&e);
}

static void same_estimate(struct estimate a, struct estimate b)
{
    assert_memory_equal(&a, &b, sizeof a);
}

static void same_outlook(const struct outlook *a, const struct outlook *b,
                         const struct encodes *e)
{
    size_t n, k;
    const struct model_report *x = outlook_models(a, &n), *y = outlook_models(b, &k);
    const struct whatif_outlook *p, *q;

    assert_string_equal(outlook_version(a), outlook_version(b));
    assert_int_equal(n, k);
    for (size_t i = 0; i < n; i++) {
        assert_true(view_eq(x[i].group, y[i].group));
        assert_true(x[i].features.p == y[i].features.p);
        assert_memory_equal(&x[i].r2, &y[i].r2,
                            sizeof *x - offsetof(struct model_report, r2));
    }
    p = outlook_whatifs(a, &n);
    q = outlook_whatifs(b, &k);
    assert_int_equal(n, k);
    for (size_t i = 0; i < n; i++) {
        same_estimate(p[i].vmaf, q[i].vmaf);
        same_estimate(p[i].core_seconds, q[i].core_seconds);
        same_estimate(p[i].recommended_kbps, q[i].recommended_kbps);
        assert_memory_equal(p[i].confidence, q[i].confidence, sizeof p->confidence);
    }
    for (size_t r = 0; r < e->count; r++)
        for (uint32_t i = 0; i < e->all[r]->scenario_count; i++)
            assert_memory_equal(outlook_scenario(a, e->all[r]->id, i),
                                outlook_scenario(b, e->all[r]->id, i),
                                sizeof(struct scenario_outlook));
}

static void the_order_of_arrival_does_not_matter(void **state)
{
    (void)state;
    struct encodes e;
    struct whatif_list w;
    struct outlook *a, *b;
    const struct lessons *other[ENCODES_RUNS_MAX];

    encodes_load(&e, TEST_DATA "/encodes");
    assert_int_equal(whatif_read((struct view){ NULL, 0 }, "", 93, &w, NULL), 0);
    a = outlook_new(e.all, e.count, &w);
    /* 7 and the number of runs have no common divisor. */
    assert_int_equal(e.count, 23);
    for (size_t i = 0; i < e.count; i++)
        other[i] = e.all[i * 7 % e.count];
    b = outlook_new(other, e.count, &w);
    same_outlook(a, b, &e);
    outlook_free(b);
    w.target_vmaf = 94;
    b = outlook_new(other, e.count, &w);
    assert_string_not_equal(outlook_version(a), outlook_version(b));
    outlook_free(b);
    outlook_free(a);
    whatif_deinit(&w);
    encodes_free(&e);
}

static void what_nobody_wants_any_more_is_not_made(void **state)
{
    (void)state;
    struct made *m = plane();
    const struct lessons *all[] = { &m->l };
    const struct whatif_list none = { .target_vmaf = 93 };
    atomic_bool stop;
    struct outlook *o;

    atomic_init(&stop, true);
    assert_null(outlook_new_unless(&stop, all, 1, &none));
    atomic_store(&stop, false);
    o = outlook_new_unless(&stop, all, 1, &none);
    assert_non_null(report_of(o, TARGET_CORE_SECONDS, SCOPE_NEW));
    outlook_free(o);
    free(m);
}

static void real_what_ifs_stay_within_the_data(void **state)
{
    (void)state;
    struct encodes e;
    struct whatif_list w;
    struct outlook *o;
    struct whatif_outlook x, y;

    encodes_load(&e, TEST_DATA "/encodes");
    assert_int_equal(whatif_read((struct view){ NULL, 0 }, "", 93, &w, NULL), 0);
    o = outlook_new(e.all, e.count, &w);
    const struct whatif_outlook *all = outlook_whatifs(o, &(size_t){ 0 });

    assert_true(all[0].vmaf.value > 80); /* 1280x720 was encoded */
    assert_view(all[0].what.encoder, "libx264");
    assert_unknown(all[3].vmaf.value); /* 2160 lines: above 1.5 × 720 */
    assert_unknown(all[3].core_seconds.value);
    assert_unknown(all[3].confidence[TARGET_VMAF]);
    assert_unknown(all[3].recommended_kbps.value);
    for (size_t i = 0; i < 4; i++)
        sound_answer(&all[i]);

    /* The recommended rate reaches the target, and 1 % less does not. */
    x = ask(o, "libx265", 500);
    assert_true(x.recommended_kbps.value > 0);
    y = ask(o, "libx265", x.recommended_kbps.value);
    assert_true(y.vmaf.value >= 92.99);
    y = ask(o, "libx265", x.recommended_kbps.value * 0.99);
    assert_true(y.vmaf.value <= 93);
    assert_false(x.recommended_kbps.low > x.recommended_kbps.value);

    /* Nobody has used that one. */
    x = ask(o, "libtheora", 500);
    assert_unknown(x.vmaf.value);
    assert_unknown(x.core_seconds.value);
    assert_unknown(x.recommended_kbps.value);
    assert_unknown(ask(o, "libx265", 1e6).vmaf.value);
    outlook_free(o);
    whatif_deinit(&w);
    encodes_free(&e);
}

/* ---- power over streams ----------------------------------------------------------- */

static struct made *streams(const double counts[], size_t n, double bend)
{
    struct made *m = made_new("streams");

    for (size_t i = 0; i < n; i++) {
        struct lesson *l = made_add(m, "", "", "", NAN);

        l->width = l->height = l->fps = l->pixel_rate = NAN;
        l->streams = (float)counts[i];
        l->real_time = true;
        l->y[TARGET_POWER] = 40 + 10 * counts[i] + bend * counts[i] * counts[i];
    }
    return m;
}

static void few_stream_counts_are_a_line(void **state)
{
    (void)state;
    const double counts[] = { 1, 2, 4, 8, 1, 2, 4, 8 };
    struct made *m = streams(counts, 8, 0);
    struct outlook *o;

    m->of[2].y[TARGET_POWER] = NAN; /* not measured: 40 + 10 · 4 */
    o = look(m);
    const struct model_report *r = report_of(o, TARGET_POWER, SCOPE_KNOWN);
    const struct scenario_outlook *s = outlook_scenario(o, VIEW("streams"), 2);

    assert_string_equal(r->model, "linear");
    assert_view(r->features, "streams");
    assert_int_equal(r->samples, 7);
    assert_near(r->r2, 1, 1e-9);
    assert_near(s->power_w.value, 80, 1e-9);
    assert_near(s->energy_j, 800, 1e-9); /* 10 s of it */
    assert_null(outlook_scenario(o, VIEW("streams"), 8));
    assert_null(outlook_scenario(o, VIEW("other"), 0));
    sound(o, m);
    outlook_free(o);
    free(m);
}

static void a_scenario_beyond_the_data_is_not_predicted(void **state)
{
    (void)state;
    const double counts[] = { 1, 2, 4, 8, 1, 2, 16, 17 };
    struct made *m = streams(counts, 8, 0);
    struct outlook *o;

    m->of[6].y[TARGET_POWER] = m->of[7].y[TARGET_POWER] = NAN;
    o = look(m);
    assert_near(outlook_scenario(o, m->l.id, 6)->power_w.value, 200, 1e-9);
    assert_unknown(outlook_scenario(o, m->l.id, 7)->power_w.value); /* above 2 × 8 */
    assert_unknown(outlook_scenario(o, m->l.id, 7)->energy_j);
    outlook_free(o);
    free(m);
}

static void six_stream_counts_make_a_bend(void **state)
{
    (void)state;
    const double counts[] = { 1, 2, 3, 4, 6, 8, 12 };
    struct made *m = streams(counts, 7, 0.5);
    struct outlook *o = look(m);

    assert_string_equal(report_of(o, TARGET_POWER, SCOPE_KNOWN)->model, "quadratic");
    /* 40 + 10 · 6 + 0.5 · 36 */
    assert_near(outlook_scenario(o, m->l.id, 4)->power_w.value, 118, 1e-9);
    outlook_free(o);
    free(m);
}

static void a_measurement_is_left_out_of_its_own_prediction(void **state)
{
    (void)state;
    const double counts[] = { 1, 2, 4, 8, 1, 2, 4, 8, 3, 5 };
    struct made *m = streams(counts, 10, 0);
    struct outlook *o;
    double want;

    for (size_t i = 0; i < 10; i++)
        m->of[i].y[TARGET_POWER] += i % 2 ? 1 : -1;
    m->of[3].y[TARGET_POWER] = NAN;
    o = look(m);
    want = outlook_scenario(o, m->l.id, 3)->power_w.value;
    outlook_free(o);
    m->of[3].y[TARGET_POWER] = 127; /* 120 would be usual */
    o = look(m);
    assert_near(outlook_scenario(o, m->l.id, 3)->power_w.value, want, 1e-12);
    outlook_free(o);
    free(m);
}

/* ---- odd data --------------------------------------------------------------------- */

static void a_plane_is_found(void **state)
{
    (void)state;
    struct made *m = plane();
    struct outlook *o = look(m);
    struct whatif_outlook w = ask(o, "libx264", 576);

    assert_true(report_of(o, TARGET_CORE_SECONDS, SCOPE_KNOWN)->r2 > 0.99);
    assert_true(report_of(o, TARGET_CORE_SECONDS, SCOPE_NEW)->r2 > 0.9);
    assert_int_equal(report_of(o, TARGET_CORE_SECONDS, SCOPE_NEW)->sources, 4);
    /* u = 0, the mean of the sources: exp(0.15) */
    assert_near(w.core_seconds.value, 1.16, 0.1);
    assert_true(w.core_seconds.low < 1.16 && w.core_seconds.high > 1.16);
    assert_true(w.confidence[TARGET_CORE_SECONDS] > 0.5);
    assert_true(w.power_w.value > 75 && w.power_w.value < 95);
    sound(o, m);
    outlook_free(o);
    free(m);
}

static struct estimate vmaf_of(const struct outlook *o, double width, double height,
                               double fps, double kbps)
{
    const struct whatif w = { .bitrate_kbps = kbps,
                              .width = width,
                              .height = height,
                              .fps = fps,
                              .encoder = VIEW("libx264") };
    struct whatif_outlook out;

    outlook_ask(o, &w, 93, &out);
    return out.vmaf;
}

/* Lessons have 200 to 3200 kbit/s for 640x360 at 25 fps. */
static void nothing_is_predicted_beyond_the_data(void **state)
{
    (void)state;
    struct made *m = plane();
    struct outlook *o = look(m);

    assert_true(vmaf_of(o, 640, 360, 25, 101).value > 0);
    assert_unknown(vmaf_of(o, 640, 360, 25, 99).value);
    assert_true(vmaf_of(o, 640, 360, 25, 6390).value > 0);
    assert_unknown(vmaf_of(o, 640, 360, 25, 6410).value);
    assert_true(vmaf_of(o, 640, 360, 49, 1000).value > 0); /* pixels per second */
    assert_unknown(vmaf_of(o, 640, 360, 51, 1000).value);
    assert_true(vmaf_of(o, 640, 360, 13, 300).value > 0);
    assert_unknown(vmaf_of(o, 640, 360, 12, 300).value);
    assert_true(vmaf_of(o, 426, 540, 25, 1000).value > 0); /* height: 1.5 × 360 */
    assert_unknown(vmaf_of(o, 426, 542, 25, 1000).value);
    outlook_free(o);
    free(m);
}

static void one_wrong_by_a_thousand_is_left_out(void **state)
{
    (void)state;
    struct made *m = plane();
    struct outlook *before, *after;

    m->l.count = m->l.scenario_count = 20; /* two sources */
    before = look(m);
    m->of[7].y[TARGET_CORE_SECONDS] *= 1000;
    m->of[7].y[TARGET_POWER] *= 1000;
    after = look(m);
    assert_int_equal(report_of(before, TARGET_CORE_SECONDS, SCOPE_KNOWN)->left_out, 0);
    assert_int_equal(report_of(after, TARGET_CORE_SECONDS, SCOPE_KNOWN)->left_out, 1);
    assert_int_equal(report_of(after, TARGET_POWER, SCOPE_KNOWN)->left_out, 1);
    assert_int_equal(report_of(after, TARGET_POWER, SCOPE_KNOWN)->samples, 19);
    for (uint32_t i = 0; i < 20; i++) {
        double x = outlook_scenario(before, m->l.id, i)->core_seconds;
        double y = outlook_scenario(after, m->l.id, i)->core_seconds;

        assert_true(fabs(y / x - 1) < 0.1); /* its own, too */
    }
    outlook_free(before);
    outlook_free(after);
    free(m);
}

/* Four sources, four presets of 0.2 to 5 core-seconds, five rates. */
static struct made *presets_far_apart(void)
{
    static const char *const sources[] = { "a", "b", "c", "d" };
    static const char *const presets[] = { "ultrafast", "veryfast", "medium", "slow" };
    struct made *m = made_new("presets");

    for (uint32_t i = 0; i < 80; i++) {
        struct lesson *l = made_add(m, sources[i / 20], "libx264", presets[i / 5 % 4],
                                    200.0 * (1 << i % 5));

        l->y[TARGET_CORE_SECONDS] = 0.2 * exp(i / 5 % 4 + 0.03 * sin(i * 1.7));
    }
    return m;
}

/* Beside a mean, to which they drive the choice of a form, they would not be unusual. */
static void several_wrong_by_a_thousand_are_left_out(void **state)
{
    (void)state;
    struct made *m = presets_far_apart();
    struct outlook *o;

    for (uint32_t i = 0; i < 80; i += 12)
        m->of[i].y[TARGET_CORE_SECONDS] *= 1000;
    o = look(m);
    assert_int_equal(report_of(o, TARGET_CORE_SECONDS, SCOPE_KNOWN)->left_out, 7);
    assert_int_equal(report_of(o, TARGET_CORE_SECONDS, SCOPE_NEW)->samples, 73);
    assert_true(report_of(o, TARGET_CORE_SECONDS, SCOPE_NEW)->r2 > 0.9);
    outlook_free(o);
    free(m);
}

static double cores_of(const struct outlook *o, const char *preset)
{
    const struct whatif w = { .bitrate_kbps = 600,
                              .width = 640,
                              .height = 360,
                              .fps = 25,
                              .encoder = VIEW("libx264"),
                              .preset = view_of(preset) };
    struct whatif_outlook out;

    outlook_ask(o, &w, 93, &out);
    return out.core_seconds.value;
}

static void presets_faster_or_slower_than_any_that_ran_are_not_known(void **state)
{
    (void)state;
    struct made *m = presets_far_apart();
    struct outlook *o;

    for (uint32_t i = 0; i < 80; i++)
        if (i / 5 % 4 == 0)
            m->of[i].y[TARGET_CORE_SECONDS] = NAN;
    o = look(m);
    assert_true(cores_of(o, "slow") > cores_of(o, "medium"));
    assert_true(cores_of(o, "fast") > 0); /* between two that ran */
    assert_unknown(cores_of(o, "slower"));
    assert_unknown(cores_of(o, "superfast"));
    outlook_free(o);
    free(m);
}

static void what_never_varies_lies_within_its_interval(void **state)
{
    (void)state;
    struct made *m = presets_far_apart();

    for (int step = 0; step < 27; step++) {
        double watts = 10 + step * 10 / 3.0;
        struct outlook *o;

        for (uint32_t i = 0; i < m->l.count; i++)
            m->of[i].y[TARGET_POWER] = watts;
        o = look(m);
        assert_near(report_of(o, TARGET_POWER, SCOPE_KNOWN)->coverage, 1, 0);
        assert_near(report_of(o, TARGET_POWER, SCOPE_NEW)->coverage, 1, 0);
        outlook_free(o);
    }
    free(m);
}

/* A file under a second name says nothing new: else a model would know what it is asked. */
static void a_copied_run_teaches_nothing_and_is_predicted_the_same(void **state)
{
    (void)state;
    struct made *m = plane(), *copy = plane();
    const struct lessons *both[] = { &copy->l, &m->l };
    struct whatif_list w;
    struct outlook *alone = look(m), *two;
    const struct model_report *a, *b;

    copy->l.id = VIEW("a copy");
    assert_int_equal(whatif_read((struct view){ NULL, 0 }, "", 93, &w, NULL), 0);
    two = outlook_new(both, 2, &w);
    a = report_of(alone, TARGET_ENERGY, SCOPE_KNOWN);
    b = report_of(two, TARGET_ENERGY, SCOPE_KNOWN);
    assert_int_equal(a->samples, b->samples);
    assert_near(a->r2, b->r2, 0);
    assert_near(a->rmse, b->rmse, 0);
    for (uint32_t i = 0; i < m->l.count; i++) {
        const struct scenario_outlook *s = outlook_scenario(alone, m->l.id, i);

        assert_near(outlook_scenario(two, copy->l.id, i)->energy_j, s->energy_j, 0);
        assert_near(outlook_scenario(two, m->l.id, i)->energy_j, s->energy_j, 0);
    }
    outlook_free(alone);
    outlook_free(two);
    whatif_deinit(&w);
    free(m);
    free(copy);
}

static void fewer_than_three_lessons_teach_nothing(void **state)
{
    (void)state;
    struct made *m = plane();
    struct whatif_list none = { 0 };
    struct outlook *o = outlook_new(NULL, 0, &none);
    size_t n;

    outlook_models(o, &n);
    assert_int_equal(n, 0);
    assert_int_equal(outlook_lessons(o), 0);
    assert_int_equal(strlen(outlook_version(o)), 16);
    outlook_free(o);
    m->l.count = m->l.scenario_count = 2;
    o = look(m);
    outlook_models(o, &n);
    assert_int_equal(n, 0);
    assert_unknown(ask(o, "", 500).vmaf.value);
    assert_unknown(outlook_scenario(o, m->l.id, 0)->core_seconds);
    sound(o, m);
    outlook_free(o);
    free(m);
}

static void fewer_than_three_sources_are_one_population(void **state)
{
    (void)state;
    struct made *m = plane();
    struct outlook *o;

    for (uint32_t i = 0; i < m->l.count; i++)
        m->of[i].source = 0;
    o = look(m);
    assert_null(report_of(o, TARGET_VMAF, SCOPE_NEW));
    assert_non_null(report_of(o, TARGET_VMAF, SCOPE_KNOWN));
    assert_true(ask(o, "libx265", 576).vmaf.value > 80);
    assert_true(ask(o, "libx265", 576).confidence[TARGET_VMAF] > 0.3);
    sound(o, m);
    outlook_free(o);
    free(m);
}

enum odd {
    ALL_THE_SAME,
    ONE_RATE,
    COLLINEAR, /* the rate follows the size */
    ENDS_OF_VMAF,
    FORTY_ENCODERS, /* each with a word for a preset */
    HOLES,
    DUPLICATES,
    ENDS_OF_FILES, /* what a file may hold */
    ODD_COUNT,
};

static void spoil(struct made *m, struct lesson *l, uint32_t i, enum odd odd)
{
    char name[16];

    switch (odd) {
    case ALL_THE_SAME:
        *l = m->of[0];
        break;
    case ONE_RATE:
        l->asked_bps = l->came_bps = 576000;
        break;
    case COLLINEAR:
        l->width = 64 * (1 + i % 5);
        l->height = 36 * (1 + i % 5);
        l->pixel_rate = l->width * l->height * 25;
        l->asked_bps = l->came_bps = 0.1 * l->pixel_rate;
        break;
    case ENDS_OF_VMAF:
        l->y[TARGET_VMAF] = i % 2 ? 100 : 0;
        break;
    case FORTY_ENCODERS:
        snprintf(name, sizeof name, "codec%u", i);
        l->encoder = text_of(m, name);
        break;
    case HOLES:
        l->y[i % TARGET_COUNT] = NAN;
        if (i % 3 == 0)
            l->width = l->pixel_rate = NAN;
        if (i % 5 == 0)
            l->asked_bps = l->came_bps = NAN;
        break;
    case DUPLICATES:
        *l = m->of[(size_t)(i / 2) * 2];
        break;
    default:
        for (size_t t = 0; t < TARGET_COUNT; t++)
            l->y[t] = i % 2 ? 1e-18 : 1e18;
    }
    l->index = i;
}

static void degenerate_data_are_defined(void **state)
{
    (void)state;

    for (int odd = 0; odd < ODD_COUNT; odd++) {
        struct made *m = plane();
        struct outlook *o;

        for (uint32_t i = 0; i < m->l.count; i++)
            spoil(m, &m->of[i], i, (enum odd)odd);
        o = look(m);
        sound(o, m);
        outlook_free(o);
        free(m);
    }
}

static void fifty_encoders_are_no_crash_and_no_hundred_slopes(void **state)
{
    (void)state;
    struct made *m = made_new("many");
    struct outlook *o;

    for (int i = 0; i < 300; i++) {
        char encoder[16], source[16];
        struct lesson *l;

        snprintf(encoder, sizeof encoder, "enc%d", i % 50);
        snprintf(source, sizeof source, "s%d", i % 12);
        l = made_add(m, source, encoder, "medium", 300 + 3 * i);
        l->y[TARGET_VMAF] = 70 + 20 * sin(i);
    }
    o = look(m);
    sound(o, m);
    assert_non_null(report_of(o, TARGET_VMAF, SCOPE_NEW));
    assert_int_equal(report_of(o, TARGET_VMAF, SCOPE_NEW)->samples, 300);
    outlook_free(o);
    free(m);
}

static void groups_are_models_of_their_own(void **state)
{
    (void)state;
    struct made *m = plane();
    uint16_t crf = text_of(m, "rate_control=crf");
    struct outlook *o;
    size_t n, by_crf = 0;

    for (uint32_t i = 20; i < m->l.count; i++) {
        m->of[i].quality_group = m->of[i].compute_group = crf;
        m->of[i].by_quality = true;
        m->of[i].crf = 18 + i % 10;
        m->of[i].asked_bps = m->of[i].came_bps = NAN;
    }
    o = look(m);
    const struct model_report *r = outlook_models(o, &n);

    for (size_t i = 0; i < n; i++)
        by_crf += view_eq(r[i].group, VIEW("rate_control=crf"));
    assert_true(by_crf >= 3);
    assert_true(ask(o, "", 576).vmaf.value > 0);
    sound(o, m);
    outlook_free(o);

    /* Nothing else is there: nobody knows what a bit rate gives. */
    for (uint32_t i = 0; i < 20; i++) {
        m->of[i] = m->of[20 + i];
        m->of[i].index = i;
    }
    o = look(m);
    assert_unknown(ask(o, "", 576).vmaf.value);
    assert_false(isnan(outlook_scenario(o, m->l.id, 1)->core_seconds));
    outlook_free(o);
    free(m);
}

static void what_comes_out_is_not_what_was_asked_for(void **state)
{
    (void)state;
    struct made *m = plane(), *wasteful = plane();
    struct outlook *o = look(m), *other;
    double exact, more;

    for (uint32_t i = 0; i < wasteful->l.count; i++)
        wasteful->of[i].asked_bps /= 1.5; /* half as much again comes out */
    other = look(wasteful);
    exact = ask(o, "libx264", 600).recommended_kbps.value;
    more = ask(other, "libx264", 600).recommended_kbps.value;
    assert_true(exact > 0);
    assert_near(exact / more, 1.5, 0.05);
    outlook_free(o);
    outlook_free(other);
    free(m);
    free(wasteful);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(measured_encodes_are_predicted_as_worked_out_beforehand),
        cmocka_unit_test(the_order_of_arrival_does_not_matter),
        cmocka_unit_test(what_nobody_wants_any_more_is_not_made),
        cmocka_unit_test(real_what_ifs_stay_within_the_data),
        cmocka_unit_test(few_stream_counts_are_a_line),
        cmocka_unit_test(a_scenario_beyond_the_data_is_not_predicted),
        cmocka_unit_test(six_stream_counts_make_a_bend),
        cmocka_unit_test(a_measurement_is_left_out_of_its_own_prediction),
        cmocka_unit_test(a_plane_is_found),
        cmocka_unit_test(nothing_is_predicted_beyond_the_data),
        cmocka_unit_test(one_wrong_by_a_thousand_is_left_out),
        cmocka_unit_test(several_wrong_by_a_thousand_are_left_out),
        cmocka_unit_test(presets_faster_or_slower_than_any_that_ran_are_not_known),
        cmocka_unit_test(what_never_varies_lies_within_its_interval),
        cmocka_unit_test(a_copied_run_teaches_nothing_and_is_predicted_the_same),
        cmocka_unit_test(fewer_than_three_lessons_teach_nothing),
        cmocka_unit_test(fewer_than_three_sources_are_one_population),
        cmocka_unit_test(degenerate_data_are_defined),
        cmocka_unit_test(fifty_encoders_are_no_crash_and_no_hundred_slopes),
        cmocka_unit_test(groups_are_models_of_their_own),
        cmocka_unit_test(what_comes_out_is_not_what_was_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
