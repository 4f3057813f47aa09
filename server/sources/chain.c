/*
 * chain.c - inotify watches on every directory that a path leads through.
 *
 * Paths to watch are spelled without symbolic links, from the root (or the working
 * directory) down. Somebody may swap a directory between two steps, but its parent is
 * watched by then, so the swap is told and the path looked up again.
 *
 * A directory's own IN_DELETE_SELF comes only when its last user is gone, so it is its
 * parent that tells of removals. IN_CREATE is asked for only where the next component
 * is missing: a busy parent such as /tmp must not wake an idle process.
 *
 * Several steps may go through one directory, and inotify has one watch for each inode:
 * masks are collected by watch descriptor.
 */
#include "server/sources/chain.h"
#include "core/mem.h"

#include <errno.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

enum {
    STEPS_MAX = 256, /* components and links together */
    LINKS_MAX = 40,  /* as the kernel's */
    RACES_MAX = 16,

    SELF = IN_DELETE_SELF | IN_MOVE_SELF,
    ON_THE_WAY = SELF | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO,
    IN_RESULTS = ON_THE_WAY | IN_CREATE | IN_CLOSE_WRITE | IN_ATTRIB,
    OF_FILE = ON_THE_WAY | IN_CLOSE_WRITE | IN_ATTRIB,
};

struct mark { /* one inotify watch */
    int wd;
    uint32_t mask; /* as the kernel has it */
    char *path;
};

struct step {
    int wd;
    bool last;  /* the file itself, in CHAIN_FILE */
    char *name; /* the component that matters in that directory */
};

struct way {
    struct mark marks[STEPS_MAX];
    struct step steps[STEPS_MAX];
    size_t mark_count, step_count;
    int target; /* watch of the directory itself; -1 */
};

struct chain {
    int inotify;
    char *path;
    enum chain_goal goal;
    struct way way;
};

bool chain_is_network(uint64_t type)
{
    switch (type & 0xffffffff) { /* some kernels extend the sign */
    case NFS_SUPER_MAGIC:
    case SMB_SUPER_MAGIC:
    case 0xfe534d42: /* SMB2 */
    case 0xff534d42: /* CIFS */
    case 0x65735546: /* FUSE, virtiofs */
    case V9FS_MAGIC:
    case AFS_SUPER_MAGIC:
    case AFS_FS_MAGIC:
    case CEPH_SUPER_MAGIC:
    case 0x0bd00bd0: /* Lustre */
    case 0x47504653: /* GPFS */
    case CODA_SUPER_MAGIC:
    case OCFS2_SUPER_MAGIC:
    case 0x01161970: /* GFS2 */
    case 0x20030528: /* OrangeFS */
    case 0x786f4256: /* VirtualBox shared folders */
    case 0xbacbacbc: /* VMware shared folders */
        return true;
    default:
        return false;
    }
}

struct chain *chain_new(int inotify, const char *path, enum chain_goal goal)
{
    struct chain *c = mem_zalloc(sizeof *c);

    c->inotify = inotify;
    c->path = mem_strdup(path);
    c->goal = goal;
    c->way.target = -1;
    return c;
}

static void way_release(struct way *w)
{
    for (size_t i = 0; i < w->mark_count; i++)
        free(w->marks[i].path);
    for (size_t i = 0; i < w->step_count; i++)
        free(w->steps[i].name);
    w->mark_count = w->step_count = 0;
    w->target = -1;
}

void chain_free(struct chain *c)
{
    if (!c)
        return;
    way_release(&c->way);
    free(c->path);
    free(c);
}

static struct mark *mark_of(struct way *w, int wd)
{
    for (size_t i = 0; i < w->mark_count; i++)
        if (w->marks[i].wd == wd)
            return &w->marks[i];
    return NULL;
}

/* ---- looking a path up ------------------------------------------------------------ */

struct lookup {
    const struct chain *c;
    struct way *way;
    char prefix[PATH_MAX];   /* directory reached; without symbolic links */
    char rest[PATH_MAX];     /* components still to come */
    char name[NAME_MAX + 1]; /* the next of them */
    unsigned links;
    bool blind;
};

/* Result of a step that raced with somebody: begin again. */
enum { RACED = 1 };

/* The watch of a path, or -errno; -EACCES is not an error of the lookup. */
static int arm(struct lookup *l, const char *path, uint32_t mask, uint32_t flags)
{
    int wd = inotify_add_watch(l->c->inotify, path,
                               mask | flags | IN_MASK_ADD | IN_DONT_FOLLOW);

    if (wd < 0)
        return -errno;

    struct mark *m = mark_of(l->way, wd);

    if (m) {
        m->mask |= mask;
    } else {
        l->way->marks[l->way->mark_count++] =
            (struct mark){ wd, mask, mem_strdup(path) };
    }
    return wd;
}

