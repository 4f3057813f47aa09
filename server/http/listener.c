/*
 * listener.c - sockets that clients connect to.
 *
 * Sockets are made here and handed to libuv bound: libuv would put off a bind error to
 * the listen, tell IPv4 from IPv6 differently on its own, and leave stale socket files.
 * A socket file gets the permissions that the umask
 * leaves. SO_REUSEADDR lets a restart take the port while old connections die out; two programs
 * that listen on one port are still refused.
 */
#include "server/http/listener.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/mem.h"
#include "server/http/conn.h"

enum { BACKLOG = 511 };

static int fail(struct err *e, struct view address, const char *name, int rc)
{
    return err_set(e, rc, "cannot listen on %.*s for %s: %s", VIEW_ARG(address), name,
                   uv_strerror(rc));
}

/* A bound socket, or a negative errno. */
static int bind_to(const struct sockaddr_storage *sa, socklen_t len, bool v6only)
{
    int fd = socket(sa->ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int on = 1, only = v6only, rc = 0;

    if (fd < 0)
        return -errno;
    if (sa->ss_family != AF_UNIX &&
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0)
        rc = -errno;
    if (rc == 0 && sa->ss_family == AF_INET6 &&
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof(only)) < 0)
        rc = -errno;
    if (rc == 0 && bind(fd, (const struct sockaddr *)sa, len) < 0)
        rc = -errno;
    if (rc == 0)
        return fd;
    close(fd);
    return rc;
}

/* ":N": IPv6 with IPv4 on one socket, IPv4 alone where the machine has no IPv6. */
static int bind_any(const struct address *a)
{
    struct sockaddr_in6 in6;
    struct sockaddr_storage sa = { 0 };
    struct sockaddr_in in4 = { .sin_family = AF_INET };
    int fd = bind_to(&a->sa, a->len, false);

    if (fd != -EAFNOSUPPORT && fd != -EADDRNOTAVAIL)
        return fd;
    memcpy(&in6, &a->sa, sizeof(in6));
    in4.sin_port = in6.sin6_port;
    memcpy(&sa, &in4, sizeof(in4));
    return bind_to(&sa, sizeof(in4), false);
}

/*
 * Makes way for a socket at this path: a socket file that nobody listens on was left by
 * a process that was killed. 0, or why it must stay.
 */
static int clear_path(const char *path, const struct address *a)
{
    struct stat st;
    int fd, rc = 0;

    if (lstat(path, &st) < 0)
        return errno == ENOENT ? 0 : -errno;
    if (!S_ISSOCK(st.st_mode))
        return -EEXIST;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    /* A full backlog (EAGAIN) is somebody, too. */
    if (connect(fd, (const struct sockaddr *)&a->sa, a->len) == 0)
        rc = -EADDRINUSE;
    else if (errno == ECONNREFUSED)
        rc = unlink(path) < 0 && errno != ENOENT ? -errno : 0;
    else if (errno != ENOENT)
        rc = errno == EAGAIN ? -EADDRINUSE : -errno;
    close(fd);
    return rc;
}

static int bind_unix(struct listener *l, const struct address *a)
{
    struct sockaddr_un un;
    struct stat st;
    int fd, rc;

    memcpy(&un, &a->sa, sizeof(un));
    if (un.sun_path[0] == '\0') /* an abstract name is gone with its socket */
        return bind_to(&a->sa, a->len, false);
    memcpy(l->path, un.sun_path, sizeof(l->path));
    rc = clear_path(l->path, a);
    if (rc < 0)
        return rc;
    fd = bind_to(&a->sa, a->len, false);
    if (fd >= 0 && lstat(l->path, &st) == 0) {
        l->device = st.st_dev;
        l->inode = st.st_ino;
    }
    return fd;
}

/* Removes our socket file, and nobody else's that took its place. */
static void remove_path(const struct listener *l)
{
    struct stat st;

    if (l->path[0] && lstat(l->path, &st) == 0 && st.st_dev == l->device &&
        st.st_ino == l->inode)
        unlink(l->path);
}

static struct listener *make(struct http_server *s, int endpoint, const char *name)
{
    struct listener *l = mem_zalloc(sizeof(*l));

