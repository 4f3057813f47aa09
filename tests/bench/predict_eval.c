/*
 * predict_eval - what the models of modules/predict say of encodes that they were not shown.
 *
 *   predict_eval [--every N] FILE …
 *
 * Reads results files and prints one line with tabs between its columns (see columns) for
 * each prediction. Splits:
 *
 *   source   models of all other sources, asked for an encode with the bit rate that came out
 *   asked    the same with the bit rate that was asked for: what people are told
 *   encode   models of all encodes, with this one's own measurement taken away
 *   closed   models of all encodes: what they say of each without itself, in closed form
 *
 * Every prediction of the first three is of a fit of its own, made from scratch. --every N
 * leaves out in the third each Nth encode alone.
 */
#include "core/mem.h"
#include "core/results.h"
#include "modules/predict/model.h"
#include "modules/predict/outlook.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILES_MAX = 512, FILE_BYTES_MAX = 16 << 20 };

static const enum target targets[] = { TARGET_VMAF, TARGET_PSNR, TARGET_CORE_SECONDS };
enum { TARGETS = sizeof targets / sizeof *targets };

static const char columns[] =
    "split\ttarget\trun\tindex\tsource\tencoder\teffort\tasked_bps\tcame_bps\twidth\t"
    "height\tfps\tpixel_rate\tstreams\toutputs\treal_"
    "time\tmeasured\tvalue\tlow\thigh\n";

struct eval {
    const struct lessons *runs[FILES_MAX];
    size_t run_count;
    struct arena mem;
    struct data d;
    uint32_t *rows; /* all, by source and then as in d */
    size_t every;
};

/* ---- files ------------------------------------------------------------------------ */

static char *read_whole(const char *path, size_t *n)
{
    FILE *f = fopen(path, "rb");
    char *text;

    if (!f)
        return NULL;
    text = mem_zalloc(FILE_BYTES_MAX + RESULTS_PADDING);
    *n = fread(text, 1, FILE_BYTES_MAX, f);
    fclose(f);
    return text;
}

static int learn(struct eval *e, struct results_parser *parser, const char *path)
{
    const char *base = strrchr(path, '/');
    const struct run *run = NULL;
    const struct lessons *l;
    struct results_notes notes;
    struct err why = { 0 };
    size_t n = 0;
    char *text = read_whole(path, &n);

    base = base ? base + 1 : path;
    if (!text || results_parse(parser, (struct view){ text, n }, view_of(base), NULL, 0,
                               &run, &notes, &why) != RESULTS_OK) {
        fprintf(stderr, "predict_eval: %s: %s\n", path,
                text ? why.text : strerror(errno));
        free(text);
        return -1;
    }
    l = lessons_of(run);
    if (l && e->run_count < FILES_MAX)
        e->runs[e->run_count++] = l;
    else
        lessons_unref(l);
    run_unref(run);
    free(text);
    return 0;
}

/* ---- rows ------------------------------------------------------------------------- */

static const struct data *sorted_data;

static int by_source(const void *a, const void *b)
{
    uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;
    uint32_t x = sorted_data->rows[i].source, y = sorted_data->rows[j].source;

    return x != y ? (x > y) - (x < y) : (i > j) - (i < j);
}

static void sort_rows(struct eval *e)
{
    e->rows = mem_alloc((e->d.count + 1) * sizeof *e->rows);
    for (uint32_t i = 0; i < e->d.count; i++)
        e->rows[i] = i;
    sorted_data = &e->d;
    qsort(e->rows, e->d.count, sizeof *e->rows, by_source);
}

static uint32_t group_of(const struct row *r, enum target t)
{
    return kind_of(t) == KIND_QUALITY ? r->quality_group : r->compute_group;
}

/* Rows of the group that like is in, but for those of source without (UINT32_MAX: all). */
static size_t choose(const struct eval *e, enum target t, const struct row *like,
                     uint32_t without, uint32_t out[])
{
    size_t n = 0;

    assert(e->rows && e->d.rows);
    for (size_t i = 0; i < e->d.count; i++) {
        const struct row *r = &e->d.rows[e->rows[i]];

        if (group_of(r, t) == group_of(like, t) && r->source != without)
            out[n++] = e->rows[i];
    }
    return n;
}

