/*
 * gate.c - the functions of compute.so, as the program calls them: the first opens the
 * library, all others pass on. Who asks for measuring gets it, or no start.
 */
#include "server/compute/library.h"

#include <errno.h>
#include <limits.h>

#include "server/library.h"

static const struct compute_library *library; /* the main thread's; NULL: not opened */

static int open_library(struct err *e)
{
    char path[PATH_MAX + 256];
    const void *found;
    int rc;

    if (library)
        return 0;
    rc = library_find("compute.so", path, sizeof path, e);
    if (rc == 0)
        rc = library_open(path, COMPUTE_SYMBOL, ENCODE_ABI, "nothing else", &found, e);
    if (rc == 0)
        library = found;
    return rc;
}

int computation_check(const struct config *c, struct err *e)
{
    int rc = c->compute.on ? open_library(e) : 0;

    return rc == 0 && c->compute.on ? library->computation_check(c, e) : rc;
}

int computation_new(const struct computation_host *h, struct computation **out,
                    struct err *e)
{
    int qoe = registry_find(VIEW("qoe")), rc;

    *out = NULL;
    if (!h->config->compute.on || qoe < 0 || !h->config->on[qoe])
        return 0;
    if (!h->live)
        return err_set(e, -ENOENT,
                       "--qoe.compute: encodes are not watched, which it needs");
    rc = open_library(e);
    return rc == 0 ? library->computation_new(h, out, e) : rc;
}

void computation_served(struct computation *c)
{
    if (c)
        library->computation_served(c);
}

void computation_stop(struct computation *c)
{
    if (c)
        library->computation_stop(c);
}

void computation_free(struct computation *c)
{
    if (c)
        library->computation_free(c);
}