    l->server = s;
    l->endpoint = endpoint;
    l->name = name;
    return l;
}

/*
 * Puts a bound socket into libuv's hands and l into the server's list. Takes both: on
 * failure the socket is closed and l is gone, or on its way.
 */
static int join(struct listener *l, int fd, struct err *e)
{
    struct http_server *s = l->server;
    struct listener **last = &s->listeners;
    int rc = l->is_unix ? uv_pipe_init(s->loop, &l->u.pipe, 0)
                        : uv_tcp_init(s->loop, &l->u.tcp);

    if (rc < 0) {
        fail(e, view_of(l->address), l->name, rc);
        remove_path(l);
        close(fd);
        free(l);
        return rc;
    }
    l->u.handle.data = l;
    while (*last)
        last = &(*last)->next;
    *last = l;
    rc = l->is_unix ? uv_pipe_open(&l->u.pipe, fd) : uv_tcp_open(&l->u.tcp, fd);
    if (rc < 0) {
        fail(e, view_of(l->address), l->name, rc);
        close(fd);
        listener_close(l);
    }
    return rc;
}

/* The address that the socket has got. */
static void ask_bound(struct listener *l, int fd)
{
    struct sockaddr_storage sa = { 0 };
    socklen_t len = sizeof(sa);

    if (getsockname(fd, (struct sockaddr *)&sa, &len) == 0)
        address_text((const struct sockaddr *)&sa, len, l->bound);
}

int listener_open(struct http_server *s, int endpoint, const char *name,
                  struct view address, struct err *e)
{
    struct address a;
    struct listener *l;
    int fd, rc = address_parse(address, &a, e);

    if (rc < 0)
        return rc;
    l = make(s, endpoint, name);
    l->is_unix = a.sa.ss_family == AF_UNIX;
    address_text((const struct sockaddr *)&a.sa, a.len, l->address);
    fd = l->is_unix ? bind_unix(l, &a)
         : a.any    ? bind_any(&a)
                    : bind_to(&a.sa, a.len, true);
    if (fd < 0) {
        free(l);
        if (fd == -EEXIST)
            return err_set(e, fd,
                           "cannot listen on %.*s for %s: there is a file that "
                           "is no socket",
                           VIEW_ARG(address), name);
        return fail(e, address, name, fd);
    }
    ask_bound(l, fd);
    return join(l, fd, e);
}

/* server.h has it: the way in for whoever knows the server from outside. */
int http_server_take(struct http_server *s, int endpoint, const char *name, int fd,
                     struct err *e)
{
    struct listener *l = make(s, endpoint, name);
    int family = 0, rc;
    socklen_t len = sizeof(family);

    if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &len) < 0) {
        rc = -errno;
        close(fd);
        free(l);
        return err_set(e, rc, "socket %d given for %s: %s", fd, name, uv_strerror(rc));
    }
    l->given = true;
    l->is_unix = family == AF_UNIX; /* without a path: the file is not ours to remove */
    ask_bound(l, fd);
    memcpy(l->address, l->bound, sizeof(l->address));
    rc = join(l, fd, e);
    if (rc == 0 && s->self)
        self_endpoint(s->self, name);
    return rc;
}

static void on_connection(uv_stream_t *stream, int status)
{
    struct listener *l = stream->data;

    /* libuv goes on listening after an error; the client is gone or out of reach. */
    if (status == 0 && !l->closing)
        conn_accept(l);
}

int listener_start(struct listener *l, struct err *e)
{
    const struct site *site = &l->server->site;
    int rc;

    if (l->started || (l->given && !site->ready(site->ctx)))
        return 0;
    rc = uv_listen(&l->u.stream, BACKLOG, on_connection);
    l->started = rc == 0;
    return rc < 0 ? fail(e, view_of(l->address), l->name, rc) : 0;
}

static void on_closed(uv_handle_t *h)
{
    struct listener *l = h->data;
    struct http_server *s = l->server;
    struct listener **at = &s->listeners;

    while (*at != l)
        at = &(*at)->next;
    *at = l->next;
    free(l);
    http_server_settle(s);
}

void listener_close(struct listener *l)
{
    if (l->closing)
        return;
    l->closing = true;
    remove_path(l);
    uv_close(&l->u.handle, on_closed);
}
