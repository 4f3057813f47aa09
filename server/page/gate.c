/*
 * gate.c - the functions of page.so, as the program calls them: the first opens the
 * library, all others pass on.
 *
 * A program without its library serves all that is not for people.
 */
#include "server/page/library.h"

#include <limits.h>

#include "server/library.h"
#include "server/log.h"

static const struct page_library *library; /* the main thread's; NULL: not opened */

static int load(struct err *e)
{
    char path[PATH_MAX + 256];
    const void *found;
    int rc = library_find("page.so", path, sizeof path, e);

    if (rc == 0)
        rc = library_open(path, PAGE_SYMBOL, ENCODE_ABI, "nothing else", &found, e);
    if (rc == 0)
        library = found;
    return rc;
}

int page_new(const struct page_host *h, struct page **out, struct err *e)
{
    *out = NULL;
    if (library || load(e) == 0)
        return library->page_new(h, out, e);
    log_line(LOG_WARN, "there is no page for people", "reason", e->text, NULL);
    return 0;
}

void page_answer(struct page *p, int endpoint, const struct request *rq,
                 struct reply *out)
{
    if (p)
        library->page_answer(p, endpoint, rq, out);
    else
        route_refused(404, "the page is in page.so, which is not installed", NULL, out);
}

void page_stop(struct page *p)
{
    if (p)
        library->page_stop(p);
}

void page_free(struct page *p)
{
    if (p)
        library->page_free(p);
}
