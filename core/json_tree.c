/*
 * json_tree.c - one JSON text → tree of values, or the exact byte of its fault.
 *
 * This reader is ours because what it is for is what the library does not do: it takes
 * NaN, Infinity and 1e999 as values that spoil one field, counts brackets, reads lone
 * surrogates, keeps the place of every value, and says where and why a text is not
 * JSON. It reads pieces of some kilobytes; the megabytes go through json_split(), which
 * falls back on this reader when there is a fault to be found.
 *
 * Texts without escapes stay where they are and are pointed at. Children are collected
 * on a stack, because their number is known only at the closing bracket.
 */
#include "core/json_tree.h"
#include "core/decimal.h"
#include "core/mem.h"
#include "core/utf8.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>

enum { STACK_KEPT = 16384 }; /* children; a larger stack is not kept */

struct reader {
    const char *whole; /* offsets count from here */
    const char *p, *end;
    struct arena *arena; /* NULL: only check */
    struct json_stack *stack;
    unsigned depth_left;
    size_t values;
    const char *lone;   /* the first lone surrogate, or NULL */
    int code;           /* 0 while all is well */
    const char *reason; /* with the place in p */
};

static bool read_value(struct reader *r, struct json_value *v);

static bool fault(struct reader *r, const char *at, int code, const char *reason)
{
    r->p = at;
    r->code = code;
    r->reason = reason;
    return false;
}

/* What was expected at p, and not found. */
static bool expected(struct reader *r, const char *what)
{
    return fault(r, r->p, -EINVAL, r->p == r->end ? "cut off" : what);
}

static void skip_blanks(struct reader *r)
{
    while (r->p < r->end &&
           (*r->p == ' ' || *r->p == '\n' || *r->p == '\r' || *r->p == '\t'))
        r->p++;
}

/* ---- scalars -------------------------------------------------------------------- */

static bool take_word(struct reader *r, struct view word)
{
    struct view rest = { r->p, (size_t)(r->end - r->p) };

    if (!view_starts(rest, word))
        return false;
    r->p += word.n;
    return true;
}

static bool read_digits(struct reader *r)
{
    const char *from = r->p;

    while (r->p < r->end && *r->p >= '0' && *r->p <= '9')
        r->p++;
    return r->p > from;
}

/*
 * The value of a number that decimal_read() refuses: out of a double's range, at the
 * low end (0) or at the high end (no value). It decides by the power of ten of the
 * first digit that is not 0.
 */
static bool is_tiny(struct view number)
{
    long power = 0; /* of ten, of the digit at hand */
    long exponent = 0;
    bool point = false, seen = false, negative = false;
    size_t i = number.p[0] == '-';

    for (; i < number.n && number.p[i] != 'e' && number.p[i] != 'E'; i++) {
        if (number.p[i] == '.') {
            point = true;
            continue;
        }
        seen |= number.p[i] != '0';
        if (seen && !point)
            power++;
        else if (!seen && point)
            power--;
    }
    if (!seen)
        return true;
    if (i < number.n) {
        i++;
        if (number.p[i] == '-' || number.p[i] == '+')
            negative = number.p[i++] == '-';
        for (; i < number.n && exponent < 1000000000; i++)
            exponent = exponent * 10 + (number.p[i] - '0');
    }
    return power + (negative ? -exponent : exponent) < 0;
}

/*
 * Decimal → double. Up to 15 digits and powers of ten up to 10^22 are exact as doubles,
 * so one division rounds correctly (Clinger 1990); all else goes to decimal_read().
 */
static void convert_number(struct json_value *v, struct view number, uint64_t digits,
                           size_t digit_count, size_t decimals, bool exponent)
{
    static const double ten[] = { 1,   1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                  1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15 };

    v->type = JSON_NUMBER;
    if (!exponent && digit_count <= 15) {
        double size = (double)digits / ten[decimals];

        v->number = number.p[0] == '-' ? -size : size;
        return;
    }
    if (decimal_read(number, &v->number))
        return;
    if (is_tiny(number)) {
        v->number = number.p[0] == '-' ? -0.0 : 0.0;
        return;
    }
    v->type = JSON_BAD;
    v->text = number.p;
    v->n = (uint32_t)number.n;
}

