/*
 * negotiate.c - which representation a client gets, and whether it has it already.
 *
 * Of each format the most specific range that matches it says how welcome it is. The
 * more welcome one is served; at a tie OpenMetrics only if it is named in full and no
 * less exactly than text, so that "anything" means text. A range that names another
 * version matches neither: OpenMetrics 0.0.1 has other rules, and text 1.0.0 promises
 * what only its readers know. A range whose weight cannot be read is passed over.
 *
 * Nothing is refused for its Accept: a reader that takes neither format is told by the
 * Content-Type what it got, which helps people more than a 406.
 */
#include "server/http/negotiate.h"

#include "core/hash.h"

enum { WEIGHT_ONE = 1000000 }; /* weights in millionths; RFC 9110 has thousandths */

enum { RANK_NONE = -1, RANK_ANY, RANK_TYPE, RANK_NAMED, RANK_VERSION };

/* One element of Accept or Accept-Encoding. */
struct range {
    struct view name; /* media range or coding */
    uint32_t weight;
    struct view version;
    enum escaping escaping;
};

/* How welcome one representation is, by the best range so far. */
struct offer {
    int rank;
    uint32_t weight;
    enum escaping escaping;
};

/*
 * Where the part at the front of v ends: at the first byte of stops outside quotes, or
 * with v. Every scrape brings some 200 bytes of this, so they are looked at just once.
 */
static size_t part_end(struct view v, const bool stops[256])
{
    size_t i = 0;

    while (i < v.n && !stops[(unsigned char)v.p[i]]) {
        if (v.p[i++] != '"')
            continue;
        while (i < v.n && v.p[i] != '"')
            i += v.p[i] == '\\' ? 2 : 1;
        i++;
    }
    return i < v.n ? i : v.n;
}

/* Takes n bytes off the front; they are returned without blanks at their ends. */
static struct view take(struct view *rest, size_t n)
{
    struct view part = { rest->p, n };

    *rest = view_skip(*rest, n);
    while (part.n > 0 && (part.p[0] == ' ' || part.p[0] == '\t'))
        part = view_skip(part, 1);
    while (part.n > 0 && (part.p[part.n - 1] == ' ' || part.p[part.n - 1] == '\t'))
        part.n--;
    return part;
}

/* "0.25" → 250000. False: no weight. The leading 0 may be missing, as Java's is. */
static bool read_weight(struct view v, uint32_t *out)
{
    uint32_t unit = WEIGHT_ONE, weight = 0;
    size_t i = 0;

    if (v.n == 0)
        return false;
    if (v.p[0] == '0' || v.p[0] == '1') {
        weight = v.p[i++] == '1' ? WEIGHT_ONE : 0;
        if (i == v.n) {
            *out = weight;
            return true;
        }
    }
    if (v.p[i++] != '.' || v.n < 2)
        return false;
    for (; i < v.n; i++) {
        if (v.p[i] < '0' || v.p[i] > '9')
            return false;
        unit /= 10;
        weight += (uint32_t)(v.p[i] - '0') * unit;
    }
    if (weight > WEIGHT_ONE)
        return false;
    *out = weight;
    return true;
}

static enum escaping read_escaping(struct view v)
{
    static const struct view names[ESCAPINGS] = {
        [ESCAPING_UNSAID] = { NULL, 0 },
        [ESCAPING_ALLOW_UTF_8] = { "allow-utf-8", 11 },
        [ESCAPING_UNDERSCORES] = { "underscores", 11 },
        [ESCAPING_DOTS] = { "dots", 4 },
        [ESCAPING_VALUES] = { "values", 6 },
    };

    for (int i = ESCAPING_UNSAID + 1; i < ESCAPINGS; i++)
        if (view_eq_nocase(v, names[i]))
            return (enum escaping)i;
    return ESCAPING_UNSAID;
}

static struct view unquoted(struct view v)
{
    if (v.n >= 2 && v.p[0] == '"' && v.p[v.n - 1] == '"')
        return (struct view){ v.p + 1, v.n - 2 };
    return v;
}

static bool read_parameter(struct view name, struct view value, struct range *out)
{
    if (view_eq_nocase(name, VIEW("q")))
        return read_weight(unquoted(value), &out->weight);
    if (view_eq_nocase(name, VIEW("version")))
        out->version = unquoted(value);
    else if (view_eq_nocase(name, VIEW("escaping")))
        out->escaping = read_escaping(unquoted(value));
    return true;
}

/*
 * Takes the next element off the front of a list; false at its end. An element that is
 * empty, or whose weight cannot be read, comes without a name.
 */
static bool next_range(struct view *rest, struct range *out)
{
    static const bool element[256] = { [','] = true, [';'] = true };
    static const bool parameter[256] = { [','] = true, [';'] = true, ['='] = true };
    bool good = true;

    if (rest->n == 0)
        return false;
    *out = (struct range){ .weight = WEIGHT_ONE };
    out->name = take(rest, part_end(*rest, element));
    while (rest->n > 0 && rest->p[0] == ';') {
        struct view name, value = { NULL, 0 };

        *rest = view_skip(*rest, 1);
        name = take(rest, part_end(*rest, parameter));
        if (rest->n > 0 && rest->p[0] == '=') {
            *rest = view_skip(*rest, 1);
            value = take(rest, part_end(*rest, element));
        }
        good = read_parameter(name, value, out) && good;
    }
    if (rest->n > 0)
        *rest = view_skip(*rest, 1); /* the comma */
    if (!good)
        out->name.n = 0;
    return true;
}

