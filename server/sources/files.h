/*
 * files.h - the names in the results directory, and what we know of each.
 *
 * A file that is gone may still stand in a queue or be read on the pool: whoever keeps
 * a pointer pins it. Loop thread only.
 */
#ifndef SERVER_SOURCES_FILES_H
#define SERVER_SOURCES_FILES_H

#include "core/table.h"
#include "server/sources/scan.h"

struct file {
    struct file *next_touched, *next_waiting;
    struct view name;     /* NUL-terminated */
    struct stamp stamp;   /* of what we know; valid if known */
    uint64_t scan;        /* the last scan that found it */
    uint64_t due_ns;      /* waiting: until then, uv_hrtime() */
    uint64_t trouble_ns;  /* uv_hrtime() of the first bad read in a row; 0: none */
    char *problem, *note; /* what the log said last; NULL: nothing */
    uint32_t pins;
    uint32_t mask;   /* touched: what inotify said of it */
    uint8_t fault;   /* failing: enum fault */
    uint8_t rereads; /* of the same stamp, because it may hide a change */
    bool is_run;     /* by its name */
    bool gone;       /* not in the table any more */
    bool known;      /* the store knows it */
    bool ignored;    /* counts as ignored */
    bool irregular;  /* named like a run, but no regular file */
    bool is_link;
    bool touched;  /* in the list of those to look at */
    bool by_event; /* the content is new by an event, not by a scan */
    bool reading;  /* queued or being read */
    bool again;    /* changed since the read began */
    bool waiting;  /* a bad read that is tried once more at due_ns */
    bool tried;    /* it was tried once more already */
    bool lesson;   /* waiting: for its lessons alone */
    bool listed;   /* in the list of waiting ones; it may be there in vain */
    bool failing;  /* the last read was bad */
    bool unread;   /* was not read for a reason that may have passed */
    bool at_start; /* the first whole scan found it */
    bool racy;     /* so young when read that its times may hide a change */
    char text[];
};

struct files { /* zero-initialised: empty */
    struct table by_name;
    uint64_t ignored, links;
};

struct file *files_get(const struct files *t, struct view name); /* NULL: unknown */
struct file *files_add(struct files *t, struct view name);       /* must be unknown */

/* Out of the table; freed with its last pin. */
void files_remove(struct files *t, struct file *f);
void files_deinit(struct files *t); /* nothing may be pinned any more */

void file_pin(struct file *f);
void file_unpin(struct file *f);

void file_set_ignored(struct files *t, struct file *f, bool ignored);
void file_set_link(struct files *t, struct file *f, bool is_link);

/*
 * One log line for a problem, unless it was the last thing said. served: of this file
 * something is served all the same.
 */
void file_complain(struct file *f, const char *reason, bool served);

/* What was wrong before is not any more: one line, if there had been one. */
void file_well(struct file *f);

/* Parts of a file that is served; count: of them. */
void file_note(struct file *f, const char *text, uint64_t count);

#endif