/* Fits one target to the chosen rows. The caller releases *m; said may be NULL. */
static void fit(const struct eval *e, enum target t, const struct row *like,
                uint32_t without, struct model *m, struct estimate said[])
{
    uint32_t *rows = mem_alloc((e->d.count + 1) * sizeof *rows);
    struct estimate *own = NULL;
    size_t n = choose(e, t, like, without, rows);

    if (!said)
        said = own = mem_alloc((e->d.count + 1) * sizeof *own);
    for (size_t i = 0; i < e->d.count; i++)
        said[i] = (struct estimate){ NAN, NAN, NAN };
    model_make(m, &e->d, t, kind_of(t), rows, n, VIEW(""), without != UINT32_MAX, said);
    free(own);
    free(rows);
}

/* ---- output ----------------------------------------------------------------------- */

static void print_view(struct view v)
{
    fwrite(v.p, 1, v.n, stdout);
    putchar('\t');
}

static void print_row(const struct eval *e, const char *split, enum target t,
                      const struct row *r, double measured, struct estimate said)
{
    const struct lesson *l = r->l;

    if (isnan(measured))
        return;
    printf("%s\t%s\t", split, target_name(t));
    print_view(e->d.runs[r->run]->id);
    printf("%u\t", l->index);
    print_view(e->d.texts[r->source]);
    print_view(e->d.texts[r->encoder]);
    printf("%.9g\t%.9g\t%.9g\t%g\t%g\t%.9g\t%.9g\t%g\t%g\t%d\t%.9g\t%.9g\t%.9g\t%.9g\n",
           preset_effort(e->d.texts[r->encoder], e->d.texts[r->preset]), l->asked_bps,
           l->came_bps, l->width, l->height, l->fps, l->pixel_rate, (double)l->streams,
           (double)l->outputs, l->real_time, measured, said.value, said.low, said.high);
}

/* ---- splits ----------------------------------------------------------------------- */

static void leave_source_out(const struct eval *e, enum target t, uint32_t source)
{
    const struct row *like = NULL;
    struct model m;

    for (size_t i = 0; i < e->d.count; i++) {
        const struct row *r = &e->d.rows[i];
        struct point at;
        double confidence;
        struct estimate said = { NAN, NAN, NAN };

        if (r->source != source)
            continue;
        if (!like || group_of(like, t) != group_of(r, t)) {
            if (like)
                model_deinit(&m);
            like = r;
            fit(e, t, like, source, &m, NULL);
        }
        if (point_of_row(r, kind_of(t), e->d.texts, &at))
            said = model_at(&m, &at, &confidence);
        print_row(e, "source", t, r, r->l->y[t], said);
    }
    if (like)
        model_deinit(&m);
}

static struct estimate of_target(const struct whatif_outlook *w, enum target t)
{
    return t == TARGET_VMAF ? w->vmaf : t == TARGET_PSNR ? w->psnr_db : w->core_seconds;
}

/* One run without the lessons of a source: a copy that borrows all else. */
static struct lessons without_source(const struct lessons *l, struct view source)
{
    struct lessons copy = { .scenario_count = l->scenario_count,
                            .texts = l->texts,
                            .text_count = l->text_count,
                            .id = l->id };

    copy.hash[0] = l->hash[0];
    copy.hash[1] = l->hash[1];
    copy.of = mem_alloc((l->count + 1) * sizeof *copy.of);
    for (uint32_t i = 0; i < l->count; i++)
        if (!view_eq(l->texts[l->of[i].source], source))
            copy.of[copy.count++] = l->of[i];
    return copy;
}

