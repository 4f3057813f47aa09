#include "server/record/usage.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/mem.h"

enum { PROCESSES_MAX = 4096 }; /* more are no encode: a circle, or a bomb of forks */

struct walk {
    pid_t *pids; /* those from next on are still to be looked at */
    size_t count, cap, next;
    double ticks;
};

static bool read_file(const char *path, struct buf *text)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    char bytes[4096];
    ssize_t n = -1;

    buf_release(text);
    if (fd < 0)
        return false;
    while ((n = read(fd, bytes, sizeof bytes)) > 0)
        buf_add(text, bytes, (size_t)n);
    close(fd);
    return n == 0;
}

bool usage_parse(struct view line, double *ticks)
{
    const char *name_end = line.n ? memrchr(line.p, ')', line.n) : NULL;
    struct view rest, field;
    double sum = 0;

    if (!name_end)
        return false;
    rest = view_skip(line, (size_t)(name_end - line.p) + 1);
    for (int i = 2; i <= 17; i++) { /* what stands before the first blank is field 2 */
        unsigned long long value = 0;

        if (!view_split(&rest, ' ', &field))
            return false;
        if (i < 14)
            continue;
        for (size_t k = 0; k < field.n; k++) {
            if (field.p[k] < '0' || field.p[k] > '9')
                return false;
            value = value * 10 + (unsigned)(field.p[k] - '0');
        }
        if (field.n == 0)
            return false;
        sum += (double)value;
    }
    *ticks = sum;
    return true;
}

static void add(struct walk *w, pid_t pid)
{
    if (pid <= 0 || w->count == PROCESSES_MAX)
        return;
    if (w->count == w->cap) {
        w->cap = w->cap ? w->cap * 2 : 16;
        w->pids = mem_resize(w->pids, w->cap, sizeof *w->pids);
    }
    w->pids[w->count++] = pid;
}

/* Children are listed by the thread that started them. */
static void add_children(struct walk *w, pid_t pid, struct buf *text)
{
    char path[64];
    struct dirent *entry;
    DIR *tasks;

    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    tasks = opendir(path);
    while (tasks && (entry = readdir(tasks))) {
        struct view rest, one;

        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "/proc/%d/task/%.20s/children", (int)pid,
                 entry->d_name);
        if (!read_file(path, text))
            continue;
        buf_char(text, '\0');
        rest = (struct view){ text->p, text->n - 1 };
        while (view_split(&rest, ' ', &one))
            if (one.n)
                add(w, (pid_t)strtol(one.p, NULL, 10));
    }
    if (tasks)
        closedir(tasks);
}

double usage_below(pid_t root)
{
    struct walk w = { 0 };
    struct buf text = { 0 };
    char path[64];
    double ticks;

    add_children(&w, root, &text);
    while (w.next < w.count) {
        pid_t pid = w.pids[w.next++];

        snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
        if (!read_file(path, &text) || !usage_parse(buf_as_view(&text), &ticks))
            continue;
        w.ticks += ticks;
        add_children(&w, pid, &text);
    }
    free(w.pids);
    buf_deinit(&text);
    return w.ticks / (double)sysconf(_SC_CLK_TCK);
}
