#include "server/push/push_path.h"

#include <errno.h>
#include <string.h>

#include "server/fetch/url.h"

static const char import_path[] = "/api/v1/import/prometheus";

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* As Prometheus has label names; those with "__" are its own. */
static bool is_name(struct view v)
{
    for (size_t i = 0; i < v.n; i++)
        if (!is_letter(v.p[i]) && (i == 0 || !is_digit(v.p[i])))
            return false;
    return v.n > 0 && !view_starts(v, VIEW("__"));
}

/* RFC 3986, unreserved characters; others as %XX. */
static void add_escaped(struct buf *to, struct view v)
{
    for (size_t i = 0; i < v.n; i++) {
        char c = v.p[i];

        if (is_letter(c) || is_digit(c) || c == '-' || c == '.' || c == '~')
            buf_char(to, c);
        else
            buf_fmt(to, "%%%02X", (unsigned char)c);
    }
}

/* RFC 4648, section 5, without padding. */
static void add_base64(struct buf *to, struct view v)
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

    for (size_t i = 0; i < v.n; i += 3) {
        uint32_t bits = 0;
        size_t n = v.n - i < 3 ? v.n - i : 3;

        for (size_t k = 0; k < n; k++)
            bits |= (uint32_t)(unsigned char)v.p[i + k] << (16 - 8 * k);
        for (size_t k = 0; k <= n; k++)
            buf_char(to, digits[bits >> (18 - 6 * k) & 63]);
    }
}

/* A part of a path cannot hold a '/': the Pushgateway takes such values in base64. */
static void add_label(struct buf *to, bool gateway, bool first, struct view name,
                      struct view value)
{
    if (!gateway) {
        buf_str(to, first ? "?extra_label=" : "&extra_label=");
        buf_view(to, name);
        buf_char(to, '=');
        add_escaped(to, value);
        return;
    }
    buf_char(to, '/');
    buf_view(to, name);
    if (memchr(value.p, '/', value.n)) {
        buf_str(to, "@base64/");
        add_base64(to, value);
    } else {
        buf_char(to, '/');
        add_escaped(to, value);
    }
}

static int add_labels(struct buf *to, bool gateway, const char *labels, struct err *e)
{
    struct view rest = view_of(labels), pair, name;

    for (bool first = true; view_split(&rest, ',', &pair); first = false) {
        pair = view_trim(pair);
        view_split(&pair, '=', &name);
        if (!is_name(name) || !pair.n)
            return err_set(e, -EINVAL,
                           "--push.label: \"%s\" is no list of NAME=VALUE,NAME=VALUE",
                           labels);
        if (gateway && view_eq(name, VIEW("job")))
            return err_set(e, -EINVAL,
                           "--push.label: the job of a Pushgateway is in the URL");
        add_label(to, gateway, first, name, pair);
    }
    return 0;
}

int push_path(const char *url, const char *labels, struct buf *to, struct err *e)
{
    struct arena mem = { 0 };
    struct err why = { 0 };
    struct fetch_url u;
    int rc = fetch_url_parse(url, &mem, &u, &why);

    if (rc < 0) {
        err_set(e, -EINVAL, "--push.url: %s", why.text);
    } else {
        bool gateway = strstr(u.base, "/metrics/job") != NULL;

        if (!gateway && !view_ends(view_of(u.base), view_of(import_path)))
            buf_str(to, import_path);
        rc = add_labels(to, gateway, labels, e);
        buf_char(to, '\0');
        if (rc == 0)
            rc = gateway;
    }
    arena_wipe(&mem);
    return rc;
}
