#include "server/http/browser.h"

#include <arpa/inet.h>
#include <strings.h>

static bool is_address(struct view name, int family)
{
    char text[INET6_ADDRSTRLEN];
    struct in6_addr out;

    if (name.n == 0 || name.n >= sizeof(text))
        return false;
    memcpy(text, name.p, name.n);
    text[name.n] = '\0';
    return strlen(text) == name.n && inet_pton(family, text, &out) == 1;
}

/* Nothing, or a colon and digits. */
static bool is_port(struct view v)
{
    for (size_t i = 1; i < v.n; i++)
        if (v.p[i] < '0' || v.p[i] > '9')
            return false;
    return v.n == 0 || v.p[0] == ':';
}

/* The port is cut off: "host:9502", "[::1]:9502"; what is none stays, so that no name fits. */
static struct view host_name(struct view host)
{
    const char *colon;

    if (host.n && host.p[0] == '[') {
        const char *end = memchr(host.p, ']', host.n);

        return end && is_port(view_skip(host, (size_t)(end - host.p) + 1))
                   ? (struct view){ host.p + 1, (size_t)(end - host.p) - 1 }
                   : host;
    }
    colon = host.n ? memchr(host.p, ':', host.n) : NULL;
    return colon && is_port(view_skip(host, (size_t)(colon - host.p)))
               ? (struct view){ host.p, (size_t)(colon - host.p) }
               : host;
}

static bool same_name(struct view a, struct view b)
{
    return a.n == b.n && strncasecmp(a.p, b.p, a.n) == 0;
}

static bool listed(struct view list, struct view name)
{
    struct view one;

    while (view_split(&list, ',', &one))
        if (one.n && same_name(view_trim(one), name))
            return true;
    return false;
}

static bool host_is_ours(struct view host, struct view allowed)
{
    struct view name = host_name(host);

    if (host.n && host.p[0] == '[')
        return is_address(name, AF_INET6);
    if (name.n && name.p[name.n - 1] == '.')
        name.n--;
    return is_address(name, AF_INET) || view_eq_nocase(name, VIEW("localhost")) ||
           listed(allowed, name);
}

static bool same_origin(struct view origin, struct view host)
{
    if (view_starts(origin, VIEW("http://")))
        origin = view_skip(origin, 7);
    else if (view_starts(origin, VIEW("https://")))
        origin = view_skip(origin, 8);
    else
        return false; /* "null": it hides where it comes from */
    return same_name(origin, host);
}

const char *browser_refused(const struct request *rq, struct view allowed)
{
    const struct view site = rq->sec_fetch_site;

    if (site.n && !view_eq(site, VIEW("same-origin")) && !view_eq(site, VIEW("none")))
        return "a page of another site may not ask for this";
    if (rq->origin.n && !same_origin(rq->origin, rq->host))
        return "a page of another site may not ask for this";
    /* HTTP/1.0 needs no Host, and no browser speaks it. */
    if (rq->host.n && !host_is_ours(rq->host, allowed))
        return "Host is neither an IP address, localhost nor named by "
               "--web.allowed-host";
    return NULL;
}
