#include "tests/unit/outlook_by_hand.h"

#include "core/json.h"
#include "modules/predict/tell.h"

#include <stdlib.h>

static bool tariff_by_hand(void *ctx, struct view region, struct tariff *out)
{
    (void)ctx;
    assert_int_equal(region.n, 0);
    *out = (struct tariff){ .in = { { "USD", 0.2, 0.5 } },
                            .count = 1,
                            .usd = { "USD", 0.2, 0.5 },
                            .co2_kg_per_kwh = 0.5 };
    return true;
}

static const struct tell_context context = { .tariff = tariff_by_hand,
                                             .version = "1.2.3" };

/* VMAF is 100 - 14000 / kbps where bits per pixel are right, of one encoder; 20 J and 0.8
 * core-seconds a second. */
static void ask(const struct whatif *what, double target_vmaf,
                struct whatif_outlook *out)
{
    if (what->encoder.n && !view_eq(what->encoder, VIEW("h264")))
        return;
    if (what->height > 1080 || what->bitrate_kbps < 990 || what->bitrate_kbps > 8010)
        return;
    out->what.encoder = VIEW("h264");
    out->what.preset = VIEW("veryfast");
    out->vmaf.value = 100 - 14000 / what->bitrate_kbps;
    out->vmaf.low = out->vmaf.value - 4;
    out->vmaf.high = out->vmaf.value + 2;
    out->core_seconds = (struct estimate){ 0.8, 0.4, 1.6 };
    out->energy_j = (struct estimate){ 20, 10, 40 };
    out->confidence[TARGET_VMAF] = 0.5;
    out->confidence[TARGET_CORE_SECONDS] = 0.9;
    /* 100 - 14000 / 2000 is 93 */
    if (target_vmaf == 93)
        out->recommended_kbps = (struct estimate){ 2000, 1600, 4700 };
}

static const struct model_report models[] = {
    { .target = TARGET_VMAF, .scope = SCOPE_NEW, .samples = 153, .sources = 5 },
    { .target = TARGET_CORE_SECONDS, .scope = SCOPE_NEW, .samples = 150, .sources = 5 },
    { .target = TARGET_ENERGY, .scope = SCOPE_NEW, .samples = 150, .sources = 5 },
    { .target = TARGET_PSNR, .scope = SCOPE_KNOWN, .samples = 9, .sources = 1 },
};

static const struct outlook by_hand = {
    .models = models, .model_count = 4, .lessons = 153, .ask = ask
};

static struct whatif full_hd(double kbps)
{
    return (struct whatif){
        .bitrate_kbps = kbps, .width = 1920, .height = 1080, .fps = 30
    };
}

struct said {
    bool anything;
    struct buf text; /* NUL-terminated */
};

static void say(struct said *s, const struct outlook *o, const struct whatif *what,
                double target_vmaf, bool json)
{
    *s = (struct said){ 0 };
    s->anything = tell_person(o, what, target_vmaf, &context, json, &s->text);
    buf_char(&s->text, '\0');
}

static void said_deinit(struct said *s)
{
    buf_deinit(&s->text);
}

/* Blanks and line ends count as one blank. */
static void assert_says_at(const struct said *s, const char *want, const char *file,
                           int line)
{
    struct buf flat = { 0 };
    bool found;

    for (const char *p = s->text.p; *p; p++) {
        bool blank = *p == ' ' || *p == '\n';

        if (blank && flat.n && flat.p[flat.n - 1] == ' ')
            continue;
        buf_char(&flat, blank ? ' ' : *p);
    }
    buf_char(&flat, '\0');
    found = strstr(flat.p, want);
    buf_deinit(&flat);
    if (found)
        return;
    print_error("no \"%s\" in:\n%s", want, s->text.p);
    _fail(file, line);
}

#define assert_says(s, want) assert_says_at((s), (want), __FILE__, __LINE__)

