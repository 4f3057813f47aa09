/*
 * processes.c - each reading lists the process numbers and looks at those that are new or
 * known to be ours; of the others at a few, in turn, because a process takes its name when
 * it executes a program, which may be after it was listed first.
 */
#include "server/power/processes.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/mem.h"
#include "server/power/kept.h"
#include "server/power/usage.h"

enum {
    NAME_KEPT = 15, /* TASK_COMM_LEN without its end */
    NEW_MAX = 256,  /* looked at in one reading; more are new at the next one, too */
    AGAIN_MAX = 32,
    YOUNG = 3,
};

/* Other processes may have other numbers where the tree is another container's. */
static uint64_t own_number(const char *procfs)
{
    char path[PATH_MAX], text[24];
    ssize_t n;
    struct view digits;
    uint64_t number;

    snprintf(path, sizeof path, "%s/self", procfs);
    n = readlink(path, text, sizeof text);
    digits = (struct view){ text, n > 0 ? (size_t)n : 0 };
    return kept_number(&digits, &number) && digits.n == 0 ? number : 0;
}

int processes_open(struct processes *p, const char *procfs, const char *name,
                   struct err *e)
{
    *p = (struct processes){ .procfs = procfs, .name = name };

    DIR *dir = opendir(procfs);

    if (!dir)
        return err_set(e, -errno, "--power.process: %s: %s", procfs, strerror(errno));
    closedir(dir);
    p->self = own_number(procfs);
    return 0;
}

void processes_close(struct processes *p)
{
    free(p->all);
    *p = (struct processes){ 0 };
}

/* Fields of a stat line from the third on: number is the one that proc(5) gives it. */
static bool stat_field(struct view *rest, int *at, int number, uint64_t *out)
{
    struct view field;

    for (; *at < number; ++*at)
        if (!view_split(rest, ' ', &field))
            return false;
    ++*at;
    return view_split(rest, ' ', &field) && kept_number(&field, out) && field.n == 0;
}

/* What the kernel tells of a process. A negative errno: it is gone, or not for us. */
static int look(const struct processes *p, struct process *one)
{
    char path[PATH_MAX], text[KEPT_MAX];
    uint64_t parent, user, system;
    struct view line, rest, wanted = view_of(p->name);
    int at = 3, rc;

    snprintf(path, sizeof path, "%s/%d/stat", p->procfs, one->pid);
    rc = kept_once(path, text, &line);
    if (rc < 0)
        return rc;
    rest = line;
    while (rest.n > 0 && rest.p[rest.n - 1] != ')') /* the name may hold anything */
        rest.n--;

    const char *open = memchr(line.p, '(', rest.n);

    if (!open || rest.n + 1 >= line.n)
        return -EINVAL;
    if (wanted.n > NAME_KEPT)
        wanted.n = NAME_KEPT;
    one->ours = view_eq((struct view){ open + 1, rest.n - 2 - (size_t)(open - line.p) },
                        wanted);
    rest = view_skip(line, rest.n + 1);
    if (!stat_field(&rest, &at, 4, &parent) || !stat_field(&rest, &at, 14, &user) ||
        !stat_field(&rest, &at, 15, &system) ||
        !stat_field(&rest, &at, 22, &one->start))
        return -EINVAL;
    one->ours = one->ours && (p->self == 0 || parent != p->self);
    one->ticks = user + system;
    return 0;
}

/* ---- the list -------------------------------------------------------------------------- */

struct list {
    struct process *all;
    size_t count, cap;
};

static void append(struct list *l, struct process one)
{
    if (l->count == l->cap) {
        l->cap = l->cap ? l->cap * 2 : 64;
        l->all = mem_resize(l->all, l->cap, sizeof *l->all);
    }
    l->all[l->count++] = one;
}

static int by_pid(const void *a, const void *b)
{
    const struct process *x = a, *y = b;

    return (x->pid > y->pid) - (x->pid < y->pid);
}

static int list_numbers(const char *procfs, struct list *l)
{
    DIR *dir = opendir(procfs);
    bool ascending = true;
    int rc = dir ? 0 : -errno;

    while (dir) {
        uint64_t pid;

        errno = 0;

        const struct dirent *d = readdir(dir);
        struct view name = view_of(d ? d->d_name : NULL);

        if (!d) {
            rc = -errno;
            closedir(dir);
            break;
        }
        if (!kept_number(&name, &pid) || name.n > 0 || pid == 0 || pid > INT_MAX)
            continue;
        ascending = ascending && (!l->count || l->all[l->count - 1].pid < (int)pid);
        append(l, (struct process){ .pid = (int)pid });
    }
    if (!ascending) /* the kernel's are; other directories need not be */
        qsort(l->all, l->count, sizeof *l->all, by_pid);
    return rc;
}

/* ---- what is new ----------------------------------------------------------------------- */

/* Whether its number is to be met as a new one. */
static bool is_gone(int rc)
{
    return rc == -ENOENT || rc == -ESRCH;
}

/* One that was looked at in the last reading. False: it is gone. */
static bool follow(struct processes *p, const struct process *before,
                   struct process *now)
{
    int rc = look(p, now);

    now->young = before->young ? before->young - 1 : 0;
    if (rc < 0 || !now->ours)
        return !is_gone(rc);
    if (now->start != before->start)
        p->ticks += now->ticks; /* another one, which got the number since */
    else if (now->ticks > before->ticks)
        p->ticks += now->ticks - before->ticks;
    return true;
}

/* False: it is gone, or has to wait for the next reading. */
static bool meet(struct processes *p, struct process *now, int *left)
{
    if (p->listed && --*left < 0)
        return false;

    int rc = look(p, now);

    now->young = YOUNG;
    if (rc == 0 && now->ours && p->listed)
        p->ticks += now->ticks;
    return !is_gone(rc);
}

/* Whether the other one at this place is to be looked at again. */
static bool is_its_turn(const struct processes *p, size_t place)
{
    size_t from = p->again % p->count;

    return (place >= from ? place - from : place + p->count - from) < AGAIN_MAX;
}

int processes_read(void *processes, uint64_t *ns)
{
    struct processes *p = processes;
    struct list now = { 0 };
    size_t kept = 0, at = 0;
    int left = NEW_MAX, rc = list_numbers(p->procfs, &now);

    for (size_t i = 0; rc == 0 && i < now.count; i++) {
        struct process *one = &now.all[i];

        while (at < p->count && p->all[at].pid < one->pid)
            at++;

        const struct process *before = at < p->count ? &p->all[at] : NULL;
        bool there = true;

        if (!before || before->pid != one->pid)
            there = meet(p, one, &left);
        else if (before->ours || before->young)
            there = follow(p, before, one);
        else if (is_its_turn(p, at))
            look(p, one);
        p->any = p->any || one->ours;
        if (there)
            now.all[kept++] = *one;
    }
    if (rc == 0) {
        p->again += AGAIN_MAX;
        p->listed = true;
        free(p->all);
        p->all = now.all;
        p->count = kept;
        p->cap = now.cap;
        *ns = usage_ticks_ns(p->ticks);
    } else {
        free(now.all);
    }
    return rc;
}
