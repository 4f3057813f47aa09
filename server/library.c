/*
 * library.c - finds and opens a shared object that belongs to this program.
 *
 * Paths are made from where this program lies, so an installation may be moved as a
 * whole, and no search path of the environment has a say.
 */
#include "server/library.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <uv.h>

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

int library_find(const char *file, char *path, size_t size, struct err *e)
{
    char directory[PATH_MAX];
    int rc = own_directory(directory, e);

    if (rc < 0)
        return rc;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        snprintf(path, size, "%s/%s/%s", directory, places[i], file);
        if (access(path, F_OK) == 0)
            return 0;
        if (errno != ENOENT && errno != ENOTDIR)
            return err_set(e, -errno, "cannot look at %s: %s", path, strerror(errno));
    }
    return err_set(e, -ENOENT,
                   "%s, which belongs to encode_exporter, is missing: it is neither in "
                   "%s nor in %s/%s",
                   file, directory, directory, ENCODE_LIBRARY_DIR);
}

int library_open(const char *path, const char *symbol, unsigned abi, const char *needs,
                 const void **out, struct err *e)
{
    uv_lib_t library; /* closed on failure alone */
    void *found;
    uint32_t has;
    int rc;

    if (uv_dlopen(path, &library) < 0) {
        rc = err_set(e, -ELIBACC, "cannot load %s (it needs %s): %s", path, needs,
                     uv_dlerror(&library));
    } else if (uv_dlsym(&library, symbol, &found) < 0) {
        rc = err_set(e, -ELIBBAD, "%s is not of encode_exporter: %s", path,
                     uv_dlerror(&library));
    } else {
        memcpy(&has, found, sizeof has);
        if (has == abi) {
            *out = found;
            return 0;
        }
        rc = err_set(e, -ELIBBAD,
                     "%s belongs to another version of encode_exporter (interface %u, "
                     "this program has %u): install both from one package",
                     path, (unsigned)has, abi);
    }
    uv_dlclose(&library);
    return rc;
}
