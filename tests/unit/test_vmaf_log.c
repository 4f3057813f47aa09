#include "core/vmaf_log.h"

#include "tests/fuzz/told.h"
#include "tests/unit/pooling.h"

#define QUALITY TEST_DATA "/formats/quality"
#define POOLING TEST_DATA "/formats/pooling"

/* The caller frees it with done(). */
static struct vmaf_log *log_of(struct view text)
{
    struct vmaf_log *l = mem_alloc(sizeof *l);

    vmaf_log_init(l, (struct frame_limits){ 0 });
    vmaf_log_add(l, text);
    return l;
}

static struct vmaf_log *log_of_file(const char *name)
{
    struct view text = sample_read(QUALITY, name);
    struct vmaf_log *l = log_of(text);

    sample_free(text);
    assert_true(vmaf_log_end(l));
    assert_int_equal(l->faults.count, 0);
    return l;
}

static void done(struct vmaf_log *l)
{
    vmaf_log_deinit(l);
    free(l);
}

static const struct frame_scores *scores(const struct vmaf_log *l, const char *metric,
                                         const char *model)
{
    const struct frame_column *c =
        frame_table_metric(&l->table, view_of(metric), view_of(model));

    assert_non_null(c);
    return &c->scores;
}

static struct frame_stats stats(const struct vmaf_log *l, const char *metric,
                                const char *model)
{
    struct frame_stats f;

    frame_scores_stats(scores(l, metric, model), &f);
    return f;
}

static void all_formats_tell_the_same(void **state)
{
    static const char *const files[] = { "vmaf.json", "vmaf.xml", "vmaf.csv",
                                         "vmaf.sub" };
    struct vmaf_log *first = log_of_file(files[0]);

    (void)state;
    assert_int_equal(first->table.rows, 30);
    assert_int_equal(first->table.column_count, 17);
    assert_near(stats(first, "psnr_y", "").max, 60, 0);
    for (int i = 1; i < 4; i++) {
        struct vmaf_log *l = log_of_file(files[i]);

        assert_int_equal(l->format, VMAF_JSON + i);
        assert_int_equal(l->table.rows, 30);
        for (size_t c = 0; c < first->table.column_count; c++) {
            const struct frame_column *want = &first->table.columns[c];
            const struct frame_column *got = frame_table_find(&l->table, want->name);

            assert_non_null(got);
            for (size_t row = 0; row < 30; row++)
                assert_true(frame_scores_at(&got->scores, row) ==
                            frame_scores_at(&want->scores, row));
        }
        done(l);
    }
    done(first);
}

/* Figures of a log, beside those that libvmaf pooled itself and printed with 6 digits. */
static void assert_pooled(const char *file)
{
    struct vmaf_log *l = log_of_file(file);
    struct view text = sample_read(QUALITY, file);
    struct json_parser *parser = json_parser_new();
    const struct json_value *document, *pooled;
    struct arena mem = { 0 };
    struct err e;

    assert_int_equal(json_parse(parser, text, &mem, &document, &e), 0);
    pooled = json_member(document, VIEW("pooled_metrics"));
    assert_non_null(pooled);
    assert_int_equal(pooled->n, l->table.column_count);
    for (uint32_t i = 0; i < pooled->n; i++) {
        const struct json_value *want = &pooled->members[i].value;
        const struct frame_column *c =
            frame_table_find(&l->table, pooled->members[i].key);
        struct frame_stats f;

        assert_non_null(c);
        frame_scores_stats(&c->scores, &f);
        assert_near(f.min, pooling_number(want, "min"), 1e-6);
        assert_near(f.harmonic_mean, pooling_number(want, "harmonic_mean"), 1e-6);
        if (f.infinite) {
            assert_int_equal(json_member(want, VIEW("mean"))->type, JSON_NULL);
            assert_int_equal(json_member(want, VIEW("max"))->type, JSON_NULL);
            assert_near(f.max, INFINITY, 0);
            continue;
        }
        assert_near(f.mean, pooling_number(want, "mean"), 1e-6);
        assert_near(f.max, pooling_number(want, "max"), 1e-6);
    }
    arena_deinit(&mem);
    json_parser_free(parser);
    sample_free(text);
    done(l);
}

static void figures_are_those_that_libvmaf_pooled(void **state)
{
    (void)state;
    assert_pooled("vmaf.json");
    assert_pooled("vmaf_two_models.json");
    assert_pooled(
        "vmaf_ciede_hvs.json"); /* harmonic means over identical frames, too */
}

