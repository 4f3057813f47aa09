/*
 * reader.h - a batch of results files, read and parsed on whatever thread.
 *
 * A job owns its input and carries its output back, so it may run on the pool while
 * the loop goes on.
 */
#ifndef SERVER_SOURCES_READER_H
#define SERVER_SOURCES_READER_H

#include "core/results.h"
#include "server/sources/opener.h"

enum { READER_BATCH_MAX = 32 };

/* What is made of a run where nobody wants the run itself. Any thread. */
struct read_digest {
    const void *(*make)(const struct run *run); /* NULL is one, too */
    void (*drop)(const void *digest);           /* NULL is accepted */
};

struct read_item {
    void *owner;              /* the caller's; not touched */
    char name[256];           /* in the directory */
    const struct run *before; /* one reference, or NULL */

    int rc;                       /* of opener_read() */
    enum results_verdict verdict; /* if rc is 0 */
    struct err e;                 /* if either is not good */
    const struct run *run;        /* if both are; one reference. NULL with a digest */
    const void *digest;           /* of it, where the job makes them; owned */
    uint32_t count;               /* of its scenarios */
    struct results_notes notes;
    struct stamp stamp; /* of what was read, as far as it came */
    int64_t read_ns;    /* Unix time just before */
};

/* A parser and a buffer: one thread at a time, then back for the next job. */
struct reader_tools {
    struct reader_tools *next; /* for whoever keeps a list */
    struct results_parser *parser;
    struct buf text;
    bool bulky; /* worth giving back rather than keeping */
};

struct reader_tools *reader_tools_new(void);
void reader_tools_free(struct reader_tools *t); /* NULL is accepted */

struct read_job {
    const char *dir; /* borrowed */
    uint64_t max_bytes, max_scenarios;
    struct reader_tools *tools;
    const struct read_digest *digest; /* NULL: runs are wanted */
    size_t count;
    struct read_item items[];
};

/* Items are zeroed; count <= READER_BATCH_MAX. */
struct read_job *read_job_new(size_t count);
void read_job_run(struct read_job *job);

/* With the references and digests that are still in it; tools stay the caller's. */
void read_job_free(struct read_job *job);

#endif