static void ask(const struct eval *e, const struct outlook *o, const struct row *r)
{
    struct whatif what = {
        .name = VIEW("left out"),
        .bitrate_kbps = r->l->asked_bps / 1000,
        .width = r->l->width,
        .height = r->l->height,
        .fps = r->l->fps,
        .encoder = e->d.texts[r->encoder],
        .preset = e->d.texts[r->preset],
    };
    struct whatif_outlook said;

    /* A ladder or an encode at its natural speed cannot be asked for. */
    if (r->l->outputs > 1 || r->l->real_time)
        return;
    outlook_ask(o, &what, 93, &said);
    for (size_t t = 0; t < TARGETS; t++)
        print_row(e, "asked", targets[t], r, r->l->y[targets[t]],
                  of_target(&said, targets[t]));
}

static void ask_without_source(const struct eval *e, uint32_t source)
{
    struct lessons *some = mem_alloc((e->run_count + 1) * sizeof *some);
    const struct lessons **all = mem_alloc((e->run_count + 1) * sizeof(void *));
    struct whatif_list none = { .target_vmaf = 93 };
    struct outlook *o;

    for (size_t i = 0; i < e->run_count; i++) {
        some[i] = without_source(e->runs[i], e->d.texts[source]);
        all[i] = &some[i];
    }
    o = outlook_new(all, e->run_count, &none);
    for (size_t i = 0; i < e->d.count; i++)
        if (e->d.rows[i].source == source)
            ask(e, o, &e->d.rows[i]);
    outlook_free(o);
    for (size_t i = 0; i < e->run_count; i++)
        free(some[i].of);
    free(some);
    free(all);
}

static void leave_encode_out(const struct eval *e, enum target t, size_t i)
{
    struct row *r = &e->d.rows[i];
    const struct lesson *whole = r->l;
    struct lesson blank = *whole;
    struct estimate *said = mem_alloc((e->d.count + 1) * sizeof *said);
    struct model m;

    for (int k = 0; k < TARGET_COUNT; k++)
        blank.y[k] = NAN;
    r->l = &blank;
    fit(e, t, r, UINT32_MAX, &m, said);
    r->l = whole;
    print_row(e, "encode", t, r, whole->y[t], said[i]);
    model_deinit(&m);
    free(said);
}

static void closed_form(const struct eval *e, enum target t)
{
    struct estimate *said = mem_alloc((e->d.count + 1) * sizeof *said);
    struct model m;

    fit(e, t, &e->d.rows[0], UINT32_MAX, &m, said);
    for (size_t i = 0; i < e->d.count; i++)
        print_row(e, "closed", t, &e->d.rows[i], e->d.rows[i].l->y[t], said[i]);
    model_deinit(&m);
    free(said);
}

static void all_splits(const struct eval *e)
{
    assert(e->rows && e->d.rows);
    fputs(columns, stdout);
    for (size_t i = 0; i < e->d.count; i++) {
        uint32_t source = e->d.rows[e->rows[i]].source;

        if (source == 0 || (i > 0 && e->d.rows[e->rows[i - 1]].source == source))
            continue;
        for (size_t t = 0; t < TARGETS; t++)
            leave_source_out(e, targets[t], source);
        ask_without_source(e, source);
    }
    for (size_t t = 0; t < TARGETS; t++) {
        if (e->d.count)
            closed_form(e, targets[t]);
        for (size_t i = 0; i < e->d.count; i += e->every)
            leave_encode_out(e, targets[t], i);
    }
}

int main(int argc, char **argv)
{
    struct eval e = { .every = 1 };
    struct results_parser *parser = results_parser_new();
    int at = 1, rc = 0;

    if (argc > 2 && strcmp(argv[1], "--every") == 0) {
        e.every = strtoul(argv[2], NULL, 10);
        at = 3;
    }
    if (e.every == 0 || at >= argc) {
        fputs("usage: predict_eval [--every N] FILE ...\n", stderr);
        rc = 2;
    }
    for (; rc == 0 && at < argc; at++)
        rc = learn(&e, parser, argv[at]) < 0;
    if (rc == 0) {
        data_init(&e.d, e.runs, e.run_count, &e.mem);
        sort_rows(&e);
        all_splits(&e);
        data_deinit(&e.d);
        free(e.rows);
    }
    for (size_t i = 0; i < e.run_count; i++)
        lessons_unref(e.runs[i]);
    arena_deinit(&e.mem);
    results_parser_free(parser);
    return rc;
}
