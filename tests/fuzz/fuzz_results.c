/*
 * fuzz_results.c - any bytes as a results file.
 *
 * Beyond not crashing: what is taken is JSON to the last byte, also by the reader that
 * knows nothing of the split; nothing that is cut off is taken; a second reading with
 * the first one's run at hand takes over every scenario, also those of which something
 * was measured meanwhile; and what follows the text in memory changes nothing.
 */
#include "core/json.h"
#include "core/measured.h"
#include "core/mem.h"
#include "core/results.h"
#include "core/utf8.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "does not hold: %s\n", what);
        abort();
    }
}

static void add_padding(struct buf *b, char with)
{
    for (int i = 0; i < RESULTS_PADDING; i++)
        buf_char(b, with);
}

/* Read as one piece, by the strict reader alone. */
static bool strictly_json(struct view text)
{
    struct json_parser *p = json_parser_new();
    struct buf good = { 0 };

    if (view_starts(text, VIEW("\xEF\xBB\xBF")))
        text = view_skip(text, 3);
    buf_char(&good, ' '); /* so that it has a place in memory when it is empty */
    utf8_repair(text, &good);

    bool ok = json_parse_piece(p, buf_as_view(&good), buf_as_view(&good),
                               JSON_DEPTH_MAX, NULL, NULL, NULL) == 0;

    buf_deinit(&good);
    json_parser_free(p);
    return ok;
}

static void check_run(const struct run *run)
{
    uint32_t repeated = 0;

    for (uint32_t i = 0; i < run->count; i++) {
        const struct scenario *s = run->scenarios[i];
        const struct facts *f = &s->facts;

        must(s->name.n && s->streams.n && s->output_ladder.n && s->encoder.n &&
                 s->encoder_type.n && s->preset.n,
             "labels with a default are never empty");
        must(utf8_valid(s->name) && utf8_valid(s->bitrate) && utf8_valid(s->source),
             "texts are UTF-8");
        must(f->streams >= 1 && f->viewers >= 1, "streams and viewers are known");
        must(isnan(f->duration_s) || f->duration_s > 0, "a duration is positive");
        must(!(f->energy_j < 0) && !isinf(f->energy_j), "energy is finite");
        must(!(f->vmaf < 0 || f->vmaf > 120), "VMAF is in its range");
        must((f->energy_basis == ENERGY_NONE) == isnan(f->energy_j),
             "energy has a basis when it is known");
        must(run->ordinals[i] >= 1, "ordinals begin at 1");
        repeated += run->ordinals[i] > 1;
    }
    must(repeated == run->repeated, "repeats are counted");
}

/* Equal scenarios of one file may stand for each other. */
static bool is_one_of(const struct run *run, const struct scenario *s)
{
    for (uint32_t i = 0; i < run->count; i++)
        if (run->scenarios[i] == s)
            return true;
    return false;
}

/* What the file tells stays, what it leaves open is filled. */
static void check_measured(const struct scenario *s, const struct measured *m)
{
    const struct facts *told = &scenario_told(s)->facts, *f = &s->facts;
    bool open = measured_lacks_energy(s) && isnan(told->mean_cpu_power_w);

    must(f->duration_s == (isnan(told->duration_s) ? m->duration_s : told->duration_s),
         "a duration is told or measured");
    must(!open ||
             (f->cpu_energy_j == m->energy_j && f->energy_basis == m->energy_basis),
         "an energy that is not told is measured");
    must(measured_lacks_energy(s) || f->mean_cpu_power_w == told->mean_cpu_power_w ||
             isnan(told->mean_cpu_power_w),
         "a power that is told stays");
    must(!isnan(f->core_seconds) &&
             (measured_lacks_cores(s) ? f->compute_basis == m->compute_basis
                                      : f->core_seconds == told->core_seconds),
         "core-seconds are told or measured");
    must(!s->as_told || !s->as_told->as_told, "a measurement rests on what is told");
}

/* Every other scenario measured; takes the run. */
static const struct run *measured_run(const struct run *run)
{
    struct measured m = measured_nothing();
    const struct scenario **with = mem_alloc(run->count * sizeof *with);
    uint32_t *at = mem_alloc(run->count * sizeof *at), n = 0;
    const struct run *next;

    m.duration_s = m.energy_span_s = m.cores_span_s = 12.5;
    m.energy_j = 1000;
    m.energy_basis = ENERGY_SAMPLER_SHARED;
    m.core_seconds = 50;
    m.compute_basis = COMPUTE_SAMPLER;
    m.state = SCENARIO_RUNNING;
    for (uint32_t i = 0; i < run->count; i += 2) {
        with[n] = scenario_measured(run->scenarios[i], &m);
        check_measured(with[n], &m);
        at[n++] = i;
    }
    next = run_with(run, at, with, n);
    must(next->lacking == run->lacking && next->open == run->open,
         "what a file leaves open does not depend on what was measured");
    free(with);
    free(at);
    run_unref(run);
    return next;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct results_parser *p = results_parser_new();
    struct buf b = { 0 };
    const struct run *run = NULL, *again = NULL;
    struct results_notes notes;
    struct err e = { 0 };

    buf_add(&b, data, size);
    add_padding(&b, '}');

    struct view text = { b.p, size };
    bool strict = strictly_json(text);
    enum results_verdict v =
        results_parse(p, text, VIEW("fuzz"), NULL, 1000, &run, &notes, &e);

    must(v == RESULTS_OK || (e.code < 0 && e.text[0]), "a refusal has a reason");
    if (v == RESULTS_OK || v == RESULTS_WRONG_SHAPE)
        must(strict, "what is taken is JSON");
    else if (v == RESULTS_INVALID_JSON)
        must(!strict, "what is refused is no JSON");
    if (v == RESULTS_OK) {
        check_run(run);
        run = measured_run(run);
        check_run(run);

        b.n = size;
        add_padding(&b, ']');
        text.p = b.p;
        must(results_parse(p, text, VIEW("fuzz"), run, 1000, &again, &notes, &e) == v,
             "the same bytes give the same verdict");
        must(again->count == run->count, "the same bytes give the same scenarios");
        for (uint32_t i = 0; i < run->count; i++)
            must(is_one_of(run, again->scenarios[i]),
                 "unchanged scenarios are taken over");
        run_unref(again);
        again = NULL;

        text = view_trim(text);
        text.n--; /* its last bracket */
        must(results_parse(p, text, VIEW("fuzz"), run, 1000, &again, &notes, &e) ==
                 RESULTS_INVALID_JSON,
             "a file that is cut off is refused");
        run_unref(run);
    }
    results_parser_free(p);
    buf_deinit(&b);
    return 0;
}
