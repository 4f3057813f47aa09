#include "server/http/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>

static int bad(struct err *e, struct view text, const char *why)
{
    return err_set(e, -EINVAL,
                   "address \"%.*s\": %s (allowed: :9502, 127.0.0.1:9502, [::1]:9502, "
                   "unix:/run/x.sock, unix:@name)",
                   VIEW_ARG(text), why);
}

static int parse_unix(struct view text, struct address *out, struct err *e)
{
    struct view path = view_skip(text, strlen("unix:"));
    struct sockaddr_un un = { .sun_family = AF_UNIX };

    bool abstract = path.n > 0 && path.p[0] == '@';

    if (path.n == 0)
        return bad(e, text, "no path");
    if (abstract && path.n == 1) /* the kernel would choose a name */
        return bad(e, text, "no name");
    /* The last byte is the kernel's end of the name. */
    if (path.n >= sizeof(un.sun_path))
        return bad(e, text, "path longer than 107 bytes");
    if (memchr(path.p, '\0', path.n))
        return bad(e, text, "path with a zero byte");
    memcpy(un.sun_path, path.p, path.n);
    if (abstract)
        un.sun_path[0] = '\0';
    memset(out, 0, sizeof(*out));
    memcpy(&out->sa, &un, sizeof(un));
    out->len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + path.n + !abstract);
    return 0;
}

/* 0 … 65535 in decimal digits, -1 for anything else. */
static int port_number(struct view v)
{
    int port = 0;

    if (v.n == 0 || v.n > 5)
        return -1;
    for (size_t i = 0; i < v.n; i++) {
        if (v.p[i] < '0' || v.p[i] > '9')
            return -1;
        port = port * 10 + (v.p[i] - '0');
    }
    return port <= 65535 ? port : -1;
}

int address_parse(struct view text, struct address *out, struct err *e)
{
    struct view host = text, port;
    struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_addr = in6addr_any };
    struct sockaddr_in in4 = { .sin_family = AF_INET };
    char name[INET6_ADDRSTRLEN];
    bool brackets;
    int number;

    if (view_starts(text, VIEW("unix:")))
        return parse_unix(text, out, e);
    while (host.n > 0 && host.p[host.n - 1] != ':')
        host.n--;
    if (host.n == 0)
        return bad(e, text, "no port");
    port = view_skip(text, host.n);
    host.n--;
    number = port_number(port);
    if (number < 0)
        return bad(e, text, "the port is no number from 0 to 65535");
    in6.sin6_port = in4.sin_port = htons((uint16_t)number);

    brackets = host.n >= 2 && host.p[0] == '[' && host.p[host.n - 1] == ']';
    if (brackets)
        host = (struct view){ host.p + 1, host.n - 2 };
    if (host.n >= sizeof(name))
        return bad(e, text, "not an IP address");
    if (host.n)
        memcpy(name, host.p, host.n);
    name[host.n] = '\0';
    if (strlen(name) != host.n || (brackets && host.n == 0))
        return bad(e, text, "not an IP address");
    if (!brackets && host.n == 0) {
        memset(out, 0, sizeof(*out));
        out->any = true;
    } else if (brackets && inet_pton(AF_INET6, name, &in6.sin6_addr) == 1) {
        memset(out, 0, sizeof(*out));
    } else if (!brackets && inet_pton(AF_INET, name, &in4.sin_addr) == 1) {
        memset(out, 0, sizeof(*out));
        memcpy(&out->sa, &in4, sizeof(in4));
        out->len = sizeof(in4);
        return 0;
    } else {
        return bad(e, text,
                   !brackets && strchr(name, ':') ? "an IPv6 address goes in brackets"
                                                  : "not an IP address");
    }
    memcpy(&out->sa, &in6, sizeof(in6));
    out->len = sizeof(in6);
    return 0;
}

/* Zero bytes of an abstract name become '@', the first one above all. */
static void unix_text(const struct sockaddr *sa, socklen_t len,
                      char to[ADDRESS_TEXT_MAX])
{
    const size_t begin = offsetof(struct sockaddr_un, sun_path);
    struct sockaddr_un un = { 0 };
    size_t n = len < sizeof(un) ? len : sizeof(un);

    memcpy(&un, sa, n);
    n = n > begin ? n - begin : 0;
    if (n > 0 && un.sun_path[0] == '\0')
        for (size_t i = 0; i < n; i++)
            un.sun_path[i] = un.sun_path[i] ? un.sun_path[i] : '@';
    snprintf(to, ADDRESS_TEXT_MAX, "unix:%.*s", (int)n, un.sun_path);
}

void address_text(const struct sockaddr *sa, socklen_t len, char to[ADDRESS_TEXT_MAX])
{
    char ip[INET6_ADDRSTRLEN] = "";

    if (sa->sa_family == AF_INET) {
        struct sockaddr_in in4;

        memcpy(&in4, sa, sizeof(in4));
        inet_ntop(AF_INET, &in4.sin_addr, ip, sizeof(ip));
        snprintf(to, ADDRESS_TEXT_MAX, "%s:%u", ip, ntohs(in4.sin_port));
    } else if (sa->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;

        memcpy(&in6, sa, sizeof(in6));
        inet_ntop(AF_INET6, &in6.sin6_addr, ip, sizeof(ip));
        snprintf(to, ADDRESS_TEXT_MAX, "[%s]:%u", ip, ntohs(in6.sin6_port));
    } else {
        unix_text(sa, len, to);
    }
}