static void null_and_inf_are_the_same_in_decibels(void **state)
{
    static const char *const files[] = { "vmaf_ciede_hvs.json", "vmaf_ciede_hvs.xml",
                                         "vmaf_ciede_hvs.csv" };

    (void)state;
    for (int i = 0; i < 3; i++) {
        struct vmaf_log *l = log_of_file(files[i]);

        assert_int_equal(stats(l, "ciede2000", "").infinite, 5);
        assert_int_equal(stats(l, "psnr_hvs_y", "").infinite, 5);
        assert_near(stats(l, "ciede2000", "").harmonic_mean, 51.942803, 1e-6);
        assert_near(stats(l, "cambi", "").max, 0, 0);
        done(l);
    }

    struct vmaf_log *l = log_of(VIEW("{\"frames\":[{\"frameNum\":0,\"metrics\":"
                                     "{\"vmaf\":null,\"psnr_y\":null}}]}"));

    assert_true(vmaf_log_end(l));
    assert_int_equal(stats(l, "vmaf", "").frames, 0);
    assert_int_equal(stats(l, "psnr_y", "").infinite, 1);
    done(l);
}

static void frames_that_were_left_out_are_no_gap(void **state)
{
    static const char *const files[] = { "vmaf_subsample5.json",
                                         "vmaf_subsample5.csv" };

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct vmaf_log *l = log_of_file(files[i]);

        assert_int_equal(l->table.rows, 6);
        assert_null(l->table.numbers);
        assert_int_equal(frame_table_number(&l->table, 5), 25);
        assert_near(stats(l, "vmaf", "").min, 79.389756, 0);
        done(l);
    }
}

static void two_models_are_two_series_of_one_metric(void **state)
{
    struct vmaf_log *l = log_of_file("vmaf_two_models.json");

    (void)state;
    assert_near(stats(l, "vmaf", "").mean, 86.537592, 1e-6);
    assert_near(stats(l, "vmaf", "vmaf_neg").mean, 84.792086, 1e-6);
    assert_string_equal(l->version, "2.3.0");
    assert_string_equal(l->model, "");
    done(l);
}

static void release_1_is_read(void **state)
{
    static const char *const files[] = { "vmaf_1.3.9.json", "vmaf_1.3.9.xml" };

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct vmaf_log *l = log_of_file(files[i]);

        assert_string_equal(l->version, "1.3.7");
        assert_string_equal(l->model, "vmaf_float_v0.6.1");
        assert_near(l->width, 320, 0);
        assert_near(l->height, 180, 0);
        assert_int_equal(l->table.rows, 30);
        /* VMAF score = 86.571148 at its end; the XML has six digits in all */
        assert_near(stats(l, "vmaf", "vmaf_float_v0.6.1").mean, 86.571148, 1e-6);
        assert_near(stats(l, "psnr_y", "").max, 60, 0);
        assert_near(stats(l, "ssim", "").max, 0.99996, 1e-5);
        done(l);
    }
}

static void size_and_version_are_in_xml(void **state)
{
    struct vmaf_log *l = log_of_file("vmaf.xml");

    (void)state;
    assert_string_equal(l->version, "2.3.0");
    assert_near(l->width, 320, 0);
    assert_near(l->height, 180, 0);
    done(l);
}

static void a_model_may_have_any_name(void **state)
{
    (void)state;
    struct vmaf_log *l = log_of(VIEW("Frame,integer_adm2,tv,phone,\n0,1.0,90,95,\n"));

    assert_true(vmaf_log_end(l));
    assert_near(stats(l, "vmaf", "phone").mean, 95, 0);
    assert_non_null(frame_table_metric(&l->table, VIEW("tv"), VIEW("")));
    done(l);

    l = log_of(VIEW("{\"params\":{\"model\":\"/usr/share/model/vmaf_v0.6.1.json\"},"
                    "\"frames\":[{\"metrics\":{\"vmaf\":1},\"frameNum\":7}]}"));
    assert_true(vmaf_log_end(l));
    assert_near(stats(l, "vmaf", "vmaf_v0.6.1").mean, 1, 0);
    assert_int_equal(frame_table_number(&l->table, 0), 7);
    done(l);
}

static void sixteen_digits_stay(void **state)
{
    (void)state;
    struct vmaf_log *l =
        log_of(VIEW("{\"version\":\"3.0.0\",\"fps\":12.5,\"frames\":[{\"frameNum\":0,"
                    "\"metrics\":{\"vmaf\":97.4280431234567}}]}"));

    assert_true(vmaf_log_end(l));
    assert_near(frame_scores_at(scores(l, "vmaf", ""), 0), 97.4280431234567, 0);
    assert_int_equal(l->faults.count, 0);
    done(l);
}

