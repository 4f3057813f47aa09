/*
 * sockets.h - listening sockets that a service manager hands over with the start
 * (systemd's socket activation, sd_listen_fds(3)).
 *
 * A socket named results, qoe or cost (FileDescriptorName=) is that endpoint's; several
 * may have one name. Sockets without a name of their own go to the endpoints that are
 * on and were not named, in the order results, qoe, cost. What an endpoint is given
 * takes the place of its listen address.
 */
#ifndef SERVER_SOCKETS_H
#define SERVER_SOCKETS_H

#include "core/err.h"
#include "core/view.h"
#include "server/registry.h"

enum { SOCKETS_MAX = 16 };

struct sockets {
    size_t count;
    struct {
        int fd;       /* whoever takes it closes it */
        int endpoint; /* index of its module */
    } all[SOCKETS_MAX];
};

/*
 * Looks into LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES and removes them. listen: of each
 * module, as in struct config. The descriptors are closed on exec afterwards. None are
 * given: count is 0. -EINVAL, -EBADF: e names the variable or the descriptor and says
 * what is wrong with it. To be called while there is one thread, and before anything else
 * is opened.
 */
int sockets_take(const char *const listen[], struct sockets *out, struct err *e);

bool sockets_given(const struct sockets *s, int endpoint);

/* The rule alone: names as in LISTEN_FDNAMES, or p NULL; fills the endpoints of count
 * sockets. */
int sockets_assign(struct view names, const char *const listen[], struct sockets *s,
                   struct err *e);

#endif
