/*
 * tell_text.c - the answer as text of 80 columns.
 */
#include "modules/predict/tell_inner.h"

#include <math.h>

enum { WIDTH = 80, SIGNIFICANT = -1 };

/* decimals: SIGNIFICANT for three significant digits, without an exponent. */
static void add_number(struct buf *out, double v, int decimals)
{
    if (decimals == SIGNIFICANT) {
        double size = v == 0 ? 0 : floor(log10(fabs(v)));

        decimals = size >= 2 ? 0 : size < -7 ? 9 : 2 - (int)size;
    }
    buf_fmt(out, "%.*f", decimals, v);
}

static int decimals_of(enum target t)
{
    return t == TARGET_VMAF   ? 1
           : t == TARGET_PSNR ? 2
           : t == TARGET_SSIM ? 4
                              : SIGNIFICANT;
}

static void pad_to(struct buf *out, size_t from, size_t width)
{
    while (out->n - from < width)
        buf_char(out, ' ');
}

static void add_right(struct buf *out, struct buf *cell, size_t width)
{
    for (size_t i = cell->n; i < width; i++)
        buf_char(out, ' ');
    buf_view(out, buf_as_view(cell));
    buf_release(cell);
}

static void add_wrapped(struct buf *out, const char *first, const char *text)
{
    struct view rest = view_of(text), word;
    size_t indent = strlen(first), column = indent;
    bool begun = false;

    buf_str(out, first);
    while (view_split(&rest, ' ', &word)) {
        if (begun && column + 1 + word.n > WIDTH) {
            buf_fmt(out, "\n%*s", (int)indent, "");
            column = indent;
        } else if (begun) {
            buf_char(out, ' ');
            column++;
        }
        buf_view(out, word);
        column += word.n;
        begun = true;
    }
    buf_char(out, '\n');
}

static void add_paragraph(struct buf *out, const char *first, struct buf *text)
{
    buf_char(text, '\0');
    add_wrapped(out, first, text->p);
    buf_release(text);
}

static void add_question(const struct answer *a, struct buf *out)
{
    const struct whatif *w = &a->asked.what;
    struct buf text = { 0 };

    buf_decimal(&text, w->width);
    buf_char(&text, 'x');
    buf_decimal(&text, w->height);
    buf_str(&text, " at ");
    buf_decimal(&text, w->fps);
    buf_str(&text, " fps, ");
    if (w->encoder.n)
        buf_fmt(&text, "%.*s%s%.*s, ", VIEW_ARG(w->encoder), w->preset.n ? " " : "",
                VIEW_ARG(w->preset));
    buf_decimal(&text, w->bitrate_kbps);
    buf_str(&text, " kbit/s asked for");
    add_paragraph(out, "", &text);
    buf_deinit(&text);
}

static void add_interval(struct buf *out, const struct estimate *e, int decimals)
{
    if (isnan(e->low) || isnan(e->high))
        return;
    add_number(out, e->low, decimals);
    buf_str(out, " to ");
    add_number(out, e->high, decimals);
}

/* confidence: NaN is none. */
static void add_figure(struct buf *out, const char *title, const struct estimate *e,
                       int decimals, double confidence)
{
    enum { TITLE = 29, VALUE = 9, INTERVAL = 24 };
    size_t from = out->n;
    struct buf cell = { 0 };

    buf_fmt(out, "  %s", title);
    pad_to(out, from, TITLE);
    add_number(&cell, e->value, decimals);
    add_right(out, &cell, VALUE);
    buf_str(out, "   ");
    from = out->n;
    add_interval(out, e, decimals);
    if (!isnan(confidence)) {
        pad_to(out, from, INTERVAL);
        buf_fmt(out, "%.2f %s", confidence, confidence_word(confidence));
    }
    buf_char(out, '\n');
    buf_deinit(&cell);
}

