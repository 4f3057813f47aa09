/*
 * frame_scores.c - appending keeps what can be kept in sums; what needs an order is found
 * by counting.
 *
 * Scores have keys, unsigned integers in the order of the scores. The k-th smallest is
 * found digit by digit from the top: one pass over all keys counts how often each digit
 * comes among those that begin as the result does. All percentiles share the passes:
 * two for many scores from 0 to 100 in millionths, four or five for doubles.
 */
#include "core/frame_scores.h"
#include "core/frame_span.h"
#include "core/mem.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    MILLIONTHS_NONE = INT32_MIN,
    MILLIONTHS_INFINITE = INT32_MAX,
    FEW_BITS = 8, /* of a digit */
    MANY_BITS = 14,
    MANY = 1 << 16, /* scores */
    RANKS_MAX = 2 * FRAME_PERCENTILES_MAX,
};

static const double million = 1e6;

/* Whether this many millionths are score to the last bit. */
static bool in_millionths(double score, int32_t *out)
{
    double n = nearbyint(score * million);

    if (isnan(score)) {
        *out = MILLIONTHS_NONE;
        return true;
    }
    if (isinf(score)) {
        *out = MILLIONTHS_INFINITE;
        return true;
    }
    if (fabs(n) >= INT32_MAX || n / million != score)
        return false;
    *out = (int32_t)n;
    return true;
}

static double from_millionths(int32_t n)
{
    return n == MILLIONTHS_NONE       ? (double)NAN
           : n == MILLIONTHS_INFINITE ? (double)INFINITY
                                      : n / million;
}

double frame_scores_at(const struct frame_scores *s, size_t index)
{
    assert(index < s->count);
    return s->wide ? s->wide[index] : from_millionths(s->millionths[index]);
}

static void widen(struct frame_scores *s)
{
    double *wide = mem_resize(NULL, s->cap, sizeof *wide);

    for (size_t i = 0; i < s->count; i++)
        wide[i] = from_millionths(s->millionths[i]);
    free(s->millionths);
    s->millionths = NULL;
    s->wide = wide;
}

static void append(struct frame_scores *s, double score)
{
    int32_t n = 0;

    if (s->count == s->cap) {
        s->cap = s->cap ? s->cap + s->cap / 2 : 64;
        if (s->wide)
            s->wide = mem_resize(s->wide, s->cap, sizeof *s->wide);
        else
            s->millionths = mem_resize(s->millionths, s->cap, sizeof *s->millionths);
    }
    if (!s->wide && !in_millionths(score, &n))
        widen(s);
    assert(s->wide || s->millionths);
    if (s->wide)
        s->wide[s->count++] = score;
    else
        s->millionths[s->count++] = n;
}

/* The score that came last is part of its block. */
static void append_to_block(struct frame_scores *s, double score)
{
    size_t block = (s->count - 1) / FRAME_BLOCK;

    if (block == s->block_cap) {
        s->block_cap += s->block_cap / 2 + 1;
        s->blocks = mem_resize(s->blocks, s->block_cap, sizeof *s->blocks);
    }
    if ((s->count - 1) % FRAME_BLOCK == 0)
        s->blocks[block] = frame_span_none();
    frame_span_add(&s->blocks[block], score);
}

void frame_scores_add(struct frame_scores *s, double score)
{
    double from_mean;

    if (isinf(score) && score < 0)
        score = NAN;
    if (score == 0)
        score = 0; /* one key for both zeros */
    append(s, score);
    append_to_block(s, score);
    if (isnan(score))
        return;
    s->harmonic_undefined = s->harmonic_undefined || score <= -1;
    s->inverses += 1 / (score + 1);
    if (isinf(score)) {
        s->infinite++;
        return;
    }
    s->min = s->finite && s->min < score ? s->min : score;
    s->max = s->finite && s->max > score ? s->max : score;
    s->finite++;
    /* Welford 1962: no difference of large sums */
    from_mean = score - s->mean;
    s->mean += from_mean / (double)s->finite;
    s->squares += from_mean * (score - s->mean);
}

void frame_scores_add_mse(struct frame_scores *s, double mse)
{
    if (!isfinite(mse))
        return;
    s->mse_sum += mse;
    s->mse_count++;
}

/* ---- the k-th smallest ------------------------------------------------------------- */

static const uint64_t sign = UINT64_C(1) << 63;

static uint64_t key_of_double(double score)
{
    uint64_t key;

    memcpy(&key, &score, sizeof key);
    return key & sign ? ~key : key | sign;
}

static inline uint64_t key_of(const struct frame_scores *s, bool wide, size_t index)
{
    return wide ? key_of_double(s->wide[index])
                : (uint32_t)s->millionths[index] ^ UINT32_C(0x80000000);
}

static double score_of(const struct frame_scores *s, uint64_t key)
{
    double score;

    if (!s->wide)
        return from_millionths((int32_t)((uint32_t)key ^ UINT32_C(0x80000000)));
    key = key & sign ? key & ~sign : ~key;
    memcpy(&score, &key, sizeof score);
    return score;
}

