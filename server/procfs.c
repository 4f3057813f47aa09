#include "server/procfs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/decimal.h"

/* Appends a file; what cannot be read is left out. */
static void slurp(const char *path, struct buf *to)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return;
    for (;;) {
        char *room = buf_room(to, 4096);
        ssize_t n = room ? read(fd, room, 4096) : 0;

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        buf_commit(to, (size_t)n);
    }
    close(fd);
}

bool procfs_parse_stat(struct view line, double *start_ticks, double *virtual_bytes,
                       double *resident_pages)
{
    double *const fields[] = { start_ticks, virtual_bytes, resident_pages };
    struct view rest = line, field;

    /* Field 2 is the program's name in parentheses, which may hold anything. */
    while (rest.n > 0 && rest.p[rest.n - 1] != ')')
        rest.n--;
    if (rest.n == 0)
        return false;
    rest = view_trim(view_skip(line, rest.n));
    for (int i = 3; i <= 24; i++) {
        if (!view_split(&rest, ' ', &field))
            return false;
        if (i >= 22 && !decimal_read(field, fields[i - 22]))
            return false;
    }
    return true;
}

double procfs_parse_boot(struct view text)
{
    struct view line;
    double s;

    while (view_split(&text, '\n', &line))
        if (view_starts(line, VIEW("btime ")) &&
            decimal_read(view_trim(view_skip(line, strlen("btime "))), &s))
            return s;
    return NAN;
}

static double seconds(clockid_t clock)
{
    struct timespec t;

    return clock_gettime(clock, &t) == 0 ? (double)t.tv_sec + (double)t.tv_nsec * 1e-9
                                         : NAN;
}

static double boot_unix_s(void)
{
    static double known = NAN; /* asked for until it is: /proc/stat is slow to make */
    struct buf text = { .limit = 1024UL * 1024 };

    if (isnan(known)) {
        slurp("/proc/stat", &text);
        known = procfs_parse_boot(buf_as_view(&text));
        buf_deinit(&text);
        if (isnan(known)) /* a sandbox may show processes alone: ProcSubset=pid */
            known = seconds(CLOCK_REALTIME) - seconds(CLOCK_BOOTTIME);
    }
    return known;
}

static double count_fds(void)
{
    DIR *dir = opendir("/proc/self/fd");
    double n = 0;

    if (!dir)
        return NAN;
    for (struct dirent *d = readdir(dir); d; d = readdir(dir))
        n += d->d_name[0] != '.';
    closedir(dir);
    return n - 1; /* the one just used */
}

void procfs_read(struct procfs *out)
{
    struct buf text = { .limit = 64UL * 1024 };
    struct rusage use;
    struct rlimit files;
    double start = NAN, size = NAN, pages = NAN;

    *out = (struct procfs){ NAN, NAN, NAN, NAN, NAN, NAN };
    if (getrusage(RUSAGE_SELF, &use) == 0)
        out->cpu_s = (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
                     (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) * 1e-6;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0)
        out->max_fds = (double)files.rlim_cur;
    slurp("/proc/self/stat", &text);
    if (procfs_parse_stat(buf_as_view(&text), &start, &size, &pages)) {
        out->virtual_bytes = size;
        out->resident_bytes = pages * (double)sysconf(_SC_PAGESIZE);
        out->start_unix_s = boot_unix_s() + start / (double)sysconf(_SC_CLK_TCK);
    }
    buf_deinit(&text);
    out->open_fds = count_fds();
}
