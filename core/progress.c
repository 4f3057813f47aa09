/*
 * progress.c - lines "key=value" → blocks.
 *
 * A bad value leaves what the block had of that key: two writers may share a pipe, and
 * then a line of the log looks like a key now and then.
 */
#include "core/progress.h"
#include "core/decimal.h"

#include <math.h>

static const double micro = 1e-6;
static const double hour_s = 3600;
static const double earliest_s =
    -1e9; /* ffmpeg's "no time" is near -2e9 or far below */
static const double largest = 1e18;

enum value {
    VALUE_GOOD,
    VALUE_UNKNOWN, /* the text says that it is not known */
    VALUE_BAD,
};

static struct progress_block unknown_block(void)
{
    return (struct progress_block){ .frames = NAN,
                                    .fps = NAN,
                                    .bitrate_bps = NAN,
                                    .total_bytes = NAN,
                                    .out_time_s = NAN,
                                    .dup_frames = NAN,
                                    .drop_frames = NAN,
                                    .speed = NAN };
}

/* A number, with blanks around it and unit behind it. */
static enum value read_number(struct view text, struct view unit, double *out)
{
    double v;

    text = view_trim(text);
    if (text.n > unit.n && view_ends(text, unit))
        text = view_trim((struct view){ text.p, text.n - unit.n });
    if (view_eq_nocase(text, VIEW("n/a")) || view_eq_nocase(text, VIEW("nan")) ||
        view_eq_nocase(text, VIEW("-nan")) || view_eq_nocase(text, VIEW("inf")) ||
        view_eq_nocase(text, VIEW("-inf")))
        return VALUE_UNKNOWN;
    if (!decimal_read(text, &v) || fabs(v) > largest * 10)
        return VALUE_BAD;
    *out = v;
    return VALUE_GOOD;
}

/* The same for what cannot be negative. */
static enum value read_amount(struct view text, struct view unit, double *out)
{
    double v;
    enum value what = read_number(text, unit, &v);

    if (what != VALUE_GOOD)
        return what;
    if (v < 0 || v > largest)
        return VALUE_BAD;
    *out = v;
    return VALUE_GOOD;
}

static enum value read_bitrate(struct view text, double *out)
{
    double kbps;
    enum value what = read_amount(text, VIEW("kbits/s"), &kbps);

    if (what == VALUE_GOOD)
        *out = kbps * 1000;
    return what;
}

static enum value time_known(double s, double *out)
{
    if (s < earliest_s)
        return VALUE_UNKNOWN;
    *out = s;
    return VALUE_GOOD;
}

static enum value read_microseconds(struct view text, double *out)
{
    double us;
    enum value what = read_number(text, VIEW(""), &us);

    return what == VALUE_GOOD ? time_known(us * micro, out) : what;
}

/* [-]HH:MM:SS.uuuuuu, where HH has two digits or more. */
static enum value read_clock(struct view text, double *out)
{
    struct view rest = view_trim(text), part;
    bool negative = view_starts(rest, VIEW("-"));
    double parts[3], sum = 0;
    size_t n = 0;

    if (view_eq_nocase(rest, VIEW("n/a")))
        return VALUE_UNKNOWN;
    rest = view_skip(rest, negative);
    for (; n < 3 && view_split(&rest, ':', &part); n++) {
        if (!decimal_read(part, &parts[n]) || parts[n] < 0)
            return VALUE_BAD;
        sum = sum * 60 + parts[n];
    }
    if (n < 3 || rest.p || parts[0] * hour_s > largest)
        return VALUE_BAD;
    return time_known(negative ? -sum : sum, out);
}

static enum value read_quantiser(struct view text, double *out)
{
    double q;
    enum value what = read_number(text, VIEW(""), &q);

    if (what == VALUE_GOOD)
        *out = signbit(q) ? NAN : q;
    return what;
}

static enum value read_db(struct view text, double *out)
{
    if (!view_eq_nocase(view_trim(text), VIEW("inf")))
        return read_number(text, VIEW(""), out);
    *out = INFINITY;
    return VALUE_GOOD;
}

/* Digits at the front of *v, at most 6, and an underscore; both leave it. */
static bool take_index(struct view *v, unsigned *out)
{
    size_t n = 0;

    *out = 0;
    for (; n < v->n && n < 6 && v->p[n] >= '0' && v->p[n] <= '9'; n++)
        *out = *out * 10 + (unsigned)(v->p[n] - '0');
    if (n == 0 || n == v->n || v->p[n] != '_')
        return false;
    *v = view_skip(*v, n + 1);
    return true;
}

/* NULL: there is no room for another stream. */
static struct progress_stream *stream_of(struct progress_block *b, unsigned file,
                                         unsigned stream)
{
    for (size_t i = 0; i < b->stream_count; i++)
        if (b->streams[i].file == file && b->streams[i].stream == stream)
            return &b->streams[i];
    if (b->stream_count == PROGRESS_STREAMS_MAX)
        return NULL;
    b->streams[b->stream_count] = (struct progress_stream){
        file, stream, NAN, NAN, NAN, NAN, NAN,
    };
    return &b->streams[b->stream_count++];
}

