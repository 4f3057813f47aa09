/*
 * gate.c - the functions of web_toolbox.so, as the program calls them: those that read a
 * web config open the library, all others pass on.
 */
#include "server/web/gate.h"

#include <limits.h>

#include "server/library.h"

static const struct gate *gate; /* the main thread's; NULL: not opened */

static bool named(const struct config *c)
{
    return c->web_config_file && *c->web_config_file;
}

static int open_library(struct err *e)
{
    char path[PATH_MAX + 256];
    const void *found;
    int rc = gate ? 0 : library_find("web_toolbox.so", path, sizeof path, e);

    if (gate || rc < 0)
        return rc;
    rc = library_open(path, GATE_SYMBOL, ENCODE_ABI,
                      "the packages libyaml-0-2 and libcrypt1", &found, e);
    if (rc == 0)
        gate = found;
    return rc;
}

int doors_new(uv_loop_t *loop, const struct config *c, struct doors **out,
              struct err *e)
{
    int rc = named(c) ? open_library(e) : 0;

    *out = NULL;
    return rc == 0 && named(c) ? gate->doors_new(loop, c, out, e) : rc;
}

void doors_guard(struct doors *d, struct http_server *http)
{
    if (d)
        gate->doors_guard(d, http);
}

void doors_watch(struct doors *d)
{
    if (d)
        gate->doors_watch(d);
}

int doors_reload(struct doors *d, struct err *e)
{
    return d ? gate->doors_reload(d, e) : 0;
}

void doors_stop(struct doors *d)
{
    if (d)
        gate->doors_stop(d);
}

void doors_free(struct doors *d)
{
    if (d)
        gate->doors_free(d);
}

void doors_count(const struct doors *d, struct self_web *out)
{
    out->on = d != NULL;
    if (d)
        gate->doors_count(d, out);
}

int doors_check(const struct config *c, struct err *e)
{
    int rc = named(c) ? open_library(e) : 0;

    return rc == 0 && named(c) ? gate->doors_check(c, e) : rc;
}

int doors_ask_tls(const struct config *c, bool *tls, struct err *e)
{
    int rc = named(c) ? open_library(e) : 0;

    *tls = false;
    return rc == 0 && named(c) ? gate->doors_ask_tls(c, tls, e) : rc;
}
