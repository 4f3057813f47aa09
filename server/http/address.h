/*
 * address.h - where to listen, as text and as the kernel wants it.
 */
#ifndef SERVER_HTTP_ADDRESS_H
#define SERVER_HTTP_ADDRESS_H

#include <sys/socket.h>
#include <sys/un.h>

#include "core/err.h"
#include "core/view.h"

struct address {
    struct sockaddr_storage sa; /* ":N" is the IPv6 wildcard */
    socklen_t len;
    bool any; /* ":N": IPv6 and IPv4 */
};

/*
 * Reads ":9502", "127.0.0.1:9502", "[::1]:9502", "unix:/run/x.sock" or "unix:@name" (a
 * name in the abstract space: no file, and no permissions); port 0 is a free one. -EINVAL with the reason otherwise; *out is untouched then.
 */
int address_parse(struct view text, struct address *out, struct err *e);

enum {
    ADDRESS_TEXT_MAX = sizeof("unix:") + sizeof(((struct sockaddr_un *)0)->sun_path)
};

/* The same way round: "127.0.0.1:9502", "[::]:9502", "unix:/run/x.sock". */
void address_text(const struct sockaddr *sa, socklen_t len, char to[ADDRESS_TEXT_MAX]);

#endif