static void consider(struct offer *o, int rank, const struct range *r)
{
    if (rank < o->rank || (rank == o->rank && r->weight <= o->weight))
        return;
    *o = (struct offer){ rank, r->weight, r->escaping };
}

/* The same for a range that names the format; others of its versions are not ours. */
static void consider_named(struct offer *o, struct view version, const struct range *r)
{
    if (r->version.n == 0)
        consider(o, RANK_NAMED, r);
    else if (view_eq(r->version, version))
        consider(o, RANK_VERSION, r);
}

struct format negotiate_format(struct view accept)
{
    struct offer text = { .rank = RANK_NONE }, open = { .rank = RANK_NONE };
    struct range r;

    while (next_range(&accept, &r)) {
        if (view_eq_nocase(r.name, VIEW("text/plain"))) {
            consider_named(&text, VIEW("0.0.4"), &r);
        } else if (view_eq_nocase(r.name, VIEW("application/openmetrics-text"))) {
            consider_named(&open, VIEW("1.0.0"), &r);
        } else if (view_eq(r.name, VIEW("*/*")) || view_eq(r.name, VIEW("*"))) {
            consider(&text, RANK_ANY, &r);
            consider(&open, RANK_ANY, &r);
        } else if (view_eq_nocase(r.name, VIEW("text/*"))) {
            consider(&text, RANK_TYPE, &r);
        } else if (view_eq_nocase(r.name, VIEW("application/*"))) {
            consider(&open, RANK_TYPE, &r);
        }
    }
    if (open.weight > text.weight ||
        (open.weight > 0 && open.weight == text.weight && open.rank >= RANK_NAMED &&
         open.rank >= text.rank))
        return (struct format){ true, open.escaping };
    return (struct format){ false, text.escaping };
}

bool negotiate_gzip(struct view accept_encoding)
{
    struct offer gzip = { .rank = RANK_NONE }, identity = { .rank = RANK_NONE };
    struct range r;

    while (next_range(&accept_encoding, &r)) {
        if (view_eq_nocase(r.name, VIEW("gzip")) ||
            view_eq_nocase(r.name, VIEW("x-gzip"))) {
            consider(&gzip, RANK_NAMED, &r);
        } else if (view_eq_nocase(r.name, VIEW("identity"))) {
            consider(&identity, RANK_NAMED, &r);
        } else if (view_eq(r.name, VIEW("*"))) {
            consider(&gzip, RANK_ANY, &r);
            consider(&identity, RANK_ANY, &r);
        }
    }
    return gzip.weight > 0 && gzip.weight >= identity.weight;
}

#define TEXT "text/plain; version=0.0.4; charset=utf-8"
#define OPEN "application/openmetrics-text; version=1.0.0; charset=utf-8"

const char *format_content_type(struct format f)
{
    static const char *const types[2][ESCAPINGS] = {
        { TEXT, TEXT "; escaping=allow-utf-8", TEXT "; escaping=underscores",
          TEXT "; escaping=dots", TEXT "; escaping=values" },
        { OPEN, OPEN "; escaping=allow-utf-8", OPEN "; escaping=underscores",
          OPEN "; escaping=dots", OPEN "; escaping=values" },
    };

    return types[f.openmetrics][f.escaping];
}

/* ---- entity tags ---------------------------------------------------------------- */

void etag_make(char to[ETAG_MAX], uint64_t seed, const uint64_t content[], size_t count,
               struct format f, bool gzip)
{
    const struct view bytes = { (const char *)content, count * sizeof(*content) };
    struct hash h = hash_of(bytes, seed);
    char *at = to;

    *at++ = '"';
    for (int part = 0; part < 2; part++)
        for (int shift = 60; shift >= 0; shift -= 4)
            *at++ = "0123456789abcdef"[h.part[part] >> shift & 15];
    *at++ = '-';
    *at++ = f.openmetrics ? 'o' : 't';
    *at++ = (char)('0' + f.escaping);
    *at++ = gzip ? 'g' : 'i';
    *at++ = '"';
    *at = '\0';
}

bool etag_listed(struct view list, struct view etag)
{
    list = view_trim(list);
    if (view_eq(list, VIEW("*")))
        return true;
    while (list.n > 0) {
        const char *end;
        size_t n;

        if (list.p[0] == ',' || list.p[0] == ' ' || list.p[0] == '\t') {
            list = view_skip(list, 1);
            continue;
        }
        if (view_starts(list, VIEW("W/")))
            list = view_skip(list, 2);
        /* No escapes within: a tag ends at the next quote. */
        end = list.n > 1 ? memchr(list.p + 1, '"', list.n - 1) : NULL;
        if (!end || list.p[0] != '"')
            return false;
        n = (size_t)(end - list.p) + 1;
        if (view_eq((struct view){ list.p, n }, etag))
            return true;
        list = view_skip(list, n);
    }
    return false;
}