/*
 * The search for some of the finite scores. Keys count from that of the least score, so
 * that their first digit tells as much as it can. A table of counts is as large as it pays
 * for: a pass over many scores costs more than a table that is not in the nearest cache.
 */
struct search {
    const struct frame_scores *s;
    uint64_t base, span;        /* the least key; the largest, counted from it */
    unsigned top;               /* bit at which the first digit begins */
    unsigned shift, bits;       /* of the digit that is looked at */
    size_t digits;              /* that the tables have room for */
    size_t groups;              /* of wanted keys that begin alike … */
    uint64_t begins[RANKS_MAX]; /* … in ascending order */
    bool *tops;                 /* by first digit: a group begins with it */
    uint32_t *counts;           /* by group and digit */
};

/* One that is looked for. */
struct wanted {
    uint64_t begins; /* how the keys begin that may be it */
    uint64_t rank;   /* its place among them, from 0 */
    size_t group;
};

/* How often each first digit comes. */
static inline void count_first(struct search *q, bool wide)
{
    for (size_t i = 0; i < q->s->count; i++) {
        uint64_t key = key_of(q->s, wide, i) - q->base;

        if (key <= q->span) /* finite */
            q->counts[key >> q->top]++;
    }
}

/* How often each digit comes among the keys that begin as a group's. */
static inline void count_next(struct search *q, bool wide)
{
    for (size_t i = 0; i < q->s->count; i++) {
        uint64_t key = key_of(q->s, wide, i) - q->base, begins;
        size_t g = 0;

        if (key > q->span || !q->tops[key >> q->top]) /* not finite; in no group */
            continue;
        begins = key >> q->shift >> q->bits;
        while (g < q->groups && q->begins[g] < begins)
            g++;
        if (g < q->groups && q->begins[g] == begins)
            q->counts[g * q->digits +
                      ((key >> q->shift) & (((uint64_t)1 << q->bits) - 1))]++;
    }
}

static void count_digits(struct search *q)
{
    memset(q->counts, 0, q->groups * q->digits * sizeof *q->counts);
    if (q->shift == q->top && q->s->wide)
        count_first(q, true);
    else if (q->shift == q->top)
        count_first(q, false);
    else if (q->s->wide)
        count_next(q, true);
    else
        count_next(q, false);
}

/* Who begins alike is looked for together. */
static void group(struct search *q, struct wanted wanted[], size_t n)
{
    q->groups = 0;
    memset(q->tops, 0, q->digits * sizeof *q->tops);
    for (size_t i = 0; i < n; i++) {
        if (!q->groups || q->begins[q->groups - 1] != wanted[i].begins)
            q->begins[q->groups++] = wanted[i].begins;
        wanted[i].group = q->groups - 1;
        if (q->shift != q->top)
            q->tops[wanted[i].begins << q->shift << q->bits >> q->top] = true;
    }
}

static unsigned bits_of(uint64_t v)
{
    unsigned n = 0;

    for (; v; v >>= 1)
        n++;
    return n;
}

/* The next digit of each that is wanted. */
static void find_digits(struct search *q, struct wanted wanted[], size_t n)
{
    group(q, wanted, n);
    count_digits(q);
    for (size_t i = 0; i < n; i++) {
        const uint32_t *count = q->counts + wanted[i].group * q->digits;
        uint64_t digit = 0;

        for (; wanted[i].rank >= count[digit]; digit++) {
            wanted[i].rank -= count[digit];
            assert(digit < q->digits - 1);
        }
        wanted[i].begins = wanted[i].begins << q->bits | digit;
    }
}

static void search_keys(struct search *q)
{
    const struct frame_scores *s = q->s;
    int32_t low = 0, high = 0;

    if (!s->wide && in_millionths(s->min, &low) && in_millionths(s->max, &high)) {
        q->base = (uint32_t)low ^ UINT32_C(0x80000000);
        q->span = ((uint32_t)high ^ UINT32_C(0x80000000)) - q->base;
    } else {
        q->base = key_of_double(s->min);
        q->span = key_of_double(s->max) - q->base;
    }
}

/* The finite scores with these ranks (from 0, ascending, below the number of them). */
static void select_ranks(const struct frame_scores *s, const uint64_t ranks[], size_t n,
                         double out[])
{
    const unsigned most = s->count < MANY ? FEW_BITS : MANY_BITS;
    struct wanted wanted[RANKS_MAX];
    struct search q;
    unsigned left, passes;

    q.s = s;
    search_keys(&q);
    left = bits_of(q.span);
    passes = (left + most - 1) / most;
    q.digits = (size_t)1 << most;
    q.tops = mem_alloc(q.digits * sizeof *q.tops);
    q.counts = mem_alloc(n * q.digits * sizeof *q.counts);
    q.bits = passes ? (left + passes - 1) / passes : 0;
    q.top = left - q.bits;
    for (size_t i = 0; i < n; i++)
        wanted[i] = (struct wanted){ 0, ranks[i], 0 };
    for (; left > 0; left = q.shift) {
        q.bits = left < q.bits ? left : q.bits;
        q.shift = left - q.bits;
        find_digits(&q, wanted, n);
    }
    free(q.tops);
    free(q.counts);
    for (size_t i = 0; i < n; i++)
        out[i] = score_of(s, wanted[i].begins + q.base);
}

