#include "server/health.h"

#include "core/buf.h"
#include "server/http/address.h"
#include "server/web/transport.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE_MS = 5000, ANSWER_MAX = 4096 };

static const char request[] =
    "GET /health HTTP/1.1\r\nHost: localhost\r\n"
    "User-Agent: encode_exporter\r\nConnection: close\r\n\r\n";

/* One question: where it has got to. */
struct question {
    const char *address;
    const struct transport *transport; /* NULL: plain */
    struct transport_context *context;
    int64_t until_ms; /* of the monotonic clock */
    struct buf answer;
    struct err *e;
};

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* 0 once fd is ready for these events, -ETIMEDOUT when the time is up. */
static int wait_for(const struct question *q, int fd, short events)
{
    struct pollfd p = { .fd = fd, .events = events };
    int rc;

    do {
        int64_t left = q->until_ms - now_ms();

        rc = left > 0 ? poll(&p, 1, (int)left) : 0;
    } while (rc < 0 && errno == EINTR);
    if (rc < 0)
        return -errno;
    return rc == 0 ? -ETIMEDOUT : 0;
}

static int send_all(const struct question *q, int fd, const char *p, size_t n)
{
    while (n > 0) {
        int rc = wait_for(q, fd, POLLOUT);
        ssize_t sent = rc < 0 ? 0 : send(fd, p, n, MSG_NOSIGNAL);

        if (rc < 0)
            return rc;
        if (sent < 0 && errno != EINTR && errno != EAGAIN)
            return -errno;
        p += sent > 0 ? sent : 0;
        n -= sent > 0 ? (size_t)sent : 0;
    }
    return 0;
}

/* How many bytes came; 0: the end. */
static ssize_t receive(const struct question *q, int fd, char *to, size_t n)
{
    ssize_t got;

    do {
        int rc = wait_for(q, fd, POLLIN);

        if (rc < 0)
            return rc;
        got = recv(fd, to, n, 0);
    } while (got < 0 && (errno == EINTR || errno == EAGAIN));
    return got < 0 ? -errno : got;
}

/* ---- plain, or through TLS -------------------------------------------------------- */

static int exchange_plain(struct question *q, int fd)
{
    int rc = send_all(q, fd, request, sizeof request - 1);

    while (rc == 0) {
        char *to = buf_room(&q->answer, 512);
        ssize_t n = to ? receive(q, fd, to, 512) : 0;

        if (n <= 0)
            return (int)n;
        buf_commit(&q->answer, (size_t)n);
    }
    return rc;
}

/* What the session has for us, and what it has for the other side. */
static int move(struct question *q, struct transport_session *s, int fd)
{
    const char *p;
    size_t n;
    int rc;

    while ((n = q->transport->outgoing(s, &p)) > 0) {
        rc = send_all(q, fd, p, n);
        if (rc < 0)
            return rc;
        q->transport->sent(s, n);
    }
    for (;;) {
        char *to = buf_room(&q->answer, 512);

        n = to ? q->transport->read(s, to, 512) : 0;
        if (n == 0)
            return 0;
        buf_commit(&q->answer, n);
    }
}

static int exchange_session(struct question *q, struct transport_session *s, int fd)
{
    const struct transport *t = q->transport;
    char bytes[ANSWER_MAX];
    bool asked = false;

    for (;;) {
        int rc = move(q, s, fd);
        ssize_t n;

        if (rc < 0)
            return rc;
        if (t->state(s) == TRANSPORT_BROKEN)
            return err_set(q->e, -EPROTO, "%s: TLS: %s", q->address, t->problem(s));
        if (t->state(s) == TRANSPORT_ENDED || q->answer.full)
            return 0;
        if (t->state(s) == TRANSPORT_OPEN && !asked) {
            asked = true;
            t->write(s, request, sizeof request - 1);
            continue;
        }
        n = receive(q, fd, bytes, sizeof bytes);
        if (n < 0)
            return (int)n;
        if (n == 0)
            return 0;
        t->receive(s, bytes, (size_t)n);
    }
}

static int exchange(struct question *q, int fd)
{
    struct transport_session *s;
    int rc;

    if (!q->transport)
        return exchange_plain(q, fd);
    s = q->transport->session_new(q->context);
    rc = exchange_session(q, s, fd);
    q->transport->session_free(s);
    return rc;
}

/* ---- where ------------------------------------------------------------------------ */

/* e is empty where the code says it all. */
static int ask(struct question *q, const struct sockaddr *sa, socklen_t len)
{
    const struct timeval patience = { .tv_sec = PATIENCE_MS / 1000 };
    int fd = socket(sa->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -errno;
    /* A connect is bounded by it, too. */
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);

    int rc = connect(fd, sa, len) < 0 ? -errno : exchange(q, fd);

    close(fd);
    return rc;
}

/* The wildcard is no address to connect to: loopback is, in both families. */
static int ask_loopback(struct question *q, const struct address *a)
{
    struct sockaddr_in6 six = *(const struct sockaddr_in6 *)&a->sa;
    struct sockaddr_in four = {
        .sin_family = AF_INET,
        .sin_port = six.sin6_port,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    int rc = ask(q, (struct sockaddr *)&four, sizeof four);

    if (rc == 0)
        return 0;
    six.sin6_addr = in6addr_loopback;
    buf_release(&q->answer);
    return ask(q, (struct sockaddr *)&six, sizeof six) == 0 ? 0 : rc;
}

static int judge(struct question *q, int rc)
{
    struct view rest = buf_as_view(&q->answer), line = { "", 0 };

    if (rc < 0)
        return q->e->code ? rc : err_set(q->e, rc, "%s: %s", q->address, strerror(-rc));
    if (view_starts(rest, VIEW("HTTP/1.1 200 ")))
        return 0;
    view_split(&rest, '\r', &line);
    return err_set(q->e, -EPROTO, "%s: answered \"%.*s\"", q->address, VIEW_ARG(line));
}

int health_ask(const char *listen_address, bool tls, struct err *e)
{
    struct question q = {
        .address = listen_address,
        .until_ms = now_ms() + PATIENCE_MS,
        .answer = { .limit = ANSWER_MAX },
        .e = e,
    };
    struct address a;
    int rc = address_parse(view_of(listen_address), &a, e);

    if (rc < 0)
        return rc;
    e->code = 0;
    if (tls && a.sa.ss_family != AF_UNIX) {
        q.transport = transport_load(e);
        if (!q.transport || q.transport->client_context(&q.context, e) < 0)
            return e->code;
    }
    rc = a.any ? ask_loopback(&q, &a) : ask(&q, (struct sockaddr *)&a.sa, a.len);
    rc = judge(&q, rc);
    if (q.transport)
        q.transport->context_unref(q.context);
    buf_deinit(&q.answer);
    return rc;
}
