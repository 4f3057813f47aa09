/*
 * opener.h - reads files of a directory that nobody vouches for.
 *
 * A name is followed through symbolic links only as far as they stay inside the
 * directory; what is not a regular file is never opened, so a FIFO cannot hang us and
 * a device cannot be woken. Any thread.
 */
#ifndef SERVER_SOURCES_OPENER_H
#define SERVER_SOURCES_OPENER_H

#include "core/buf.h"
#include "core/err.h"

#include <stdint.h>
#include <sys/stat.h>

/* Tells one content of a file from another, but see file timestamps below. */
struct stamp {
    uint64_t dev, ino, size;
    int64_t mtime_ns, ctime_ns; /* Unix time; the grain may be as coarse as 2 s */
};

struct stamp stamp_of(const struct stat *st);
bool stamp_eq(const struct stamp *a, const struct stamp *b);

/* What -errno means here. Any other errno is what the system said. */
enum {
    OPENER_GONE = -2,          /* ENOENT: no such name (a dangling link is -ENOLINK) */
    OPENER_CHANGING = -11,     /* EAGAIN: it kept changing while it was read */
    OPENER_HELD = -16,         /* EBUSY: somebody holds a lease on it; that passes */
    OPENER_LEADS_OUT = -18,    /* EXDEV: a link that leaves the directory */
    OPENER_TOO_LARGE = -27,    /* EFBIG */
    OPENER_NOT_REGULAR = -124, /* EMEDIUMTYPE */
};

/* A failure that may be over in a moment, without anybody's doing and without an event. */
bool opener_passes(int rc);

/* A file as it lies there, unopened. */
struct look {
    struct stamp stamp; /* of the target of a link; of the name itself on failure */
    bool is_link;       /* the name itself is a symbolic link */
    uint64_t links;     /* hard links; of what stamp is of */
};

/*
 * Looks at a name in the directory dirfd. On failure e tells the reason without the
 * name; *out is zeroed where there is no such name.
 */
int opener_look(int dirfd, const char *name, struct look *out, struct err *e);

/* A readable descriptor of the regular file that a name leads to; failures as above. */
int opener_open(int dirfd, const char *name, struct err *e);

/*
 * The whole content, with `padding` readable bytes behind it (text->n does not count
 * them). What *text held is released first. *stamp is the state that the content
 * belongs to: it was the same before and after reading; on OPENER_TOO_LARGE and
 * OPENER_CHANGING the last one seen.
 */
int opener_read(int dirfd, const char *name, uint64_t max_bytes, size_t padding,
                struct buf *text, struct stamp *stamp, struct err *e);

/*
 * The same for a file that the operator named: followed wherever its links lead, as
 * any program would. path is absolute or relative to the working directory.
 */
int opener_read_trusted(const char *path, uint64_t max_bytes, size_t padding,
                        struct buf *text, struct stamp *stamp, struct err *e);

#endif
