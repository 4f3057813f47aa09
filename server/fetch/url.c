#include "server/fetch/url.h"

#include <errno.h>
#include <string.h>

static const char *copy(struct arena *a, struct view v)
{
    char *to = arena_alloc(a, v.n + 1, 1);

    if (v.n)
        memcpy(to, v.p, v.n);
    return to;
}

static int hex(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* "%40" is '@'. NULL: no such code. */
static const char *decode(struct arena *a, struct view v)
{
    char *to = arena_alloc(a, v.n + 1, 1);
    size_t n = 0;

    for (size_t i = 0; i < v.n; i++) {
        char c = v.p[i];

        if (c == '%') {
            if (v.n - i < 3 || hex(v.p[i + 1]) < 0 || hex(v.p[i + 2]) < 0)
                return NULL;
            c = (char)(hex(v.p[i + 1]) * 16 + hex(v.p[i + 2]));
            i += 2;
        }
        if ((unsigned char)c < ' ' || c == 0x7f)
            return NULL;
        to[n++] = c;
    }
    return to;
}

static size_t until(struct view v, const char *stops)
{
    size_t n = 0;

    while (n < v.n && !strchr(stops, v.p[n]))
        n++;
    return n;
}

static bool is_port(struct view v)
{
    unsigned port = 0;

    if (v.n < 1 || v.n > 5)
        return false;
    for (size_t i = 0; i < v.n; i++) {
        if (v.p[i] < '0' || v.p[i] > '9')
            return false;
        port = port * 10 + (unsigned)(v.p[i] - '0');
    }
    return port > 0 && port < 65536;
}

/* user:password@ of an authority, which loses it. */
static int take_user(struct view *authority, struct arena *a, struct fetch_url *out,
                     struct err *e)
{
    const char *at = authority->n ? memrchr(authority->p, '@', authority->n) : NULL;

    if (!at)
        return 0;

    struct view user = { authority->p, (size_t)(at - authority->p) };
    struct view name = { user.p, until(user, ":") };

    *authority = view_skip(*authority, user.n + 1);
    out->username = decode(a, name);
    out->password = decode(a, view_skip(user, name.n + (name.n < user.n)));
    if (!out->username || !*out->username || strchr(out->username, ':') ||
        !out->password)
        return err_set(e, -EINVAL,
                       "user and password before the '@' cannot be read; special "
                       "characters in them are written as %%40");
    return 0;
}

static int take_host(struct view authority, struct arena *a, struct fetch_url *out,
                     struct err *e)
{
    size_t n = authority.n && *authority.p == '[' ? until(authority, "]") + 1
                                                  : until(authority, ":");

    if (n == 0 || n > authority.n)
        return err_set(e, -EINVAL, "the host is missing");
    if (n < authority.n &&
        (authority.p[n] != ':' || !is_port(view_skip(authority, n + 1))))
        return err_set(e, -EINVAL, "the port is not a number from 1 to 65535");
    out->host = copy(a, (struct view){ authority.p, n });
    out->loopback = view_eq_nocase(view_of(out->host), VIEW("localhost")) ||
                    strncmp(out->host, "127.", 4) == 0 ||
                    strcmp(out->host, "[::1]") == 0;
    return 0;
}

/* A '@' behind the host, but for the labels of a Pushgateway: a '/' of a password was not
 * written as %2F, and what follows it would be shown. */
static bool has_stray_at(const char *p)
{
    while ((p = strchr(p, '@')))
        if (strncmp(++p, "base64/", 7) != 0)
            return true;
    return false;
}

int fetch_url_parse(const char *text, struct arena *a, struct fetch_url *out,
                    struct err *e)
{
    struct view all = { text, strlen(text) }, rest = all, authority, path;

    *out = (struct fetch_url){ .query = "" };
    for (size_t i = 0; i < all.n; i++)
        if (text[i] <= ' ' || text[i] > '~')
            return err_set(e, -EINVAL,
                           "it has a blank or a character that a URL "
                           "has as %%20 only");
    rest.n = until(rest, "#");
    out->secure =
        rest.n > 8 && view_eq_nocase((struct view){ rest.p, 8 }, VIEW("https://"));
    if (!out->secure &&
        !(rest.n > 7 && view_eq_nocase((struct view){ rest.p, 7 }, VIEW("http://"))))
        return err_set(e, -EINVAL, "it is to begin with http:// or https://");
    rest = view_skip(rest, out->secure ? 8 : 7);
    authority = (struct view){ rest.p, until(rest, "/?") };
    rest = view_skip(rest, authority.n);
    if (has_stray_at(rest.p))
        return err_set(
            e, -EINVAL,
            "a '@' stands behind the host: '/', '?' and '#' of a password are "
            "written as %%2F, %%3F and %%23, a '@' that is meant as %%40");
    path = (struct view){ rest.p, until(rest, "?") };
    rest = view_skip(rest, path.n);
    if (rest.n)
        out->query = copy(a, view_skip(rest, 1));
    while (path.n && path.p[path.n - 1] == '/')
        path.n--;
    if (take_user(&authority, a, out, e) < 0 || take_host(authority, a, out, e) < 0)
        return -EINVAL;

    struct buf base = { 0 };

    buf_fmt(&base, "%s%.*s%.*s", out->secure ? "https://" : "http://",
            VIEW_ARG(authority), VIEW_ARG(path));
    out->base = copy(a, buf_as_view(&base));
    buf_deinit(&base);
    return 0;
}

void fetch_url_join(const struct fetch_url *u, const char *path, struct buf *to)
{
    struct view rest = view_of(path), plain;

    plain = (struct view){ rest.p, until(rest, "?") };
    rest = view_skip(rest, plain.n);
    buf_str(to, u->base);
    buf_view(to, plain);
    buf_view(to, rest);
    if (*u->query) {
        buf_char(to, rest.n ? '&' : '?');
        buf_str(to, u->query);
    }
}