/* Watches the directory reached for what happens to name. 0, RACED, -errno. */
static int arm_step(struct lookup *l, uint32_t mask, bool last)
{
    struct way *w = l->way;

    if (w->mark_count + 2 > STEPS_MAX || w->step_count + 2 > STEPS_MAX)
        return -ENAMETOOLONG;

    int wd = arm(l, l->prefix, mask, IN_ONLYDIR);

    if (wd == -EACCES || wd == -EPERM)
        return 0; /* a directory that may be passed but not read */
    if (wd == -ENOENT || wd == -ENOTDIR)
        return RACED;
    if (wd < 0)
        return wd;
    w->steps[w->step_count++] = (struct step){ wd, last, mem_strdup(l->name) };
    return 0;
}

/* Takes the next component off rest. False: none is left. */
static bool next_name(struct lookup *l, bool *too_long)
{
    char *p = l->rest;

    *too_long = false;
    for (;;) {
        p += strspn(p, "/");

        size_t n = strcspn(p, "/");

        if (n == 0) {
            l->rest[0] = '\0';
            return false;
        }
        if (n == 1 && p[0] == '.') {
            p++;
            continue;
        }
        if (n > NAME_MAX) {
            *too_long = true;
            return false;
        }
        memcpy(l->name, p, n);
        l->name[n] = '\0';
        p += n;
        p += strspn(p, "/");
        memmove(l->rest, p, strlen(p) + 1);
        return true;
    }
}

static bool join(char out[PATH_MAX], const char *dir, const char *name)
{
    const char *slash = dir[0] && dir[strlen(dir) - 1] == '/' ? "" : "/";

    return snprintf(out, PATH_MAX, "%s%s%s", dir, slash, name) < PATH_MAX;
}

/* Replaces a link by its target in front of what is left of the path. */
static int follow(struct lookup *l, const char *path)
{
    char target[PATH_MAX], rest[PATH_MAX];
    ssize_t n = readlink(path, target, sizeof target - 1);

    if (n < 0 && (errno == EINVAL || errno == ENOENT))
        return RACED;
    if (n < 0) {
        l->blind = true; /* no event tells when it passes */
        return -errno;
    }
    target[n] = '\0';
    if (++l->links > LINKS_MAX)
        return -ELOOP;
    if (!join(rest, target, l->rest))
        return -ENAMETOOLONG;
    memcpy(l->rest, rest, strlen(rest) + 1);
    if (target[0] == '/')
        memcpy(l->prefix, "/", 2);
    return 0;
}

/* One component: watched, then looked at. 0: go on, 1: RACED, -errno: it ends here. */
static int step(struct lookup *l)
{
    bool last = l->rest[0] == '\0' && l->c->goal == CHAIN_FILE;
    uint32_t mask = last ? OF_FILE : ON_THE_WAY;
    size_t steps = l->way->step_count;
    char path[PATH_MAX];
    struct stat st;
    int rc = arm_step(l, mask, last);

    if (rc != 0)
        return rc;

    bool unwatched = l->way->step_count == steps;

    if (!join(path, l->prefix, l->name))
        return -ENAMETOOLONG;
    rc = lstat(path, &st) == 0 ? 0 : -errno;
    if (rc == -ENOENT && !unwatched) {
        rc = arm_step(l, mask | IN_CREATE, last);
        if (rc != 0)
            return rc;
        rc = lstat(path, &st) == 0 ? 0 : -errno;
    }
    if (rc == -ENOTDIR)
        return RACED;
    if (rc < 0) {
        l->blind = l->blind || unwatched || rc != -ENOENT;
        return rc;
    }
    if (S_ISDIR(st.st_mode)) {
        if (last)
            return -EISDIR;
        memcpy(l->prefix, path, strlen(path) + 1);
        return 0;
    }
    if (unwatched) { /* then at least the thing itself, where we may */
        rc = arm(l, path, SELF | IN_ATTRIB | (last ? IN_CLOSE_WRITE : 0), 0);
        if (rc == -ENOSPC || rc == -ENOMEM)
            return rc;
        l->blind = l->blind || rc < 0;
    }
    if (S_ISLNK(st.st_mode))
        return follow(l, path);
    return last ? 0 : -ENOTDIR;
}

static void explain(const struct lookup *l, int rc, struct err *e)
{
    char path[PATH_MAX];

    if (!join(path, l->prefix, l->name))
        path[0] = '\0';
    switch (rc) {
    case -ENOENT:
        err_set(e, rc, "%s does not exist", path);
        break;
    case -ENOTDIR:
        err_set(e, rc, "%s is not a directory", path);
        break;
    case -EISDIR:
        err_set(e, rc, "%s is a directory", path);
        break;
    case -EACCES:
    case -EPERM:
        err_set(e, rc, "no permission for %s", l->name[0] ? path : l->prefix);
        break;
    case -ELOOP:
        err_set(e, rc, "too many levels of symbolic links at %s", path);
        break;
    default:
        err_set(e, rc, "%s: %s", l->name[0] ? path : l->prefix, strerrordesc_np(-rc));
    }
}