/* key: what follows "stream_". */
static void take_stream(struct progress *p, struct view key, struct view text)
{
    static const struct view names[] = {
        { "q", 1 },      { "psnr_y", 6 },   { "psnr_u", 6 },
        { "psnr_v", 6 }, { "psnr_all", 8 },
    };
    struct progress_stream *s;
    unsigned file, stream;
    size_t i = 0;
    double v = NAN;

    if (!take_index(&key, &file) || !take_index(&key, &stream))
        return;
    while (i < sizeof names / sizeof *names && !view_eq(key, names[i]))
        i++;
    if (i == sizeof names / sizeof *names)
        return;
    s = stream_of(&p->block, file, stream);
    if (!s) {
        text_fault(&p->faults, p->lines.number, "more streams than are counted");
        return;
    }

    double *const fields[] = { &s->q, &s->psnr_y_db, &s->psnr_u_db, &s->psnr_v_db,
                               &s->psnr_all_db };
    enum value what = i == 0 ? read_quantiser(text, &v) : read_db(text, &v);

    if (what == VALUE_GOOD)
        *fields[i] = v;
    else if (what == VALUE_BAD)
        text_fault(&p->faults, p->lines.number, "no number");
}

/* Keys whose value is one figure. */
static enum value take_figure(struct progress *p, struct view key, struct view text)
{
    struct progress_block *b = &p->block;

    if (view_eq(key, VIEW("frame")))
        return read_amount(text, VIEW(""), &b->frames);
    if (view_eq(key, VIEW("fps")))
        return read_amount(text, VIEW(""), &b->fps);
    if (view_eq(key, VIEW("bitrate")))
        return read_bitrate(text, &b->bitrate_bps);
    if (view_eq(key, VIEW("total_size")))
        return read_amount(text, VIEW(""), &b->total_bytes);
    if (view_eq(key, VIEW("out_time_us")))
        return read_microseconds(text, &b->out_time_s);
    if (view_eq(key, VIEW("out_time_ms")))
        return read_microseconds(text, &p->out_time_ms_s);
    if (view_eq(key, VIEW("out_time")))
        return read_clock(text, &p->out_time_text_s);
    if (view_eq(key, VIEW("dup_frames")))
        return read_amount(text, VIEW(""), &b->dup_frames);
    if (view_eq(key, VIEW("drop_frames")))
        return read_amount(text, VIEW(""), &b->drop_frames);
    if (view_eq(key, VIEW("speed")))
        return read_amount(text, VIEW("x"), &b->speed);
    return VALUE_UNKNOWN;
}

static bool is_key(struct view key)
{
    for (size_t i = 0; i < key.n; i++) {
        char c = key.p[i];

        if (c != '_' && (c < 'a' || c > 'z') && (c < '0' || c > '9'))
            return false;
    }
    return key.n > 0;
}

/* The block is whole: what several of its keys tell, and which run it is of. */
static void finish(struct progress *p, bool end)
{
    struct progress_block *b = &p->block;

    if (isnan(b->out_time_s))
        b->out_time_s =
            isnan(p->out_time_text_s) ? p->out_time_ms_s : p->out_time_text_s;
    if (isnan(b->frames) && isnan(p->last_frames))
        p->ended = p->ended || b->out_time_s < p->last_out_time_s - 1;
    else
        p->ended = p->ended || b->frames < p->last_frames;
    if (p->ended || !p->runs)
        p->runs++;
    b->run = p->runs - 1;
    b->end = end;
    b->line = p->lines.number;
    p->ended = end;
    p->last_frames = b->frames;
    p->last_out_time_s = b->out_time_s;
    p->given = true;
}

static void take_line(struct progress *p, struct view line)
{
    struct view text = line, key;

    if (!view_trim(line).n)
        return;
    view_split(&text, '=', &key);
    if (!text.p || !is_key(key)) {
        text_fault(&p->faults, p->lines.number, "no key=value");
    } else if (view_eq(key, VIEW("progress"))) {
        text = view_trim(text);
        if (view_eq(text, VIEW("continue")) || view_eq(text, VIEW("end")))
            finish(p, view_eq(text, VIEW("end")));
        else
            text_fault(&p->faults, p->lines.number,
                       "progress is neither continue nor end");
    } else if (view_starts(key, VIEW("stream_"))) {
        take_stream(p, view_skip(key, strlen("stream_")), text);
    } else if (take_figure(p, key, text) == VALUE_BAD) {
        text_fault(&p->faults, p->lines.number, "no number, or one that cannot be");
    }
}

const struct progress_block *progress_next(struct progress *p, struct view *bytes)
{
    struct view line;
    enum lines_what what;

    if (p->given) {
        p->block = unknown_block();
        p->out_time_text_s = p->out_time_ms_s = NAN;
        p->given = false;
    }
    while ((what = lines_next(&p->lines, bytes, &line)) != LINES_NONE) {
        if (what == LINES_OVER) {
            text_fault(&p->faults, p->lines.number, "longer than a line may be");
            continue;
        }
        if (what == LINES_CUT)
            text_fault(&p->faults, p->lines.number, "begins before a gap of NUL bytes");
        take_line(p, line);
        if (p->given)
            return &p->block;
    }
    return NULL;
}

void progress_init(struct progress *p)
{
    *p = (struct progress){ 0 };
    lines_init(&p->lines, PROGRESS_LINE_MAX);
    progress_restart(p);
}

void progress_restart(struct progress *p)
{
    lines_restart(&p->lines);
    p->last_frames = p->last_out_time_s = NAN;
    p->runs = 0;
    p->ended = false;
    p->given = true; /* nothing of a block before stays */
}

void progress_deinit(struct progress *p)
{
    lines_deinit(&p->lines);
}