static bool read_number(struct reader *r, struct json_value *v)
{
    const char *from = r->p;
    uint64_t digits = 0;
    size_t decimals = 0;
    bool exponent = false;

    if (*r->p == '-')
        r->p++;

    const char *first = r->p;

    if (r->p < r->end && *r->p == '0')
        r->p++; /* nothing may follow a leading 0 */
    else if (!read_digits(r))
        return expected(r, "a digit is expected");

    size_t digit_count = (size_t)(r->p - first);

    for (const char *d = first; d < r->p; d++)
        digits = digits * 10 + (uint64_t)(*d - '0'); /* unused when it overflows */
    if (r->p < r->end && *r->p == '.') {
        const char *point = r->p++;

        if (!read_digits(r))
            return expected(r, "a digit is expected");
        decimals = (size_t)(r->p - point) - 1;
        digit_count += decimals;
        for (const char *d = point + 1; d < r->p; d++)
            digits = digits * 10 + (uint64_t)(*d - '0');
    }
    if (r->p < r->end && (*r->p == 'e' || *r->p == 'E')) {
        exponent = true;
        r->p++;
        if (r->p < r->end && (*r->p == '+' || *r->p == '-'))
            r->p++;
        if (!read_digits(r))
            return expected(r, "a digit is expected");
    }
    convert_number(v, (struct view){ from, (size_t)(r->p - from) }, digits, digit_count,
                   decimals, exponent);
    return true;
}

static bool read_word(struct reader *r, struct json_value *v)
{
    const char *from = r->p;

    if (take_word(r, VIEW("null"))) {
        v->type = JSON_NULL;
    } else if (take_word(r, VIEW("true"))) {
        v->type = JSON_BOOL;
        v->boolean = true;
    } else if (take_word(r, VIEW("false"))) {
        v->type = JSON_BOOL;
        v->boolean = false;
    } else if (take_word(r, VIEW("NaN")) || take_word(r, VIEW("Infinity")) ||
               take_word(r, VIEW("-Infinity"))) {
        v->type = JSON_BAD;
        v->text = from;
        v->n = (uint32_t)(r->p - from);
    } else {
        struct view rest = { from, (size_t)(r->end - from) };

        if (rest.n < 8 &&
            (view_starts(VIEW("null"), rest) || view_starts(VIEW("true"), rest) ||
             view_starts(VIEW("false"), rest)))
            r->p = r->end;
        return expected(r, "a value is expected");
    }
    return true;
}

/* ---- text ----------------------------------------------------------------------- */

/* Four hex digits at p; -1: they are none. */
static long read_hex4(struct reader *r)
{
    long code = 0;

    for (int i = 0; i < 4; i++, r->p++) {
        if (r->p == r->end)
            return -1;

        char c = *r->p;

        if (c >= '0' && c <= '9')
            code = code * 16 + (c - '0');
        else if (c >= 'a' && c <= 'f')
            code = code * 16 + (c - 'a' + 10);
        else if (c >= 'A' && c <= 'F')
            code = code * 16 + (c - 'A' + 10);
        else
            return -1;
    }
    return code;
}

