#include "server/fetch/blank.h"

#include <string.h>

#include "core/buf.h"

/* A part of a secret is its beginning, where whoever quotes it cut. */
enum { SHORTEST = 4, SHORTEST_PART = 8 };

/* Bytes that both begin with. */
static size_t same(const char *a, size_t n, const char *b)
{
    size_t i = 0;

    while (i < n && a[i] == b[i])
        i++;
    return i;
}

void blank_secret(char *text, size_t n, const char *secret)
{
    size_t length = secret ? strlen(secret) : 0;

    if (length < SHORTEST)
        return;
    for (size_t at = 0; at < n; at++) {
        size_t part = same(text + at, n - at, secret);

        if (part == length || part >= SHORTEST_PART ||
            (part >= SHORTEST && part == n - at))
            memset(text + at, '*', part);
    }
}

static void base64(struct view v, struct buf *to)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    for (size_t i = 0; i < v.n; i += 3) {
        unsigned bits = 0;

        for (size_t k = 0; k < 3; k++)
            bits = bits << 8 | (i + k < v.n ? (unsigned char)v.p[i + k] : 0);
        for (size_t k = 0; k < 4; k++)
            if (i + k <= v.n)
                buf_char(to, letters[bits >> (18 - 6 * k) & 63]);
    }
}

void blank_basic(char *text, size_t n, const char *username, const char *password)
{
    struct buf plain = { 0 }, sent = { 0 };

    buf_fmt(&plain, "%s:%s", username, password);
    base64(buf_as_view(&plain), &sent);
    buf_char(&sent, '\0');
    blank_secret(text, n, sent.p);
    explicit_bzero(plain.p, plain.n);
    explicit_bzero(sent.p, sent.n);
    buf_deinit(&plain);
    buf_deinit(&sent);
}
