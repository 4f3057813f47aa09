#include "server/power/cgroup.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "server/power/kept.h"

/* cpuacct.usage: ns, and nothing else. cpu.stat: a line usage_usec, which v1's has not. */
static int read_count(const struct cgroup *g, uint64_t *ns)
{
    char text[KEPT_MAX];
    struct view rest, line;
    int rc;

    if (!g->v2)
        return kept_value(g->fd, ns);
    rc = kept_read(g->fd, text, &rest);
    if (rc < 0)
        return rc;
    while (view_split(&rest, '\n', &line)) {
        if (!view_starts(line, VIEW("usage_usec ")))
            continue;
        line = view_skip(line, strlen("usage_usec "));
        if (!kept_number(&line, ns) || line.n > 0 ||
            __builtin_mul_overflow(*ns, 1000, ns))
            return -EINVAL;
        return 0;
    }
    return -EINVAL;
}

static int try_file(struct cgroup *g, const char *dir, bool v2)
{
    char path[PATH_MAX];
    uint64_t ns;
    int n =
        snprintf(path, sizeof path, "%s/%s", dir, v2 ? "cpu.stat" : "cpuacct.usage");

    if (n < 0 || n >= (int)sizeof path)
        return -ENAMETOOLONG;
    g->v2 = v2;
    g->fd = kept_open(path);
    if (g->fd < 0)
        return g->fd;

    int rc = read_count(g, &ns);

    if (rc < 0)
        cgroup_close(g);
    return rc;
}

/* A problem that is not "there is none" is the one to tell. */
static int try_dir(struct cgroup *g, const char *dir)
{
    int v1 = try_file(g, dir, false), v2;

    if (v1 == 0)
        return 0;
    v2 = try_file(g, dir, true);
    return v2 == -ENOENT || v2 == -ENOTDIR ? v1 : v2;
}

static int find(struct cgroup *g)
{
    static const char *const places[] = { "%s/%s", "%s/cpuacct/%s", "%s/cpu,cpuacct/%s",
                                          "%s/unified/%s" };
    int rc = *g->path == '/' ? try_dir(g, g->path) : -ENOENT;

    for (size_t i = 0; rc < 0 && i < sizeof places / sizeof *places; i++) {
        char dir[PATH_MAX];
        int n = snprintf(dir, sizeof dir, places[i], g->root, g->path);
        int next = n < (int)sizeof dir ? try_dir(g, dir) : -ENAMETOOLONG;

        if (next == 0 || rc == -ENOENT || rc == -ENOTDIR)
            rc = next;
    }
    return rc;
}

int cgroup_open(struct cgroup *g, const char *root, const char *path, struct err *e)
{
    *g = (struct cgroup){ .root = root, .path = path, .fd = -1 };

    int rc = find(g);

    if (rc < 0)
        err_set(
            e, rc,
            "--power.cgroup: no cgroup %s with cpu.stat or cpuacct.usage at or below "
            "%s: %s",
            path, root, strerror(-rc));
    return rc;
}

void cgroup_close(struct cgroup *g)
{
    if (g->fd >= 0)
        close(g->fd);
    g->fd = -1;
}

int cgroup_read(void *cgroup, uint64_t *ns)
{
    struct cgroup *g = cgroup;
    int rc = g->fd < 0 ? find(g) : 0;

    if (rc == 0)
        rc = read_count(g, ns);
    if (rc < 0)
        cgroup_close(g); /* ENODEV: it is gone, and another one may take its name */
    return rc;
}
