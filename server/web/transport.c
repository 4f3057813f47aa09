#include "server/web/transport.h"

#include <limits.h>
#include <stddef.h>

#include "server/library.h"
#include "server/web/transport_open.h"

int transport_open(const char *path, const struct transport **out, struct err *e)
{
    const void *t;
    int rc = library_open(path, TRANSPORT_SYMBOL, TRANSPORT_ABI,
                          "OpenSSL 3, package libssl3", &t, e);

    if (rc == 0)
        *out = t;
    return rc;
}

const struct transport *transport_load(struct err *e)
{
    static const struct transport *loaded; /* the loop thread's */
    char path[PATH_MAX + 256];

    if (!loaded && library_find("transport_tls.so", path, sizeof path, e) == 0)
        transport_open(path, &loaded, e);
    return loaded;
}