static void what_libvmaf_gets_wrong_is_read(void **state)
{
    (void)state;
    /* a comma where frame 0 had no scores; nan and inf of early releases */
    struct vmaf_log *l = log_of(VIEW(
        "\xEF\xBB\xBF\n{\"frames\": [,\n{\"frameNum\": 1, \"metrics\": {\"vmaf\": nan,"
        "\"psnr_y\": inf, \"cambi\": -nan, \"motion2\": 0.5, }}]}\n"));

    assert_true(vmaf_log_end(l));
    assert_int_equal(l->faults.count, 0);
    assert_int_equal(l->table.rows, 1);
    assert_int_equal(stats(l, "vmaf", "").frames, 0);
    assert_int_equal(stats(l, "psnr_y", "").infinite, 1);
    done(l);
}

static void rows_that_lack_a_score_are_not_guessed(void **state)
{
    (void)state;
    struct vmaf_log *l = log_of(VIEW("Frame,motion2,vmaf,\n0,1,90,\n1,91,\n2,1,92,\n"
                                     "x,1,92,\n3,1,high,\n2,1,1,\n"));

    assert_true(vmaf_log_end(l));
    assert_int_equal(l->table.rows, 3);
    assert_near(stats(l, "vmaf", "").mean, 91, 0);
    /* frame 1, "x", "high", and frame 2 again */
    assert_int_equal(l->faults.count, 4);
    assert_int_equal(l->faults.line, 7);
    done(l);
}

/* What is not whole is told, and the frames that were read stay. */
static void assert_cut(struct view text, size_t rows, const char *reason)
{
    struct vmaf_log *l = log_of(text);

    assert_false(vmaf_log_end(l));
    assert_int_equal(l->table.rows, rows);
    assert_true(l->faults.count >= 1);
    assert_string_equal(l->faults.reason, reason);
    done(l);
}

static void half_a_document_is_told(void **state)
{
    static const char *const files[] = { "vmaf.json", "vmaf.xml", "vmaf.csv",
                                         "vmaf.sub" };
    struct vmaf_log *l = log_of(VIEW(" \n"));

    (void)state;
    assert_false(vmaf_log_end(l));
    assert_int_equal(l->faults.count, 0); /* nothing came yet */
    done(l);
    for (int i = 0; i < 4; i++) {
        struct view text = sample_read(QUALITY, files[i]);

        l = log_of((struct view){ text.p, 3000 });
        assert_false(vmaf_log_end(l));
        assert_string_equal(l->faults.reason, "the log is cut off");
        assert_true(l->table.rows >= 3 && l->table.rows < 20);
        assert_near(frame_scores_at(scores(l, "vmaf", ""), 0), 97.428043, 0);
        done(l);
        sample_free(text);
    }
    assert_cut(VIEW("{"), 0, "the log is cut off");
}

static void what_is_no_log_is_told(void **state)
{
    struct buf deep = { 0 };

    (void)state;
    assert_cut(VIEW("{]"), 0, "a bracket that closes another");
    assert_cut(VIEW("{\"frames\":[{\"frameNum\":0,\"metrics\":{\"vmaf\":1}}]} x"), 1,
               "something before or behind the document");
    assert_cut(VIEW("{garbage}"), 0, "a value without a name");
    assert_cut(VIEW("<html></html>"), 0, "not a document of libvmaf");
    assert_cut(VIEW("<!DOCTYPE VMAF [<!ENTITY a \"b\">]><VMAF/>"), 0,
               "a document type, which libvmaf never writes");
    assert_cut(VIEW("<VMAF><frames></VMAF>"), 0, "mismatched tag");
    assert_cut(VIEW("nonsense"), 0, "the log is cut off");
    for (int i = 0; i < 100; i++)
        buf_str(&deep, "{\"a\":");
    assert_cut(buf_as_view(&deep), 0, "nested too deep");
    buf_deinit(&deep);
    buf_str(&deep, "<VMAF>");
    for (int i = 0; i < 100; i++)
        buf_str(&deep, "<a>");
    assert_cut(buf_as_view(&deep), 0, "nested too deep");
    buf_deinit(&deep);
}

static void an_element_without_end_does_not_grow_for_ever(void **state)
{
    struct vmaf_log *l = log_of(VIEW("<VMAF><frame vmaf=\""));
    char digits[4096];

    (void)state;
    memset(digits, '1', sizeof digits);
    for (int i = 0; i < 1000 && !l->broken; i++)
        vmaf_log_add(l, (struct view){ digits, sizeof digits });
    assert_true(l->broken);
    assert_string_equal(l->faults.reason, "an element longer than may be");
    done(l);
}