static void an_answer_has_figures_with_intervals(void **state)
{
    (void)state;
    const struct whatif what = full_hd(4000);
    struct said s;

    say(&s, &by_hand, &what, 93, false);
    assert_true(s.anything);
    assert_says(&s, "1920x1080 at 30 fps, h264 veryfast, 4000 kbit/s asked for");
    /* 100 - 14000 / 4000 */
    assert_says(&s, " VMAF 96.5 92.5 to 98.5 0.50 fair ");
    assert_says(&s, " core-seconds per second 0.800 0.400 to 1.60 0.90 high ");
    assert_says(&s, " joules per second 20.0 10.0 to 40.0 USD");
    /* 0.02 kWh · 0.20 + 0.8 h · 0.50; 0.202 and 0.808 at the ends */
    assert_says(&s, " USD per hour 0.404 0.202 to 0.808 ");
    assert_says(&s, " kg CO2 per hour 0.0100 0.00500 to 0.0200 ");
    assert_says(&s, "Learned from 153 encodes of 5 sources (models 00112233aabbccdd).");
    assert_says(&s, "For VMAF 93: ask for 2000 kbit/s; 1600 may do for content that is "
                    "easy to encode; with 4700, 39 of 40 sources reach it.");
    said_deinit(&s);
}

static void ask_without_energy(const struct whatif *what, double target_vmaf,
                               struct whatif_outlook *out)
{
    ask(what, target_vmaf, out);
    out->energy_j = UNKNOWN_ESTIMATE;
}

static void a_cost_of_one_part_says_which(void **state)
{
    (void)state;
    const struct outlook o = {
        .models = models, .model_count = 4, .lessons = 153, .ask = ask_without_energy
    };
    const struct whatif what = full_hd(4000);
    struct said s;

    say(&s, &o, &what, 93, false);
    assert_says(&s, " USD per hour, compute 0.400 0.200 to 0.800 ");
    assert_null(strstr(s.text.p, "CO2"));
    said_deinit(&s);
}

static void lines_have_eighty_columns(void **state)
{
    (void)state;
    const struct whatif asked[] = { full_hd(4000), full_hd(50000), full_hd(1) };

    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
        struct said s;

        say(&s, &by_hand, &asked[i], 99, false);
        for (const char *line = s.text.p; *line; line = strchr(line, '\n') + 1)
            assert_true(strchr(line, '\n') - line <= 80);
        said_deinit(&s);
    }
}

static void the_table_stands_around_what_was_asked(void **state)
{
    (void)state;
    const struct whatif what = full_hd(4000);
    struct said s;

    say(&s, &by_hand, &what, 93, false);
    assert_says(&s, " kbit/s VMAF core-s/s USD/h 1000 86.0 (82.0 to 88.0) 0.800 0.404 "
                    "1400 90.0 (86.0 to 92.0)");
    assert_says(&s, " > 4000 96.5 (92.5 to 98.5) 0.800 0.404 5700 ");
    /* 11000 is more than can be said of. */
    assert_says(&s, " 8000 98.2 (94.2 to 100.2) 0.800 0.404 Not said:");
    said_deinit(&s);
}

static void a_reason_is_given_for_what_is_not_said(void **state)
{
    (void)state;
    const struct whatif what = full_hd(4000);
    struct said s;

    say(&s, &by_hand, &what, 93, false);
    assert_says(&s, "PSNR (dB): the encodes that tell this do not tell their size and "
                    "bit rate, or are too far from this one.");
    assert_says(&s, "SSIM, mean power (W): too few of the encodes tell this; 3 "
                    "are the least.");
    assert_null(strstr(s.text.p, "VMAF: "));
    said_deinit(&s);
}

static void a_bit_rate_outside_of_the_data_is_named_with_those_inside(void **state)
{
    (void)state;
    const struct whatif what = full_hd(32000);
    struct said s;

    say(&s, &by_hand, &what, 93, false);
    assert_false(s.anything);
    assert_says(&s, "The encodes can say nothing of this one.");
    /* 1000 and 8000 are quarters of octaves from 32000 */
    assert_says(&s, "VMAF, core-seconds per second, joules per second: 32000 kbit/s is "
                    "outside of what the encodes cover at this size and frame rate: "
                    "about 1000 to 8000 kbit/s can be said. PSNR");
    said_deinit(&s);
}

static void far_from_the_data_the_same_bit_rates_are_named(void **state)
{
    (void)state;
    const double asked[] = { 1, 1000 * (double)(1 << 17) };

    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
        const struct whatif what = full_hd(asked[i]);
        struct said s;

        say(&s, &by_hand, &what, 93, false);
        assert_says(&s, i ? ": about 1000 to 8000 kbit/s can be said."
                          : ": about 1000 to 6900 kbit/s can be said.");
        said_deinit(&s);
    }
}