/* From the beginning to the end of the path. 0, RACED or -errno with e. */
static int walk(struct lookup *l, struct err *e)
{
    const char *path = l->c->path;

    memcpy(l->prefix, path[0] == '/' ? "/" : ".", 2);
    if (strlen(path) >= sizeof l->rest)
        return err_set(e, -ENAMETOOLONG, "the path is too long");
    memcpy(l->rest, path, strlen(path) + 1);

    bool too_long;
    int rc = 0;

    while (next_name(l, &too_long)) {
        rc = step(l);
        if (rc != 0)
            break;
    }
    if (rc == 0 && too_long)
        rc = -ENAMETOOLONG;
    if (rc == 0 && l->c->goal == CHAIN_DIRECTORY) {
        l->name[0] = '\0';
        rc = arm(l, l->prefix, IN_RESULTS, IN_ONLYDIR);
        if (rc >= 0) {
            l->way->target = rc;
            rc = 0;
        } else if (rc == -ENOENT || rc == -ENOTDIR) {
            rc = RACED;
        } else if (rc == -EACCES || rc == -EPERM) {
            l->blind = true;
        }
    }
    if (rc < 0)
        explain(l, rc, e);
    return rc;
}

/* Ends watches that the new way has no use for, and takes back what it need not hear. */
static bool tidy(const struct chain *c, struct way *now, const struct way *before)
{
    bool as_expected = true;

    for (size_t i = 0; i < before->mark_count; i++) {
        const struct mark *old = &before->marks[i];
        struct mark *m = mark_of(now, old->wd);

        if (!m) {
            inotify_rm_watch(c->inotify, old->wd); /* may be gone by itself */
        } else if (old->mask & ~m->mask) {
            int wd = inotify_add_watch(c->inotify, m->path, m->mask | IN_DONT_FOLLOW);

            if (wd != m->wd) { /* replaced this moment; the event is on its way */
                if (wd >= 0 && !mark_of(now, wd))
                    inotify_rm_watch(c->inotify, wd);
                as_expected = false;
            }
        }
    }
    return as_expected;
}

int chain_resolve(struct chain *c, struct chain_state *out, struct err *e)
{
    struct lookup *l = mem_zalloc(sizeof *l);
    struct way *before = mem_alloc(sizeof *before);
    int rc = RACED, target = c->way.target;

    l->c = c;
    l->way = &c->way;
    for (int i = 0; i < RACES_MAX && rc == RACED; i++) {
        *before = c->way;
        c->way = (struct way){ .target = -1 };
        l->links = 0;
        l->blind = false;
        l->name[0] = '\0';
        rc = walk(l, e);
        if (!tidy(c, &c->way, before))
            rc = RACED;
        way_release(before);
    }
    if (rc == RACED) {
        l->blind = true;
        rc = err_set(e, -EAGAIN, "%s keeps changing", l->prefix);
    }

    struct statfs fs;

    *out = (struct chain_state){
        .moved = rc == 0 && c->goal == CHAIN_DIRECTORY && c->way.target != target,
        .blind = l->blind,
        .network = statfs(l->prefix, &fs) == 0 && chain_is_network((uint64_t)fs.f_type),
    };
    free(before);
    free(l);
    return rc;
}

unsigned chain_judge(struct chain *c, const struct inotify_event *event)
{
    struct way *w = &c->way;
    unsigned verdict = 0;

    if (event->wd < 0)
        return 0;

    const struct mark *m = mark_of(w, event->wd);

    if (!m)
        return 0; /* of a watch that has ended */
    if (event->mask & (IN_IGNORED | IN_UNMOUNT | IN_DELETE_SELF | IN_MOVE_SELF)) {
        if (event->mask & IN_IGNORED && event->wd == w->target)
            w->target = -1; /* whatever is found next is watched anew */
        return CHAIN_PATH;
    }
    if (event->len == 0)
        return CHAIN_PATH | (event->mask & IN_CLOSE_WRITE ? CHAIN_NAME : 0);
    if (event->wd == w->target)
        verdict |= CHAIN_NAME;
    for (size_t i = 0; i < w->step_count; i++) {
        const struct step *s = &w->steps[i];

        if (s->wd != event->wd || strcmp(s->name, event->name) != 0)
            continue;
        if (s->last && event->mask & (IN_CLOSE_WRITE | IN_MOVED_TO))
            verdict |= CHAIN_NAME;
        if (s->last || !(event->mask & (IN_CLOSE_WRITE | IN_ATTRIB)))
            verdict |= CHAIN_PATH;
    }
    return verdict;
}