static void add_prices(const struct answer *a, struct buf *out)
{
    bool whole = !isnan(a->asked.energy_j.value) && !isnan(a->asked.core_seconds.value);
    struct estimate e;

    for (size_t i = 0; i < a->t.count; i++) {
        struct buf title = { 0 };

        e = tell_hourly_cost(&a->asked, &a->t.in[i]);
        buf_fmt(&title, "%s per hour%s%s", a->t.in[i].currency, whole ? "" : ", ",
                whole ? "" : cost_parts(&a->asked));
        buf_char(&title, '\0');
        if (!isnan(e.value))
            add_figure(out, title.p, &e, SIGNIFICANT, NAN);
        buf_deinit(&title);
    }
    e = tell_hourly_co2_kg(&a->asked, &a->t);
    if (!isnan(e.value))
        add_figure(out, "kg CO2 per hour", &e, SIGNIFICANT, NAN);
}

static void add_figures(const struct answer *a, struct buf *out)
{
    buf_str(out, "\n                               expected   "
                 "95 % interval           confidence\n");
    for (size_t i = 0; i < TARGET_COUNT; i++) {
        const struct answer_figure *f = &answer_figures[i];
        const struct estimate *e = answer_estimate(f, &a->asked);

        if (!isnan(e->value))
            add_figure(out, f->title, e, decimals_of(f->target),
                       a->asked.confidence[f->target]);
    }
    if (a->priced)
        add_prices(a, out);
    buf_char(out, '\n');
}

static void add_reading(const struct answer *a, struct buf *out)
{
    uint32_t sources;
    bool holds = answer_holds_for_new(a, &sources);
    struct buf text = { 0 };

    buf_fmt(&text, "Learned from %llu encodes of %u source%s (models %s). ",
            (unsigned long long)outlook_lessons(a->o), sources, sources == 1 ? "" : "s",
            outlook_version(a->o));
    buf_str(&text, "Seconds and hours are of content. ");
    if (holds)
        buf_str(&text, "The figures are for content that is new to the models, and 95 "
                       "of 100 such encodes come to lie within the intervals. "
                       "Confidence, 0 to 1, is how much of what sets unseen sources "
                       "apart the model tells, less where few encodes are like this "
                       "one.");
    else
        buf_str(&text, "That is too few to tell how much content differs: 95 of 100 "
                       "encodes of content like theirs come to lie within the "
                       "intervals, of other content fewer. Confidence, 0 to 1, is how "
                       "much of what sets these encodes apart the model tells, less "
                       "where few are like this one.");
    add_paragraph(out, "", &text);
    buf_deinit(&text);
}

static void add_recommended(const struct answer *a, struct buf *out)
{
    const struct estimate *e = &a->asked.recommended_kbps;
    uint32_t sources;
    bool holds = answer_holds_for_new(a, &sources);
    struct buf text = { 0 };

    buf_fmt(&text, "For VMAF %.10g: ", a->asked.target_vmaf);
    if (isnan(e->value)) {
        buf_fmt(&text, "no bit rate can be recommended: %s.", a->why_bitrate);
    } else {
        buf_fmt(&text, "ask for %.0f kbit/s", e->value);
        if (!isnan(e->low))
            buf_fmt(&text, "; %.0f may do for content that is easy to encode", e->low);
        if (!isnan(e->high))
            buf_fmt(&text, "; with %.0f, 39 of 40 %s reach it", e->high,
                    holds ? "sources" : "such encodes");
        else
            buf_str(&text, "; which bit rate is enough for nearly all content, the "
                           "encodes cannot say");
        buf_char(&text, '.');
    }
    buf_char(out, '\n');
    add_paragraph(out, "", &text);
    buf_deinit(&text);
}

/* ---- the table ------------------------------------------------------------------------ */

enum { COLUMN_RATE = 9, COLUMN_WIDE = 23, COLUMN = 11 };

static bool column_known(const struct answer *a, enum target t)
{
    for (size_t i = 0; i < a->rows; i++)
        for (size_t k = 0; k < TARGET_COUNT; k++)
            if (answer_figures[k].target == t &&
                !isnan(answer_estimate(&answer_figures[k], &a->row[i])->value))
                return true;
    return false;
}