/* The escape at p, behind its backslash, as UTF-8; its bytes, 0: a fault. */
static size_t read_escape(struct reader *r, char to[4])
{
    static const char plain[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
    const char *backslash = r->p - 1;

    if (r->p == r->end) {
        expected(r, "");
        return 0;
    }
    if (*r->p != 'u') {
        const char *which = *r->p ? strchr(plain, *r->p) : NULL;

        if (!which) {
            fault(r, backslash, -EINVAL, "an escape that JSON does not know");
            return 0;
        }
        r->p++;
        to[0] = meant[which - plain];
        return 1;
    }
    r->p++;

    long code = read_hex4(r);

    if (code >= 0xD800 && code <= 0xDBFF && r->end - r->p >= 2 && r->p[0] == '\\' &&
        r->p[1] == 'u') {
        const char *second = r->p;

        r->p += 2;

        long low = read_hex4(r);

        if (low >= 0xDC00 && low <= 0xDFFF)
            code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
        else
            r->p = second; /* stands for itself, or is a fault of its own */
    }
    if (code < 0) {
        expected(r, "four hex digits are expected");
        return 0;
    }
    if (code >= 0xD800 && code <= 0xDFFF) {
        if (!r->lone)
            r->lone = backslash;
        code = 0xFFFD;
    }
    return utf8_put(to, (unsigned long)code);
}

/* p is behind the opening quote; afterwards behind the closing one. */
static bool read_text(struct reader *r, struct view *text)
{
    const char *from = r->p;
    bool escaped = false;

    /* Its end first: an unescaped text is never longer than the escaped one. */
    for (;; r->p++) {
        if (r->p == r->end)
            return expected(r, "");
        if (*r->p == '"')
            break;
        if ((unsigned char)*r->p < 0x20)
            return fault(r, r->p, -EINVAL, "a control character inside a text");
        if (*r->p == '\\') {
            escaped = true;
            if (++r->p == r->end)
                return expected(r, "");
            if ((unsigned char)*r->p < 0x20)
                return fault(r, r->p, -EINVAL, "a control character inside a text");
        }
    }

    const char *end = r->p;

    *text = (struct view){ from, (size_t)(end - from) };
    if (escaped) {
        char *to = r->arena ? arena_alloc(r->arena, text->n, 1) : NULL;
        size_t n = 0;

        r->p = from;
        while (r->p < end) {
            char bytes[4];
            size_t got = 1;

            bytes[0] = *r->p++;
            if (bytes[0] == '\\' && (got = read_escape(r, bytes)) == 0)
                return false;
            if (to)
                memcpy(to + n, bytes, got);
            n += got;
        }
        *text = (struct view){ to, n };
    }
    r->p = end + 1;
    return true;
}

/* ---- containers ----------------------------------------------------------------- */

static bool push(struct reader *r, const struct json_member *child)
{
    struct json_stack *s = r->stack;

    if (!r->arena)
        return true;
    if (++r->values > JSON_VALUES_MAX)
        return fault(r, r->p, -E2BIG, "more values than one piece may hold");
    if (s->n == s->cap) {
        s->cap = s->cap ? s->cap * 2 : 64;
        s->p = mem_resize(s->p, s->cap, sizeof *s->p);
    }
    s->p[s->n++] = *child;
    return true;
}

/* Children from `from` on leave the stack and become those of v. */
static void pop(struct reader *r, size_t from, struct json_value *v)
{
    struct json_stack *s = r->stack;

    if (!r->arena)
        return;
    v->n = (uint32_t)(s->n - from);
    if (v->type == JSON_OBJECT) {
        v->members = arena_new(r->arena, struct json_member, v->n);
        if (v->n)
            memcpy(v->members, s->p + from, v->n * sizeof *v->members);
    } else {
        v->items = arena_new(r->arena, struct json_value, v->n);
        for (uint32_t i = 0; i < v->n; i++)
            v->items[i] = s->p[from + i].value;
    }
    s->n = from;
}

static bool read_key(struct reader *r, struct view *key)
{
    if (r->p == r->end || *r->p != '"')
        return expected(r, "a key in quotes is expected");
    r->p++;
    if (!read_text(r, key))
        return false;
    skip_blanks(r);
    if (r->p == r->end || *r->p != ':')
        return expected(r, "':' is expected");
    r->p++;
    skip_blanks(r);
    return true;
}

static bool read_container(struct reader *r, struct json_value *v)
{
    const char close = *r->p == '{' ? '}' : ']';
    const size_t from = r->stack->n;

    v->type = *r->p == '{' ? JSON_OBJECT : JSON_ARRAY;
    if (r->depth_left == 0)
        return fault(r, r->p, -EINVAL, "nested too deeply");
    r->depth_left--;
    r->p++;
    skip_blanks(r);
    if (r->p < r->end && *r->p == close) {
        r->p++;
    } else {
        for (;;) {
            struct json_member child = { .value.type = JSON_NULL };

            if (v->type == JSON_OBJECT && !read_key(r, &child.key))
                return false;
            if (!read_value(r, &child.value) || !push(r, &child))
                return false;
            skip_blanks(r);
            if (r->p < r->end && *r->p == close) {
                r->p++;
                break;
            }
            if (r->p == r->end || *r->p != ',')
                return expected(r, close == '}' ? "',' or '}' is expected"
                                                : "',' or ']' is expected");
            r->p++;
            skip_blanks(r);
        }
    }
    pop(r, from, v);
    r->depth_left++;
    return true;
}

static bool read_value(struct reader *r, struct json_value *v)
{
    v->offset = (uint32_t)(r->p - r->whole);
    v->n = 0;
    if (r->p == r->end)
        return expected(r, "");
    switch (*r->p) {
    case '{':
    case '[':
        return read_container(r, v);
    case '"': {
        struct view text;

        r->p++;
        if (!read_text(r, &text))
            return false;
        v->type = JSON_STRING;
        v->text = text.p;
        v->n = (uint32_t)text.n;
        return true;
    }
    case '-':
        if (r->end - r->p > 1 && r->p[1] == 'I')
            return read_word(r, v);
        return read_number(r, v);
    default:
        if (*r->p >= '0' && *r->p <= '9')
            return read_number(r, v);
        return read_word(r, v);
    }
}

/* ---- the doors ------------------------------------------------------------------ */

static int describe(const struct reader *r, struct err *e)
{
    return err_set(e, r->code, "byte %zu: %s", (size_t)(r->p - r->whole), r->reason);
}

static int read_document(struct json_parser *p, struct reader *r,
                         const struct json_value **out)
{
    struct json_value *root = r->arena ? arena_new(r->arena, struct json_value, 1)
                                       : &(struct json_value){ 0 };

    r->stack = &p->stack;
    p->stack.n = 0;
    skip_blanks(r);
    if (r->p == r->end)
        fault(r, r->p, -EINVAL, "empty");
    else if (read_value(r, root)) {
        skip_blanks(r);
        if (r->p < r->end)
            fault(r, r->p, -EINVAL, "something follows the end of the document");
    }
    if (p->stack.cap > STACK_KEPT) {
        free(p->stack.p);
        p->stack = (struct json_stack){ 0 };
    }
    if (r->code == 0 && r->arena)
        *out = root;
    return r->code;
}

int json_parse(struct json_parser *p, struct view text, struct arena *a,
               const struct json_value **out, struct err *e)
{
    const struct json_value *root = NULL;

    if (text.n >= UINT32_MAX)
        return err_set(e, -E2BIG, "byte 0: 4 GiB or more");
    text = arena_copy(a, text);

    struct reader r = { .whole = text.p,
                        .p = text.p,
                        .end = text.p + text.n,
                        .arena = a,
                        .depth_left = JSON_DEPTH_MAX };
    size_t good = utf8_prefix(text);

    take_word(&r, VIEW("\xEF\xBB\xBF"));
    if (read_document(p, &r, &root) < 0)
        return describe(&r, e);
    if (good < text.n)
        return err_set(e, -EILSEQ, "byte %zu: not UTF-8", good);
    if (r.lone)
        return err_set(e, -EILSEQ, "byte %zu: half of a surrogate pair",
                       (size_t)(r.lone - r.whole));
    *out = root;
    return 0;
}

int json_parse_piece(struct json_parser *p, struct view whole, struct view piece,
                     unsigned depth_max, struct arena *a, const struct json_value **out,
                     struct err *e)
{
    struct reader r = { .whole = whole.p,
                        .p = piece.p,
                        .end = piece.p + piece.n,
                        .arena = a,
                        .depth_left = depth_max };

    assert(piece.p >= whole.p && piece.p + piece.n <= whole.p + whole.n);
    if (read_document(p, &r, out) < 0)
        return describe(&r, e);
    return 0;
}

const struct json_value *json_member(const struct json_value *object, struct view key)
{
    if (object->type != JSON_OBJECT)
        return NULL;
    for (uint32_t i = object->n; i-- > 0;)
        if (view_eq(object->members[i].key, key))
            return &object->members[i].value;
    return NULL;
}

const char *json_type_name(enum json_type t)
{
    switch (t) {
    case JSON_NULL:
        return "null";
    case JSON_BOOL:
        return "a boolean";
    case JSON_NUMBER:
        return "a number";
    case JSON_STRING:
        return "text";
    case JSON_ARRAY:
        return "an array";
    case JSON_OBJECT:
        return "an object";
    case JSON_BAD:
        return "no number";
    }
    return "";
}
