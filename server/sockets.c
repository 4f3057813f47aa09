/*
 * sockets.c - listening sockets that a service manager hands over with the start.
 *
 * Whatever does not fit ends the start: a socket that nobody accepts from would let its
 * clients hang for ever, since the manager goes on listening.
 */
#include "server/sockets.h"

#include "core/decimal.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { FIRST = 3 }; /* descriptor, SD_LISTEN_FDS_START */

bool sockets_given(const struct sockets *s, int endpoint)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->all[i].endpoint == endpoint)
            return true;
    return false;
}

/* What systemd calls a socket whose unit gives it no name; sd_listen_fds_with_names(3). */
static bool is_no_name(struct view name)
{
    return name.n == 0 || view_eq(name, VIEW("unknown")) ||
           view_ends(name, VIEW(".socket"));
}

static int assign_named(struct sockets *s, size_t i, struct view name,
                        const char *const listen[], struct err *e)
{
    int endpoint = registry_find(name);

    if (is_no_name(name))
        return 0;
    if (endpoint < 0)
        return err_set(e, -EINVAL,
                       "LISTEN_FDNAMES: a socket is named \"%.*s\"; names are results, "
                       "qoe and cost",
                       VIEW_ARG(name));
    if (!*listen[endpoint])
        return err_set(e, -EINVAL,
                       "LISTEN_FDNAMES: a socket is named %.*s, but that endpoint is "
                       "off",
                       VIEW_ARG(name));
    s->all[i].endpoint = endpoint;
    return 0;
}

/* Hands those without a name out, in order. */
static int assign_rest(struct sockets *s, const char *const listen[], struct err *e)
{
    int next = 0;

    for (size_t i = 0; i < s->count; i++) {
        if (s->all[i].endpoint >= 0)
            continue;
        while (next < (int)registry_count && (!*listen[next] || sockets_given(s, next)))
            next++;
        if (next == (int)registry_count)
            return err_set(
                e, -EINVAL,
                "LISTEN_FDS: %zu sockets are more than there are endpoints "
                "to give them to; FileDescriptorName= may be results, qoe or "
                "cost",
                s->count);
        s->all[i].endpoint = next;
    }
    return 0;
}

int sockets_assign(struct view names, const char *const listen[], struct sockets *s,
                   struct err *e)
{
    struct view name, rest = names;
    size_t n = 0;

    for (size_t i = 0; i < s->count; i++)
        s->all[i].endpoint = -1;
    while (names.p && n <= s->count && view_split(&rest, ':', &name)) {
        int rc = n < s->count ? assign_named(s, n, name, listen, e) : 0;

        if (rc < 0)
            return rc;
        n++;
    }
    if (n > 0 && n != s->count)
        return err_set(e, -EINVAL,
                       "LISTEN_FDNAMES: %s names than the %zu of LISTEN_FDS",
                       n < s->count ? "fewer" : "more", s->count);
    return assign_rest(s, listen, e);
}

/* The integer option of a socket, or a negative errno. */
static int option_of(int fd, int option)
{
    int value = 0;
    socklen_t len = sizeof value;

    return getsockopt(fd, SOL_SOCKET, option, &value, &len) < 0 ? -errno : value;
}

static int check(int fd, struct err *e)
{
    int family, type = option_of(fd, SO_TYPE);

    if (type < 0)
        return err_set(e, -EBADF, "LISTEN_FDS: descriptor %d is %s", fd,
                       type == -EBADF ? "not open" : "no socket");
    if (type != SOCK_STREAM)
        return err_set(e, -EINVAL, "LISTEN_FDS: descriptor %d is no stream socket", fd);
    family = option_of(fd, SO_DOMAIN);
    if (family != AF_INET && family != AF_INET6 && family != AF_UNIX)
        return err_set(e, -EINVAL,
                       "LISTEN_FDS: descriptor %d is neither an IP nor a unix socket",
                       fd);
    if (option_of(fd, SO_ACCEPTCONN) != 1)
        return err_set(
            e, -EINVAL,
            "LISTEN_FDS: descriptor %d does not listen (Accept=no is needed)", fd);
    if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
        return err_set(e, -errno, "LISTEN_FDS: descriptor %d: %s", fd,
                       strerrordesc_np(errno));
    return 0;
}

/* How many sockets the variables give this process; 0: none. */
static int count_given(struct err *e)
{
    const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
    double n;

    /* They may be meant for a parent that passed its environment on. */
    if (!pid || !fds || !decimal_read(view_of(pid), &n) || n != (double)getpid())
        return 0;
    if (!decimal_read(view_of(fds), &n) || n < 0 || n != floor(n))
        return err_set(e, -EINVAL, "LISTEN_FDS: \"%s\" is no number", fds);
    if (n > SOCKETS_MAX)
        return err_set(e, -EINVAL, "LISTEN_FDS: %s sockets are more than %d", fds,
                       (int)SOCKETS_MAX);
    return (int)n;
}

int sockets_take(const char *const listen[], struct sockets *out, struct err *e)
{
    const char *names = getenv("LISTEN_FDNAMES");
    int rc = count_given(e);

    *out = (struct sockets){ 0 };
    if (rc > 0) {
        out->count = (size_t)rc;
        rc = 0;
    }
    for (size_t i = 0; i < out->count && rc == 0; i++) {
        out->all[i].fd = FIRST + (int)i;
        rc = check(out->all[i].fd, e);
    }
    if (rc == 0 && out->count > 0)
        rc = sockets_assign(view_of(names && *names ? names : NULL), listen, out, e);
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_FDNAMES");
    return rc;
}