static void another_text_begins_anew(void **state)
{
    struct vmaf_log *l =
        log_of(VIEW("<VMAF version=\"1\"><frames><frame frameNum=\"0\" vmaf="));

    (void)state;
    vmaf_log_restart(l);
    vmaf_log_add(l, VIEW("Frame,vmaf,\n3,80,\n"));
    assert_true(vmaf_log_end(l));
    assert_int_equal(l->format, VMAF_CSV);
    assert_string_equal(l->version, "");
    assert_near(stats(l, "vmaf", "").mean, 80, 0);
    done(l);
}

static void how_the_bytes_are_cut_makes_no_difference(void **state)
{
    static const char *const files[] = { "vmaf_ciede_hvs.json", "vmaf_1.3.9.json",
                                         "vmaf_ciede_hvs.xml",  "vmaf_1.3.9.xml",
                                         "vmaf_ciede_hvs.csv",  "vmaf.sub" };

    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct view text = sample_read(QUALITY, files[i]);
        struct buf whole = told_vmaf_log(text, text.n, text.n), cut;

        cut = told_vmaf_log(text, 1, 1);
        assert_true(view_eq(buf_as_view(&whole), buf_as_view(&cut)));
        buf_deinit(&cut);
        buf_deinit(&whole);
        text.n = text.n < 2000 ? text.n : 2000;
        whole = told_vmaf_log(text, text.n, text.n);
        for (size_t first = 1; first < text.n; first++) {
            cut = told_vmaf_log(text, first, text.n);
            assert_true(view_eq(buf_as_view(&whole), buf_as_view(&cut)));
            buf_deinit(&cut);
        }
        buf_deinit(&whole);
        sample_free(text);
    }
}

static void assert_figures(const struct json_value *entry, struct view text)
{
    const struct json_value *want = json_member(entry, VIEW("vmaf"));
    const struct json_value *percentiles = json_member(want, VIEW("percentile_linear"));
    struct vmaf_log *l = log_of(text);
    struct frame_stats f = stats(l, "vmaf", "");
    const double percents[] = { 25, 75, 95, 99 };
    double others[4];

    assert_true(vmaf_log_end(l));
    assert_int_equal(f.frames, (int)pooling_number(entry, "frames"));
    pooling_near(f.mean, want, "mean");
    pooling_near(f.harmonic_mean, want, "harmonic_mean_offset1");
    pooling_near(f.min, want, "min");
    pooling_near(f.max, want, "max");
    pooling_near(f.stddev, want, "stdev_population");
    pooling_near(f.p1, percentiles, "1");
    pooling_near(f.p5, percentiles, "5");
    pooling_near(f.p10, percentiles, "10");
    pooling_near(f.p50, percentiles, "50");
    frame_scores_percentiles(scores(l, "vmaf", ""), percents, 4, others);
    pooling_near(others[0], percentiles, "25");
    pooling_near(others[1], percentiles, "75");
    pooling_near(others[2], percentiles, "95");
    pooling_near(others[3], percentiles, "99");
    done(l);
}

static void figures_are_those_that_others_found(void **state)
{
    (void)state;
    pooling_each(POOLING, "vmaf_log", assert_figures);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_formats_tell_the_same),
        cmocka_unit_test(figures_are_those_that_libvmaf_pooled),
        cmocka_unit_test(null_and_inf_are_the_same_in_decibels),
        cmocka_unit_test(frames_that_were_left_out_are_no_gap),
        cmocka_unit_test(two_models_are_two_series_of_one_metric),
        cmocka_unit_test(release_1_is_read),
        cmocka_unit_test(size_and_version_are_in_xml),
        cmocka_unit_test(a_model_may_have_any_name),
        cmocka_unit_test(sixteen_digits_stay),
        cmocka_unit_test(what_libvmaf_gets_wrong_is_read),
        cmocka_unit_test(rows_that_lack_a_score_are_not_guessed),
        cmocka_unit_test(half_a_document_is_told),
        cmocka_unit_test(what_is_no_log_is_told),
        cmocka_unit_test(an_element_without_end_does_not_grow_for_ever),
        cmocka_unit_test(another_text_begins_anew),
        cmocka_unit_test(how_the_bytes_are_cut_makes_no_difference),
        cmocka_unit_test(figures_are_those_that_others_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