static void add_cell(struct buf *out, const struct estimate *e, int decimals, bool wide)
{
    struct buf cell = { 0 };

    if (!isnan(e->value)) {
        add_number(&cell, e->value, decimals);
        if (wide && !isnan(e->low) && !isnan(e->high)) {
            buf_str(&cell, " (");
            add_interval(&cell, e, decimals);
            buf_char(&cell, ')');
        }
    }
    add_right(out, &cell, wide ? COLUMN_WIDE : COLUMN);
    buf_deinit(&cell);
}

static void add_title(struct buf *out, const char *title, bool wide)
{
    buf_fmt(out, "%*s", wide ? COLUMN_WIDE : COLUMN, title);
}

static void add_row(const struct answer *a, const struct whatif_outlook *w,
                    const bool known[TARGET_COUNT], struct buf *out)
{
    bool asked = w->what.bitrate_kbps == a->asked.what.bitrate_kbps;
    size_t from = out->n;
    struct estimate e;

    buf_fmt(out, "%s%*.10g", asked ? ">" : " ", COLUMN_RATE - 1, w->what.bitrate_kbps);
    if (known[TARGET_VMAF])
        add_cell(out, &w->vmaf, 1, true);
    if (known[TARGET_PSNR])
        add_cell(out, &w->psnr_db, 1, true);
    if (known[TARGET_CORE_SECONDS])
        add_cell(out, &w->core_seconds, SIGNIFICANT, false);
    if (a->priced && a->t.count) {
        e = tell_hourly_cost(w, &a->t.in[0]);
        add_cell(out, &e, SIGNIFICANT, false);
    }
    while (out->n > from && out->p[out->n - 1] == ' ')
        out->n--;
    buf_char(out, '\n');
}

static void add_table(const struct answer *a, struct buf *out)
{
    bool known[TARGET_COUNT];

    if (a->rows == 0)
        return;
    for (size_t t = 0; t < TARGET_COUNT; t++)
        known[t] = column_known(a, (enum target)t);
    buf_char(out, '\n');
    buf_fmt(out, "%*s", COLUMN_RATE, "kbit/s");
    if (known[TARGET_VMAF])
        add_title(out, "VMAF", true);
    if (known[TARGET_PSNR])
        add_title(out, "PSNR (dB)", true);
    if (known[TARGET_CORE_SECONDS])
        add_title(out, "core-s/s", false);
    if (a->priced && a->t.count) {
        struct buf title = { 0 };

        buf_fmt(&title, "%s/h", a->t.in[0].currency);
        add_right(out, &title, COLUMN);
        buf_deinit(&title);
    }
    buf_char(out, '\n');
    for (size_t i = 0; i < a->rows; i++)
        add_row(a, &a->row[i], known, out);
}

/* What is not said for the same reason is told together, where the first of it stands. */
static void add_reason(const struct answer *a, size_t first, struct buf *out)
{
    const char *why = a->why[answer_figures[first].target];
    struct buf text = { 0 };

    for (size_t i = 0; i < TARGET_COUNT; i++) {
        const struct answer_figure *f = &answer_figures[i];

        if (strcmp(a->why[f->target], why) != 0)
            continue;
        if (i < first) {
            buf_deinit(&text);
            return;
        }
        buf_fmt(&text, "%s%s", i > first ? ", " : "", f->title);
    }
    buf_fmt(&text, ": %s.", why);
    add_paragraph(out, "  ", &text);
    buf_deinit(&text);
}

static void add_unsaid(const struct answer *a, struct buf *out)
{
    bool begun = false;

    for (size_t i = 0; i < TARGET_COUNT; i++) {
        if (!a->why[answer_figures[i].target][0])
            continue;
        if (!begun)
            buf_str(out, "\nNot said:\n");
        begun = true;
        add_reason(a, i, out);
    }
}

void answer_as_text(const struct answer *a, struct buf *out)
{
    add_question(a, out);
    if (a->anything) {
        add_figures(a, out);
        add_reading(a, out);
    } else {
        buf_str(out, "\nThe encodes can say nothing of this one.\n");
    }
    add_recommended(a, out);
    add_table(a, out);
    add_unsaid(a, out);
}
