#include "server/health.h"

#include "core/buf.h"
#include "server/http/address.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/time.h>
#include <unistd.h>

static int exchange(int fd, struct buf *answer)
{
    static const char request[] =
        "GET /health HTTP/1.1\r\nHost: localhost\r\n"
        "User-Agent: encode_exporter\r\nConnection: close\r\n\r\n";

    if (send(fd, request, sizeof request - 1, MSG_NOSIGNAL) != sizeof request - 1)
        return errno ? -errno : -EIO;
    for (;;) {
        char *to = buf_room(answer, 512);

        if (!to)
            return 0;

        ssize_t n = recv(fd, to, 512, 0);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno == EAGAIN ? -ETIMEDOUT : -errno;
        if (n == 0)
            return 0;
        buf_commit(answer, (size_t)n);
    }
}

static int ask(const struct sockaddr *sa, socklen_t len, struct buf *answer)
{
    const struct timeval patience = { .tv_sec = 5 };
    int fd = socket(sa->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -errno;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);

    int rc = connect(fd, sa, len) < 0 ? -errno : exchange(fd, answer);

    close(fd);
    return rc;
}

/* The wildcard is no address to connect to: loopback is, in both families. */
static int ask_loopback(const struct address *a, struct buf *answer)
{
    struct sockaddr_in6 six = *(const struct sockaddr_in6 *)&a->sa;
    struct sockaddr_in four = {
        .sin_family = AF_INET,
        .sin_port = six.sin6_port,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    int rc = ask((struct sockaddr *)&four, sizeof four, answer);

    if (rc == 0)
        return 0;
    six.sin6_addr = in6addr_loopback;
    buf_release(answer);
    return ask((struct sockaddr *)&six, sizeof six, answer) == 0 ? 0 : rc;
}

int health_ask(const char *listen_address, struct err *e)
{
    struct buf answer = { .limit = 4096 };
    struct address a;
    int rc = address_parse(view_of(listen_address), &a, e);

    if (rc < 0)
        return rc;
    rc = a.any ? ask_loopback(&a, &answer)
               : ask((struct sockaddr *)&a.sa, a.len, &answer);
    if (rc < 0) {
        err_set(e, rc, "%s: %s", listen_address, strerror(-rc));
    } else if (!view_starts(buf_as_view(&answer), VIEW("HTTP/1.1 200 "))) {
        struct view rest = buf_as_view(&answer), line = { "", 0 };

        view_split(&rest, '\r', &line);
        rc = err_set(e, -EPROTO, "%s: answered \"%.*s\"", listen_address,
                     VIEW_ARG(line));
    }
    buf_deinit(&answer);
    return rc;
}
