/*
 * vmaf_log.c - which format it is, the two that consist of lines, and what all have in
 * common.
 */
#include "core/vmaf_log.h"
#include "core/decimal.h"
#include "core/utf8.h"
#include "core/vmaf_inner.h"

#include <math.h>

void vmaf_log_init(struct vmaf_log *l, struct frame_limits limits)
{
    *l = (struct vmaf_log){ .width = NAN, .height = NAN, .line = 1 };
    frame_table_init(&l->table, limits, frame_metric_libvmaf);
    lines_init(&l->lines, VMAF_LINE_MAX);
}

void vmaf_fault(struct vmaf_log *l, uint64_t line, const char *reason)
{
    text_fault(&l->faults, line, reason);
}

void vmaf_fatal(struct vmaf_log *l, uint64_t line, const char *reason)
{
    vmaf_fault(l, line, reason);
    l->broken = true;
}

/* ---- frames ------------------------------------------------------------------------ */

/* null: *out is NaN, and *null is set. */
static bool read_score(struct view text, double *out, bool *null)
{
    *null = view_eq(text, VIEW("null"));
    if (*null || view_eq_nocase(text, VIEW("nan")) ||
        view_eq_nocase(text, VIEW("-nan")) || view_eq_nocase(text, VIEW("-inf")) ||
        view_eq(text, VIEW("-Infinity")))
        *out = NAN;
    else if (view_eq_nocase(text, VIEW("inf")) || view_eq(text, VIEW("Infinity")))
        *out = INFINITY;
    else
        return decimal_read(text, out);
    return true;
}

static void take_score(struct frame_column *c, double score, bool null)
{
    c->score = null && c->metric.unbounded ? (double)INFINITY : score;
}

bool vmaf_value(struct vmaf_log *l, struct view name, struct view text)
{
    double score;
    bool null;

    if (!read_score(view_trim(text), &score, &null))
        return false;
    if (frame_table_set(&l->table, name, score))
        take_score(&l->table.columns[l->table.next_column - 1], score, null);
    return true;
}

bool vmaf_number(struct vmaf_log *l, struct view text)
{
    double v;

    if (!decimal_read(view_trim(text), &v) || v < 0 || v > UINT32_MAX || v != floor(v))
        return false;
    l->number = (uint32_t)v;
    l->numbered = true;
    return true;
}

/* With the first frame all names are known: which of them is the score of a model. */
static void name_models(struct vmaf_log *l)
{
    struct frame_table *t = &l->table;
    struct frame_column *score = NULL;
    struct view model = view_of(l->model);

    for (size_t i = 0; i < t->column_count; i++) {
        struct frame_column *c = &t->columns[i];

        if (view_eq(c->metric.metric, VIEW("vmaf"))) {
            if (!c->metric.model.n && model.n &&
                !frame_table_metric(t, VIEW("vmaf"), model))
                frame_table_name_model(t, c, model);
            return;
        }
        if (c->metric.kind == FRAME_OTHER)
            score = c;
    }
    if (score)
        score->metric =
            (struct frame_metric){ VIEW("vmaf"), score->name, FRAME_SCORE, false };
}

void vmaf_row(struct vmaf_log *l, uint64_t line)
{
    if (!l->numbered) {
        vmaf_fault(l, line, "a frame without number");
        frame_table_abandon(&l->table);
    } else if (!frame_table_commit(&l->table, l->number)) {
        vmaf_fault(l, line, "a frame without scores, out of order, or one too many");
    } else if (l->table.rows == 1) {
        name_models(l);
    }
    l->numbered = false;
}

static void keep(char *to, size_t size, struct view text)
{
    size_t n = text.n < size && utf8_valid(text) ? text.n : 0; /* no half of it */

    memcpy(to, text.p, n);
    to[n] = '\0';
}

void vmaf_version(struct vmaf_log *l, struct view text)
{
    keep(l->version, sizeof l->version, text);
}

void vmaf_param(struct vmaf_log *l, struct view name, struct view text)
{
    double v;

    if (view_eq(name, VIEW("model"))) {
        for (size_t i = text.n; i > 0; i--) /* a path, perhaps */
            if (text.p[i - 1] == '/' || text.p[i - 1] == '\\') {
                text = view_skip(text, i);
                break;
            }
        if (view_ends(text, VIEW(".pkl")))
            text.n -= strlen(".pkl");
        else if (view_ends(text, VIEW(".json")))
            text.n -= strlen(".json");
        keep(l->model, sizeof l->model, text);
    } else if (decimal_read(text, &v) && v > 0 && v <= 1e6) {
        if (view_eq(name, VIEW("qualityWidth")) || view_eq(name, VIEW("scaledWidth")))
            l->width = v;
        if (view_eq(name, VIEW("qualityHeight")) || view_eq(name, VIEW("scaledHeight")))
            l->height = v;
    }
}

/* ---- CSV and subtitles ------------------------------------------------------------- */

/* "Frame,integer_adm2,…,vmaf,": fields is what follows the first comma. */
static void take_header(struct vmaf_log *l, struct view fields)
{
    struct view name;

    if (l->csv_count)
        frame_table_restart(&l->table); /* another log in the same file */
    l->csv_count = 0;
    while (view_split(&fields, ',', &name)) {
        name = view_trim(name);
        if (!name.n && !fields.p)
            break; /* behind the last comma */
        if (l->csv_count == VMAF_FIELDS_MAX) {
            vmaf_fault(l, l->lines.number, "more columns than are read");
            l->csv_count = 0;
            return;
        }
        l->csv_columns[l->csv_count++] = frame_table_set(&l->table, name, NAN)
                                             ? (int16_t)(l->table.next_column - 1)
                                             : (int16_t)-1;
    }
}

