#include "server/compute/tools.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/view.h"

static bool can_run(const char *path, struct stat *st)
{
    return stat(path, st) == 0 && S_ISREG(st->st_mode) && access(path, X_OK) == 0;
}

/* As execvp(3) finds it, but never in the working directory. */
static bool search(const char *name, char path[PATH_MAX], struct stat *st)
{
    struct view dirs = view_of(getenv("PATH")), dir;

    if (dirs.n == 0)
        dirs = VIEW("/usr/local/bin:/usr/bin:/bin");
    while (view_split(&dirs, ':', &dir)) {
        if (dir.n == 0 || *dir.p != '/')
            continue;
        if (snprintf(path, PATH_MAX, "%.*s/%s", VIEW_ARG(dir), name) < PATH_MAX &&
            can_run(path, st))
            return true;
    }
    return false;
}

/* The ffprobe of the same directory. */
static int find_probe(struct tools *t, struct err *e)
{
    struct stat st;
    int n = (int)(strrchr(t->ffmpeg, '/') - t->ffmpeg) + 1;

    if (snprintf(t->ffprobe, sizeof t->ffprobe, "%.*sffprobe", n, t->ffmpeg) >=
            (int)sizeof t->ffprobe ||
        !can_run(t->ffprobe, &st))
        return err_set(e, -ENOENT, "--ffmpeg: there is no ffprobe beside %s",
                       t->ffmpeg);
    return 0;
}

int tools_find(struct tools *t, const char *name, struct err *e)
{
    struct stat st;
    struct stamp stamp;

    if (strchr(name, '/')) {
        if (snprintf(t->ffmpeg, sizeof t->ffmpeg, "%s", name) >=
                (int)sizeof t->ffmpeg ||
            !can_run(t->ffmpeg, &st))
            return err_set(e, -ENOENT, "--ffmpeg: %s is no program that can be run",
                           name);
    } else if (!search(name, t->ffmpeg, &st)) {
        return err_set(e, -ENOENT, "--ffmpeg: no directory of PATH has a program %s",
                       name);
    }
    stamp = stamp_of(&st);
    if (!stamp_eq(&stamp, &t->stamp))
        t->asked = false;
    t->stamp = stamp;
    return find_probe(t, e);
}
