#include "server/sources/scan.h"
#include "core/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RUN_PREFIX VIEW("test_results_")
#define RUN_SUFFIX VIEW(".json")

enum name_kind name_kind(struct view name)
{
    if (view_starts(name, VIEW(".")) || view_ends(name, VIEW(".tmp")) ||
        view_ends(name, VIEW(".part")) || view_ends(name, VIEW("~")))
        return NAME_HIDDEN;
    if (name.n <= NAME_MAX && name.n >= RUN_PREFIX.n + RUN_SUFFIX.n &&
        view_starts(name, RUN_PREFIX) && view_ends(name, RUN_SUFFIX))
        return NAME_RUN;
    return NAME_OTHER;
}

struct view name_id(struct view run_name)
{
    return (struct view){ run_name.p, run_name.n - RUN_SUFFIX.n };
}

static void add(struct scan *s, int dirfd, const char *text)
{
    struct view name = view_of(text);
    enum name_kind kind = name_kind(name);
    struct scan_entry entry = { .kind = kind };
    struct err e = { 0 };

    if (kind == NAME_HIDDEN)
        return;
    if (kind == NAME_RUN) {
        entry.rc = opener_look(dirfd, text, &entry.look, &e);
        if (entry.rc == OPENER_GONE)
            return;
    }
    entry.name = arena_copy(&s->mem, (struct view){ name.p, name.n + 1 });
    entry.name.n--;
    if (entry.rc < 0)
        entry.reason =
            arena_copy(&s->mem, (struct view){ e.text, strlen(e.text) + 1 }).p;
    if (s->count == s->cap) {
        s->cap = s->cap ? s->cap * 2 : 64;
        s->entries = mem_resize(s->entries, s->cap, sizeof *s->entries);
    }
    s->entries[s->count++] = entry;
}

int scan_read(const char *dir, struct scan *out, struct err *e)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;

    if (!d) {
        int code = errno;

        if (fd >= 0)
            close(fd);
        return err_set(e, -code, "%s: %s", dir,
                       code == EACCES ? "permission denied" : strerrordesc_np(code));
    }
    for (;;) {
        errno = 0;

        const struct dirent *ent = readdir(d);

        if (!ent)
            break;
        add(out, fd, ent->d_name);
    }

    int code = errno;

    closedir(d);
    if (code) { /* half a list must not make the other half look deleted */
        scan_deinit(out);
        return err_set(e, -code, "%s: %s", dir, strerrordesc_np(code));
    }
    return 0;
}

void scan_deinit(struct scan *s)
{
    free(s->entries);
    arena_deinit(&s->mem);
    *s = (struct scan){ 0 };
}
