/*
 * chain.h - inotify watches on every directory that a path leads through.
 *
 * A path is looked up step by step, through symbolic links, and each directory that
 * takes part is watched before its next component is looked at: whatever changes the
 * meaning of the path afterwards causes an event. Loop thread only.
 */
#ifndef SERVER_SOURCES_CHAIN_H
#define SERVER_SOURCES_CHAIN_H

#include "core/err.h"
#include "core/view.h"

#include <stdint.h>
#include <inotifytools/inotify.h>

enum chain_goal {
    CHAIN_DIRECTORY, /* watch what happens to the names in it */
    CHAIN_FILE,      /* watch this one name and what its links lead to */
};

struct chain;

/* inotify stays the caller's. A relative path begins at the working directory. */
struct chain *chain_new(int inotify, const char *path, enum chain_goal goal);
void chain_free(struct chain *c); /* the watches end with the inotify descriptor */

struct chain_state {
    bool moved;   /* the directory is not the one it was, or watched anew */
    bool blind;   /* something on the way may not be watched: look again later */
    bool network; /* the last directory reached lies on a file system whose changes
                        by others cause no events */
};

/*
 * Looks the path up and arms the watches. -ENOENT, -ENOTDIR, -EISDIR, -EACCES, -ELOOP …:
 * the path leads to no directory (file) now, e says where it ends; the way up to there
 * is watched. -ENOSPC, -ENOMEM: the system gives no more watches.
 */
int chain_resolve(struct chain *c, struct chain_state *out, struct err *e);

enum {
    CHAIN_NAME = 1, /* something happened to a name in the directory; to the file */
    CHAIN_PATH = 2, /* the path may lead elsewhere now: chain_resolve() */
};
unsigned chain_judge(struct chain *c, const struct inotify_event *event);

/* True for file systems that other hosts (or a user-space process) may change without
 * an event here: NFS, SMB, FUSE, 9p, AFS, Ceph, Lustre … type: f_type of statfs(2). */
bool chain_is_network(uint64_t type);

#endif
