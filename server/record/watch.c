#include "server/record/watch.h"

#include <fcntl.h>
#include <math.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/live_name.h"
#include "core/utf8.h"

enum {
    NAME_BYTES_MAX = 200,
    MEMORY_MAX = 256 * 1024, /* then it is emptied */
};

/* Locked for as long as ffmpeg has it open, also when we are gone. */
static int open_named(int dir, struct view name)
{
    struct buf file = { 0 };
    struct stat st;
    int fd;

    live_name_canonical(utf8_cut(name, NAME_BYTES_MAX), &file);
    buf_str(&file, ".progress");
    buf_char(&file, '\0');
    fd = file.p[0] == '.' || strchr(file.p, '/')
             ? -1
             : openat(dir, file.p,
                      O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK,
                      0666);
    buf_deinit(&file);
    if (fd >= 0 && (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
                    flock(fd, LOCK_EX | LOCK_NB) < 0 || ftruncate(fd, 0) < 0)) {
        close(fd);
        fd = -1;
    }
    return fd;
}

/* Appending, so that it can be emptied while ffmpeg writes. */
static int open_in_memory(void)
{
    int fd = memfd_create("progress", MFD_CLOEXEC);

    if (fd >= 0 && fcntl(fd, F_SETFL, O_APPEND) < 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

void watch_nothing(struct watch *w)
{
    *w = (struct watch){ .fd = -1,
                         .frames = NAN,
                         .out_time_s = NAN,
                         .total_bytes = NAN,
                         .drop_frames = NAN };
}

void watch_open(struct watch *w, int dir, struct view name)
{
    watch_nothing(w);
    if (dir >= 0)
        w->fd = open_named(dir, name);
    if (w->fd < 0) {
        w->fd = open_in_memory();
        w->in_memory = true;
    }
    progress_init(&w->reader);
}

static void take(struct watch *w, struct view bytes)
{
    const struct progress_block *b;

    while ((b = progress_next(&w->reader, &bytes))) {
        w->seen = true;
        w->frames = b->frames;
        w->out_time_s = b->out_time_s;
        w->total_bytes = b->total_bytes;
        w->drop_frames = b->drop_frames;
    }
}

void watch_read(struct watch *w)
{
    char bytes[8192];
    ssize_t n;

    if (w->fd < 0)
        return;
    while ((n = pread(w->fd, bytes, sizeof bytes, w->at)) > 0) {
        w->at += n;
        take(w, (struct view){ bytes, (size_t)n });
    }
    /* What comes between the last read and this is one block of many. */
    if (w->in_memory && w->at > MEMORY_MAX && ftruncate(w->fd, 0) == 0)
        w->at = 0;
}

void watch_close(struct watch *w)
{
    if (w->fd >= 0)
        close(w->fd);
    progress_deinit(&w->reader);
}
