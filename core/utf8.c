#include "core/utf8.h"

#include <stdint.h>

/*
 * Bytes of the well-formed character that v begins with (v.n > 0). 0: it is none, and
 * *bad is how many bytes one U+FFFD stands for.
 */
static size_t character(struct view v, size_t *bad)
{
    const unsigned char *s = (const unsigned char *)v.p;
    unsigned low = 0x80, high = 0xBF; /* of the second byte */
    size_t n;

    *bad = 1;
    if (s[0] < 0x80)
        return 1;
    if (s[0] >= 0xC2 && s[0] <= 0xDF) {
        n = 2;
    } else if (s[0] >= 0xE0 && s[0] <= 0xEF) {
        n = 3;
        if (s[0] == 0xE0)
            low = 0xA0; /* shorter ones exist */
        else if (s[0] == 0xED)
            high = 0x9F; /* surrogates */
    } else if (s[0] >= 0xF0 && s[0] <= 0xF4) {
        n = 4;
        if (s[0] == 0xF0)
            low = 0x90;
        else if (s[0] == 0xF4)
            high = 0x8F; /* above U+10FFFF */
    } else {
        return 0;
    }
    for (size_t i = 1; i < n; i++, low = 0x80, high = 0xBF) {
        if (i >= v.n || s[i] < low || s[i] > high) {
            *bad = i;
            return 0;
        }
    }
    return n;
}

size_t utf8_prefix(struct view v)
{
    size_t at = 0, bad;

    while (at < v.n) {
        uint64_t eight;

        /* Most text is ASCII. */
        while (v.n - at >= sizeof eight) {
            memcpy(&eight, v.p + at, sizeof eight);
            if (eight & UINT64_C(0x8080808080808080))
                break;
            at += sizeof eight;
        }
        if (at == v.n)
            break;

        size_t n = character(view_skip(v, at), &bad);

        if (n == 0)
            break;
        at += n;
    }
    return at;
}

void utf8_repair(struct view v, struct buf *out)
{
    while (v.n > 0) {
        size_t good = utf8_prefix(v), bad;

        buf_add(out, v.p, good);
        v = view_skip(v, good);
        if (v.n == 0)
            break;
        character(v, &bad);
        buf_str(out, UTF8_REPLACEMENT);
        v = view_skip(v, bad);
    }
}

struct view utf8_cut(struct view v, size_t max)
{
    if (v.n <= max)
        return v;
    /* The first byte left out must not continue a character. */
    while (max > 0 && ((unsigned char)v.p[max] & 0xC0) == 0x80)
        max--;
    return (struct view){ v.p, max };
}

unsigned long utf8_get(struct view v, size_t *n)
{
    const unsigned char *s = (const unsigned char *)v.p;
    static const unsigned char bits[] = { 0, 0x7F, 0x1F, 0x0F, 0x07 };
    unsigned long code;

    *n = s[0] < 0x80 ? 1 : s[0] < 0xE0 ? 2 : s[0] < 0xF0 ? 3 : 4;
    code = s[0] & bits[*n];
    for (size_t i = 1; i < *n; i++)
        code = code << 6 | (s[i] & 0x3F);
    return code;
}

size_t utf8_put(char to[4], unsigned long code)
{
    if (code < 0x80) {
        to[0] = (char)code;
        return 1;
    }

    size_t n = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const unsigned char mark[] = { 0, 0, 0xC0, 0xE0, 0xF0 };

    for (size_t i = n - 1; i > 0; i--, code >>= 6)
        to[i] = (char)(0x80 | (code & 0x3F));
    to[0] = (char)(mark[n] | code);
    return n;
}