/* "0,1.000000,…,97.428043,". A frame that lacks a score has fewer fields and does not tell
 * which: none of them can be used. */
static void take_record(struct vmaf_log *l, struct view number, struct view fields)
{
    struct view text;
    size_t n = 0;
    double score;
    bool null;

    if (!vmaf_number(l, number)) {
        vmaf_fault(l, l->lines.number, "no number of a frame");
        return;
    }
    for (; view_split(&fields, ',', &text); n++) {
        text = view_trim(text);
        if (!text.n && !fields.p)
            break;
        if (n >= l->csv_count || l->csv_columns[n] < 0)
            continue;
        if (read_score(text, &score, &null))
            take_score(&l->table.columns[l->csv_columns[n]], score, null);
        else
            vmaf_fault(l, l->lines.number, "no number");
    }
    if (n == l->csv_count) {
        vmaf_row(l, l->lines.number);
        return;
    }
    frame_table_abandon(&l->table);
    l->numbered = false;
    vmaf_fault(l, l->lines.number, "not as many columns as the header has");
}

static void take_csv(struct vmaf_log *l, struct view line)
{
    struct view first;

    view_split(&line, ',', &first);
    first = view_trim(first);
    if (!line.p && !first.n)
        return;
    if (view_eq_nocase(first, VIEW("frame")))
        take_header(l, line);
    else if (l->csv_count)
        take_record(l, first, line);
    else
        vmaf_fault(l, l->lines.number, "not a log of libvmaf");
}

/* "{0}{1}frame: 0|vmaf: 97.428043|" */
static void take_subtitle(struct vmaf_log *l, struct view line)
{
    struct view part, name;
    bool first = true;

    for (int i = 0; i < 2; i++)
        view_split(&line, '}', &part);
    while (view_split(&line, '|', &part)) {
        part = view_trim(part);
        if (!part.n)
            continue;
        view_split(&part, ':', &name);
        if (first && !(view_eq(name, VIEW("frame")) && part.p && vmaf_number(l, part)))
            break;
        if (!first && (!part.p || !vmaf_value(l, name, part)))
            vmaf_fault(l, l->lines.number, "no number");
        first = false;
    }
    if (first)
        vmaf_fault(l, l->lines.number, "no number of a frame");
    else
        vmaf_row(l, l->lines.number);
}

static void add_lines(struct vmaf_log *l, struct view bytes)
{
    enum lines_what what;
    struct view line;

    while ((what = lines_next(&l->lines, &bytes, &line)) != LINES_NONE) {
        if (what == LINES_OVER) {
            vmaf_fault(l, l->lines.number, "longer than a line may be");
            continue;
        }
        if (what == LINES_CUT)
            vmaf_fault(l, l->lines.number, "begins before a gap of NUL bytes");
        if (l->format == VMAF_CSV)
            take_csv(l, line);
        else if (view_trim(line).n)
            take_subtitle(l, line);
    }
}

/* ---- the whole ---------------------------------------------------------------------- */

static void add_known(struct vmaf_log *l, struct view bytes)
{
    if (l->broken)
        return;
    if (l->format == VMAF_JSON)
        vmaf_json_add(l, bytes);
    else if (l->format == VMAF_XML)
        vmaf_xml_add(l->xml, bytes);
    else
        add_lines(l, bytes);
}

static void decide(struct vmaf_log *l, char c)
{
    if (l->brace)
        l->format = c >= '0' && c <= '9' ? VMAF_SUB : VMAF_JSON;
    else if (c == '{')
        l->brace = true;
    else if (c == '<')
        l->format = VMAF_XML;
    else if (!strchr(" \t\r\n\xEF\xBB\xBF",
                     c)) /* '\0' is found as well; a byte order mark */
        l->format = VMAF_CSV;
    l->line += c == '\n' && !l->brace;
    if (l->format == VMAF_XML)
        l->xml = vmaf_xml_new(l);
    if (l->format != VMAF_UNDECIDED && l->brace)
        add_known(l, VIEW("{"));
}

void vmaf_log_add(struct vmaf_log *l, struct view bytes)
{
    while (l->format == VMAF_UNDECIDED && bytes.n) {
        decide(l, *bytes.p);
        if (l->format == VMAF_UNDECIDED)
            bytes = view_skip(bytes, 1);
    }
    if (bytes.n)
        add_known(l, bytes);
}

bool vmaf_log_end(struct vmaf_log *l)
{
    bool lines = l->format == VMAF_CSV || l->format == VMAF_SUB, whole;

    if (l->xml && !l->broken)
        vmaf_xml_end(l->xml);
    whole =
        lines ? !l->lines.over && (l->lines.given || !l->lines.held.n) : l->complete;

    whole = whole && !l->broken;
    if (!whole && !l->broken && (l->format != VMAF_UNDECIDED || l->brace))
        vmaf_fault(l, lines ? l->lines.number + 1 : l->line, "the log is cut off");
    return whole;
}

void vmaf_log_restart(struct vmaf_log *l)
{
    struct frame_limits limits = l->table.limits;
    struct text_faults faults = l->faults;

    vmaf_log_deinit(l);
    vmaf_log_init(l, limits);
    l->faults = faults;
}

void vmaf_log_deinit(struct vmaf_log *l)
{
    vmaf_xml_free(l->xml);
    l->xml = NULL;
    lines_deinit(&l->lines);
    frame_table_deinit(&l->table);
}
