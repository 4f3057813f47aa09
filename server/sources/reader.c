#include "server/sources/reader.h"
#include "core/mem.h"
#include "server/sources/scan.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* A file above this is rare enough for its memory to be given back afterwards. */
enum { KEEP_BYTES = 1 << 20 };

struct reader_tools *reader_tools_new(void)
{
    struct reader_tools *t = mem_zalloc(sizeof *t);

    t->parser = results_parser_new();
    return t;
}

void reader_tools_free(struct reader_tools *t)
{
    if (!t)
        return;
    results_parser_free(t->parser);
    buf_deinit(&t->text);
    free(t);
}

struct read_job *read_job_new(size_t count)
{
    struct read_job *job = mem_zalloc(sizeof *job + count * sizeof job->items[0]);

    job->count = count;
    return job;
}

void read_job_free(struct read_job *job)
{
    for (size_t i = 0; i < job->count; i++) {
        run_unref(job->items[i].before);
        run_unref(job->items[i].run);
        if (job->digest)
            job->digest->drop(job->items[i].digest);
    }
    free(job);
}

static void read_one(const struct read_job *job, int dirfd, struct read_item *item)
{
    struct reader_tools *t = job->tools;
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    item->read_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
    item->rc = opener_read(dirfd, item->name, job->max_bytes, RESULTS_PADDING, &t->text,
                           &item->stamp, &item->e);
    t->bulky = t->bulky || t->text.cap > KEEP_BYTES;
    if (item->rc < 0)
        return;
    item->verdict = results_parse(
        t->parser, buf_as_view(&t->text), name_id(view_of(item->name)), item->before,
        job->max_scenarios, &item->run, &item->notes, &item->e);
    if (item->verdict != RESULTS_OK)
        return;
    item->count = item->run->count;
    if (!job->digest)
        return;
    item->digest = job->digest->make(item->run);
    run_unref(item->run);
    item->run = NULL;
}

void read_job_run(struct read_job *job)
{
    int dirfd = open(job->dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int code = errno;

    for (size_t i = 0; i < job->count; i++) {
        struct read_item *item = &job->items[i];

        if (dirfd < 0) /* the directory went; its names did not go one by one */
            item->rc = err_set(&item->e, code == ENOENT ? OPENER_CHANGING : -code,
                               "%s: %s", job->dir, strerrordesc_np(code));
        else
            read_one(job, dirfd, item);
    }
    if (dirfd >= 0)
        close(dirfd);
    if (job->tools->bulky) {
        /* Here, on the pool: giving back the pages of a large file takes milliseconds. */
        struct reader_tools *t = job->tools;

        buf_deinit(&t->text);
        results_parser_free(t->parser);
        t->parser = results_parser_new();
        t->bulky = false;
    }
}
