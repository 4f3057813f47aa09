/*
 * transport.c - opens transport_tls.so.
 *
 * Paths are made from where this program lies, so an installation may be moved as a
 * whole, and no search path of the environment has a say.
 */
#include "server/web/transport.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <uv.h>

#include "server/web/transport_open.h"

#define FILE_NAME "transport_tls.so"

/* Directories, seen from that of the program: of a build, and of an installation. */
static const char *const places[] = { ".", ENCODE_LIBRARY_DIR };

/* The directory of this program, without "/" at its end. */
static int own_directory(char to[PATH_MAX], struct err *e)
{
    size_t n = PATH_MAX;
    int rc = uv_exepath(to, &n);
    char *end = rc == 0 ? strrchr(to, '/') : NULL;

    if (!end)
        return err_set(e, rc ? rc : -ENOENT, "cannot tell where this program lies: %s",
                       uv_strerror(rc ? rc : UV_ENOENT));
    *end = '\0';
    return 0;
}

int transport_open(const char *path, const struct transport **out, struct err *e)
{
    /* Never closed: what was loaded is used until the process ends. */
    uv_lib_t library;
    void *symbol;
    const struct transport *t;

    if (uv_dlopen(path, &library) < 0) {
        err_set(e, -ELIBACC,
                "TLS: cannot load %s (it needs OpenSSL 3, package libssl3): %s", path,
                uv_dlerror(&library));
        uv_dlclose(&library);
        return -ELIBACC;
    }
    if (uv_dlsym(&library, TRANSPORT_SYMBOL, &symbol) < 0) {
        err_set(e, -ELIBBAD, "TLS: %s is no transport of encode_exporter: %s", path,
                uv_dlerror(&library));
        uv_dlclose(&library);
        return -ELIBBAD;
    }
    t = symbol;
    if (t->abi != TRANSPORT_ABI) {
        err_set(e, -ELIBBAD,
                "TLS: %s belongs to another version of encode_exporter (interface %u, "
                "this program has %u): install both from one package",
                path, t->abi, (unsigned)TRANSPORT_ABI);
        uv_dlclose(&library);
        return -ELIBBAD;
    }
    *out = t;
    return 0;
}

const struct transport *transport_load(struct err *e)
{
    static const struct transport *loaded; /* the loop thread's */
    char directory[PATH_MAX], path[2][PATH_MAX + 256];

    if (loaded)
        return loaded;
    if (own_directory(directory, e) < 0)
        return NULL;
    for (size_t i = 0; i < 2; i++) {
        snprintf(path[i], sizeof path[i], "%s/%s/%s", directory, places[i], FILE_NAME);
        if (access(path[i], F_OK) == 0)
            return transport_open(path[i], &loaded, e) == 0 ? loaded : NULL;
    }
    err_set(e, -ENOENT,
            "TLS: " FILE_NAME ", which belongs to encode_exporter, is missing: neither "
            "%s nor %s is there",
            path[0], path[1]);
    return NULL;
}