static void of_too_few_sources_nothing_is_said_of_new_content(void **state)
{
    (void)state;
    struct model_report few[4];
    const struct outlook o = {
        .models = few, .model_count = 4, .lessons = 153, .ask = ask
    };
    const struct whatif what = full_hd(4000);
    struct said s;

    memcpy(few, models, sizeof few);
    for (size_t i = 0; i < 4; i++)
        few[i].sources = 1;
    say(&s, &o, &what, 93, false);
    assert_says(&s,
                "153 encodes of 1 source (models 00112233aabbccdd). Seconds and hours "
                "are of content. That is too few to tell how much content differs");
    assert_says(&s, "with 4700, 39 of 40 such encodes reach it.");
    assert_null(strstr(s.text.p, "new to the models"));
    said_deinit(&s);
    say(&s, &o, &what, 93, true);
    assert_says(&s, "\"scope\":\"known_source\"");
    said_deinit(&s);
    say(&s, &by_hand, &what, 93, true);
    assert_says(&s, "\"scope\":\"new_source\"");
    said_deinit(&s);
}

static void a_picture_too_large_is_told_from_an_unknown_encoder(void **state)
{
    (void)state;
    struct whatif what = full_hd(4000);
    struct said s;

    what.encoder = VIEW("vvc");
    what.preset = VIEW("slow");
    say(&s, &by_hand, &what, 93, false);
    assert_false(s.anything);
    assert_says(
        &s,
        " joules per second: the encodes cannot tell of the encoder vvc, preset slow; "
        "most are of h264, preset veryfast.");
    said_deinit(&s);

    what.height = 2160;
    what.width = 3840;
    say(&s, &by_hand, &what, 93, false);
    assert_says(&s, " joules per second: 3840x2160 at 30 fps is too far from the "
                    "encodes there are: "
                    "bits per pixel");
    assert_says(&s,
                "For VMAF 93: no bit rate can be recommended: no VMAF can be said.");
    said_deinit(&s);
}

static void a_quality_that_nothing_reaches_has_no_bit_rate(void **state)
{
    (void)state;
    const struct whatif what = full_hd(4000);
    struct said s;

    say(&s, &by_hand, &what, 99.5, false);
    /* 100 - 14000 / 8000 */
    assert_says(&s, "For VMAF 99.5: no bit rate can be recommended: the highest VMAF "
                    "that can be said is 98.2, at about 8000 kbit/s.");
    said_deinit(&s);
    say(&s, &by_hand, &what, 50, false);
    assert_says(&s,
                "For VMAF 50: no bit rate can be recommended: a lower bit rate than "
                "the encodes cover may do; at about 1000 kbit/s VMAF is 86.0.");
    said_deinit(&s);
}

static void without_encodes_there_is_nothing_to_learn_from(void **state)
{
    (void)state;
    const struct outlook none = { 0 };
    const struct whatif what = full_hd(4000);
    struct said s;

    say(&s, &none, &what, 93, false);
    assert_false(s.anything);
    assert_says(&s, "VMAF, PSNR (dB), SSIM, core-seconds per second, joules per "
                    "second, mean power (W): there are no encodes to learn from.");
    said_deinit(&s);
}

/* ---- JSON ------------------------------------------------------------------------------ */

struct tree {
    struct arena mem;
    struct json_parser *parser;
    const struct json_value *top;
};

static void tree_init(struct tree *t, const struct said *s)
{
    struct view text = { s->text.p, s->text.n - 1 };
    struct err e = { 0 };

    *t = (struct tree){ .parser = json_parser_new() };
    if (json_parse(t->parser, text, &t->mem, &t->top, &e) < 0)
        fail_msg("%s: %s", e.text, s->text.p);
    assert_int_equal(text.p[text.n - 1], '\n');
}

static void tree_deinit(struct tree *t)
{
    arena_deinit(&t->mem);
    json_parser_free(t->parser);
}

/* "a.b.0.c"; NULL: it is not there. */
static const struct json_value *at(const struct tree *t, const char *path)
{
    const struct json_value *v = t->top;
    struct view rest = view_of(path), step;

    while (v && view_split(&rest, '.', &step)) {
        double n;

        if (v->type != JSON_ARRAY)
            v = json_member(v, step);
        else if (decimal_read(step, &n) && n < v->n)
            v = &v->items[(size_t)n];
        else
            v = NULL;
    }
    return v;
}

