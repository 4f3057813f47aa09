#include "server/web/credentials.h"

#include <stdint.h>

/* 0 … 63; 64: no letter of base64. */
static unsigned value_of(char c)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    unsigned value = 0;

    while (value < 64 && letters[value] != c)
        value++;
    return value;
}

/*
 * Four letters are three bytes; the last four may end in "=" or "==", and then the bits
 * that are left over are 0. Returns the number of bytes, -1 where v is no base64 or there
 * is no room.
 */
static int decode(struct view v, char *to, size_t size)
{
    size_t n = 0, padding = 0;

    if (v.n == 0 || v.n % 4 || v.n / 4 * 3 > size + 2)
        return -1;
    while (padding < 2 && v.p[v.n - 1 - padding] == '=')
        padding++;
    for (size_t i = 0; i < v.n; i += 4) {
        size_t bytes = i + 4 < v.n ? 3 : 3 - padding;
        uint32_t bits = 0;

        for (size_t k = 0; k < 4; k++) {
            unsigned value = k <= bytes ? value_of(v.p[i + k]) : 0;

            if (value == 64)
                return -1;
            bits = bits << 6 | value;
        }
        if (n + bytes > size || (bits & (0xFFFFFFU >> 8 * bytes)) != 0)
            return -1;
        for (size_t k = 0; k < bytes; k++)
            to[n++] = (char)(bits >> (16 - 8 * k));
    }
    return (int)n;
}

bool credentials_read(struct view authorization, struct credentials *out)
{
    struct view rest = authorization, scheme;
    int n;

    out->room[0] = '\0';
    if (!view_split(&rest, ' ', &scheme) || !view_eq_nocase(scheme, VIEW("basic")))
        return false;
    n = decode(view_trim(rest), out->room, CREDENTIAL_BYTES_MAX);
    if (n < 0)
        return false;
    out->room[n] = '\0';
    for (int i = 0; i < n; i++)
        if ((unsigned char)out->room[i] < ' ' || out->room[i] == 0x7f)
            return false;
    rest = (struct view){ out->room, (size_t)n };
    view_split(&rest, ':', &out->name);
    out->password = rest; /* may hold further colons */
    return rest.p && out->name.n <= WEB_NAME_BYTES_MAX && rest.n <= PASSWORD_BYTES_MAX;
}

void credentials_wipe(struct credentials *c)
{
    explicit_bzero(c, sizeof *c);
}