static double between(double a, double b, double part)
{
    return part <= 0 || a == b ? a : a + part * (b - a); /* b may be +Inf */
}

/* Puts rank among n ascending ranks, unless it is there. How many there are then. */
static size_t add_rank(uint64_t ranks[], size_t n, uint64_t rank)
{
    size_t at = n;

    while (at > 0 && ranks[at - 1] > rank)
        at--;
    if (at > 0 && ranks[at - 1] == rank)
        return n;
    memmove(ranks + at + 1, ranks + at, (n - at) * sizeof *ranks);
    ranks[at] = rank;
    return n + 1;
}

/* The score with this rank; those above all finite ones are infinite. */
static double at_rank(const uint64_t ranks[], const double found[], size_t n,
                      uint64_t rank)
{
    for (size_t i = 0; i < n; i++)
        if (ranks[i] == rank)
            return found[i];
    return INFINITY;
}

void frame_scores_percentiles(const struct frame_scores *s, const double percents[],
                              size_t n, double out[])
{
    uint64_t ranks[RANKS_MAX], low[FRAME_PERCENTILES_MAX], high[FRAME_PERCENTILES_MAX];
    const uint64_t scores = s->finite + s->infinite;
    double parts[FRAME_PERCENTILES_MAX], found[RANKS_MAX];
    size_t count = 0;

    assert(n <= FRAME_PERCENTILES_MAX);
    for (size_t i = 0; i < n; i++)
        out[i] = NAN;
    if (!scores || !n)
        return;
    for (size_t i = 0; i < n; i++) {
        double at = percents[i] / 100 * (double)(scores - 1);

        assert(percents[i] >= 0 && percents[i] <= 100);
        low[i] = (uint64_t)at;
        high[i] = low[i] + 1 < scores ? low[i] + 1 : low[i];
        parts[i] = at - (double)low[i];
        if (low[i] < s->finite)
            count = add_rank(ranks, count, low[i]);
        if (high[i] < s->finite)
            count = add_rank(ranks, count, high[i]);
    }
    if (count)
        select_ranks(s, ranks, count, found);
    for (size_t i = 0; i < n; i++)
        out[i] = between(at_rank(ranks, found, count, low[i]),
                         at_rank(ranks, found, count, high[i]), parts[i]);
}

/* ---- figures ----------------------------------------------------------------------- */

void frame_scores_stats(const struct frame_scores *s, struct frame_stats *out)
{
    const double percents[] = { 1, 5, 10, 50 };
    const double n = (double)(s->finite + s->infinite);
    double p[4];

    frame_scores_percentiles(s, percents, 4, p);
    *out = (struct frame_stats){ .frames = s->finite + s->infinite,
                                 .infinite = s->infinite,
                                 .mean = NAN,
                                 .stddev = NAN,
                                 .harmonic_mean = NAN,
                                 .min = NAN,
                                 .max = NAN,
                                 .max_finite = NAN,
                                 .p1 = p[0],
                                 .p5 = p[1],
                                 .p10 = p[2],
                                 .p50 = p[3] };
    if (s->finite) {
        out->mean = s->mean;
        out->stddev = sqrt(s->squares / (double)s->finite);
        out->min = s->min;
        out->max = out->max_finite = s->max;
    }
    if (s->infinite) {
        out->min = s->finite ? out->min : (double)INFINITY;
        out->max = INFINITY;
    }
    if (n > 0 && !s->harmonic_undefined)
        out->harmonic_mean = n / s->inverses - 1;
}

void frame_scores_below(const struct frame_scores *s, const double thresholds[],
                        size_t n, uint64_t out[])
{
    for (size_t t = 0; t < n; t++)
        out[t] = 0;
    for (size_t i = 0; i < s->count; i++) {
        double score = frame_scores_at(s, i);

        for (size_t t = 0; t < n; t++)
            out[t] += score < thresholds[t];
    }
}

double frame_scores_mean_mse(const struct frame_scores *s)
{
    return s->mse_count ? s->mse_sum / (double)s->mse_count : (double)NAN;
}

double frame_psnr_db(double mse, double peak)
{
    return 10 * log10(peak * peak / mse);
}

double frame_peak(double mse, double psnr_db)
{
    double estimate, bits, peak;

    if (!isfinite(mse) || mse < 0.1 || !isfinite(psnr_db))
        return NAN; /* two digits of it say too little */
    estimate = sqrt(mse * pow(10, psnr_db / 10));
    bits = nearbyint(log2(estimate + 1));
    peak = exp2(bits) - 1;
    return bits >= 8 && bits <= 16 && fabs(estimate / peak - 1) < 0.1 ? peak : NAN;
}

void frame_scores_deinit(struct frame_scores *s)
{
    free(s->millionths);
    free(s->wide);
    free(s->blocks);
    *s = (struct frame_scores){ 0 };
}