static double number(const struct tree *t, const char *path)
{
    const struct json_value *v = at(t, path);

    return v && v->type == JSON_NUMBER ? v->number : NAN;
}

static void json_says_the_same(void **state)
{
    (void)state;
    const struct whatif what = full_hd(4000);
    struct tree t;
    struct said s;

    say(&s, &by_hand, &what, 93, true);
    assert_true(s.anything);
    tree_init(&t, &s);
    assert_near(number(&t, "asked.bitrate_kbps"), 4000, 0);
    assert_near(number(&t, "asked.target_vmaf"), 93, 0);
    assert_view(json_text(at(&t, "asked.encoder")), "h264");
    assert_view(json_text(at(&t, "models.version")), "00112233aabbccdd");
    assert_view(json_text(at(&t, "models.scope")), "new_source");
    assert_near(number(&t, "models.encodes"), 153, 0);
    assert_near(number(&t, "predicted.vmaf.value"), 96.5, 1e-15);
    assert_near(number(&t, "predicted.vmaf.low"), 92.5, 1e-15);
    assert_near(number(&t, "predicted.vmaf.confidence"), 0.5, 0);
    assert_near(number(&t, "predicted.joules_per_second.high"), 40, 0);
    assert_null(at(&t, "predicted.joules_per_second.confidence"));
    assert_null(at(&t, "predicted.psnr_db"));
    assert_view(json_text(at(&t, "predicted.cost_per_hour.0.currency")), "USD");
    assert_near(number(&t, "predicted.cost_per_hour.0.value"), 0.404, 1e-15);
    assert_view(json_text(at(&t, "predicted.cost_per_hour.0.parts")),
                "energy and compute");
    assert_near(number(&t, "predicted.co2_kg_per_hour.low"), 0.005, 1e-15);
    assert_near(number(&t, "recommended_bitrate_kbps.high"), 4700, 0);
    assert_near(number(&t, "bitrates.0.bitrate_kbps"), 1000, 0);
    assert_near(number(&t, "bitrates.0.vmaf.value"), 86, 1e-15);
    assert_int_equal(at(&t, "bitrates")->n, 7);
    assert_view(json_text(at(&t, "unsaid.0.what")), "psnr_db");
    assert_true(at(&t, "unsaid.0.reason")->n > 0);
    tree_deinit(&t);
    said_deinit(&s);
}

static void json_of_nothing_is_json(void **state)
{
    (void)state;
    const struct outlook none = { 0 };
    struct whatif what = full_hd(4000);
    struct tree t;
    struct said s;

    what.encoder = VIEW("a \"\\\x01\xff");
    say(&s, &none, &what, 93, true);
    assert_false(s.anything);
    tree_init(&t, &s);
    assert_view(json_text(at(&t, "asked.encoder")), "a \"\\\x01\xEF\xBF\xBD");
    assert_int_equal(at(&t, "bitrates")->n, 0);
    assert_int_equal(at(&t, "unsaid")->n, 7);
    assert_null(at(&t, "recommended_bitrate_kbps"));
    assert_null(at(&t, "predicted.cost_per_hour"));
    tree_deinit(&t);
    said_deinit(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_has_figures_with_intervals),
        cmocka_unit_test(a_cost_of_one_part_says_which),
        cmocka_unit_test(lines_have_eighty_columns),
        cmocka_unit_test(the_table_stands_around_what_was_asked),
        cmocka_unit_test(a_reason_is_given_for_what_is_not_said),
        cmocka_unit_test(a_bit_rate_outside_of_the_data_is_named_with_those_inside),
        cmocka_unit_test(far_from_the_data_the_same_bit_rates_are_named),
        cmocka_unit_test(of_too_few_sources_nothing_is_said_of_new_content),
        cmocka_unit_test(a_picture_too_large_is_told_from_an_unknown_encoder),
        cmocka_unit_test(a_quality_that_nothing_reaches_has_no_bit_rate),
        cmocka_unit_test(without_encodes_there_is_nothing_to_learn_from),
        cmocka_unit_test(json_says_the_same),
        cmocka_unit_test(json_of_nothing_is_json),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
