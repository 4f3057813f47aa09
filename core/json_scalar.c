/*
 * json_scalar.c - words, numbers and texts of JSON.
 *
 * Numbers come out correctly rounded, however long they are. A number that no double
 * holds is a value of type JSON_BAD; one that is smaller than the smallest double is 0
 * of its sign, as in every other reader.
 */
#include "core/json_tree.h"
#include "core/decimal.h"
#include "core/utf8.h"

#include <errno.h>

bool json_take_word(struct json_reader *r, struct view word)
{
    struct view rest = { r->p, (size_t)(r->end - r->p) };

    if (!view_starts(rest, word))
        return false;
    r->p += word.n;
    return true;
}

static bool read_digits(struct json_reader *r)
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

bool json_read_number(struct json_reader *r, struct json_value *v)
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
        return json_expected(r, "a digit is expected");

    size_t digit_count = (size_t)(r->p - first);

    for (const char *d = first; d < r->p; d++)
        digits = digits * 10 + (uint64_t)(*d - '0'); /* unused when it overflows */
    if (r->p < r->end && *r->p == '.') {
        const char *point = r->p++;

        if (!read_digits(r))
            return json_expected(r, "a digit is expected");
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
            return json_expected(r, "a digit is expected");
    }
    convert_number(v, (struct view){ from, (size_t)(r->p - from) }, digits, digit_count,
                   decimals, exponent);
    return true;
}

bool json_read_word(struct json_reader *r, struct json_value *v)
{
    const char *from = r->p;

    if (json_take_word(r, VIEW("null"))) {
        v->type = JSON_NULL;
    } else if (json_take_word(r, VIEW("true"))) {
        v->type = JSON_BOOL;
        v->boolean = true;
    } else if (json_take_word(r, VIEW("false"))) {
        v->type = JSON_BOOL;
        v->boolean = false;
    } else if (json_take_word(r, VIEW("NaN")) || json_take_word(r, VIEW("Infinity")) ||
               json_take_word(r, VIEW("-Infinity"))) {
        v->type = JSON_BAD;
        v->text = from;
        v->n = (uint32_t)(r->p - from);
    } else {
        struct view rest = { from, (size_t)(r->end - from) };

        if (r->end == r->text_end && rest.n < 5 &&
            (view_starts(VIEW("null"), rest) || view_starts(VIEW("true"), rest) ||
             view_starts(VIEW("false"), rest)))
            r->p = r->end;
        return json_expected(r, "a value is expected");
    }
    return true;
}

/* ---- text ----------------------------------------------------------------------- */

/* Four hex digits at p; -1: they are none. */
static long read_hex4(struct json_reader *r)
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
static size_t read_escape(struct json_reader *r, char to[4])
{
    static const char plain[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
    const char *backslash = r->p - 1;

    if (r->p == r->end) {
        json_expected(r, "");
        return 0;
    }
    if (*r->p != 'u') {
        const char *which = *r->p ? strchr(plain, *r->p) : NULL;

        if (!which) {
            json_fault(r, backslash, -EINVAL, "an escape that JSON does not know");
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
        json_expected(r, "four hex digits are expected");
        return 0;
    }
    if (code >= 0xD800 && code <= 0xDFFF) {
        if (!r->lone)
            r->lone = backslash;
        code = 0xFFFD;
    }
    return utf8_put(to, (unsigned long)code);
}

bool json_read_text(struct json_reader *r, struct view *text)
{
    const char *from = r->p;
    bool escaped = false;

    /* Its end first: an unescaped text is never longer than the escaped one. */
    for (;; r->p++) {
        if (r->p == r->end)
            return json_expected(r, "");
        if (*r->p == '"')
            break;
        if ((unsigned char)*r->p < 0x20)
            return json_fault(r, r->p, -EINVAL, "a control character inside a text");
        if (*r->p == '\\') {
            escaped = true;
            if (++r->p == r->end)
                return json_expected(r, "");
            if ((unsigned char)*r->p < 0x20)
                return json_fault(r, r->p, -EINVAL,
                                  "a control character inside a text");
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
