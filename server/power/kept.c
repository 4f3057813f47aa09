#include "server/power/kept.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int kept_open(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    return fd < 0 ? -errno : fd;
}

int kept_read(int fd, char text[KEPT_MAX], struct view *out)
{
    ssize_t n;

    *out = (struct view){ text, 0 };
    do
        n = pread(fd, text, KEPT_MAX, 0);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return -errno;
    while (n > 0 && text[n - 1] != '\n') /* half a number is another number */
        n--;
    out->n = (size_t)n;
    *out = view_trim(*out);
    return out->n > 0 ? 0 : -EIO;
}

int kept_once(const char *path, char text[KEPT_MAX], struct view *out)
{
    int fd = kept_open(path);
    int rc = fd;

    *out = (struct view){ text, 0 };
    if (fd >= 0) {
        rc = kept_read(fd, text, out);
        close(fd);
    }
    return rc;
}

bool kept_number(struct view *v, uint64_t *out)
{
    size_t at = 0;
    uint64_t n = 0;

    while (at < v->n && v->p[at] == ' ')
        at++;

    size_t digits = at;

    for (; at < v->n && v->p[at] >= '0' && v->p[at] <= '9'; at++)
        if (__builtin_mul_overflow(n, 10, &n) ||
            __builtin_add_overflow(n, (uint64_t)(v->p[at] - '0'), &n))
            return false;
    if (at == digits)
        return false;
    *v = view_skip(*v, at);
    *out = n;
    return true;
}

int kept_value(int fd, uint64_t *out)
{
    char text[KEPT_MAX];
    struct view v;
    int rc = kept_read(fd, text, &v);

    if (rc == 0 && (!kept_number(&v, out) || v.n > 0))
        rc = -EINVAL;
    return rc;
}
