#include "server/sources/files.h"
#include "core/mem.h"
#include "core/utf8.h"
#include "server/log.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct file *files_get(const struct files *t, struct view name)
{
    return table_get(&t->by_name, name);
}

struct file *files_add(struct files *t, struct view name)
{
    struct file *f = mem_zalloc(sizeof *f + name.n + 1);

    memcpy(f->text, name.p, name.n);
    f->name = (struct view){ f->text, name.n };
    f->is_run = name_kind(f->name) == NAME_RUN;
    table_put(&t->by_name, f->name, f);
    return f;
}

static void file_free(struct file *f)
{
    free(f->problem);
    free(f->note);
    free(f);
}

void file_pin(struct file *f)
{
    f->pins++;
}

void file_unpin(struct file *f)
{
    assert(f->pins > 0);
    if (--f->pins == 0 && f->gone)
        file_free(f);
}

void files_remove(struct files *t, struct file *f)
{
    if (f->gone)
        return;
    file_set_ignored(t, f, false);
    file_set_link(t, f, false);
    table_remove(&t->by_name, f->name);
    f->gone = true;
    if (f->pins == 0)
        file_free(f);
}

void files_deinit(struct files *t)
{
    struct file *f;

    for (size_t i = 0; (f = table_next(&t->by_name, &i));)
        file_free(f);
    table_deinit(&t->by_name);
    *t = (struct files){ 0 };
}

void file_set_ignored(struct files *t, struct file *f, bool ignored)
{
    t->ignored += ignored;
    t->ignored -= f->ignored;
    f->ignored = ignored;
}

void file_set_link(struct files *t, struct file *f, bool is_link)
{
    t->links += is_link;
    t->links -= f->is_link;
    f->is_link = is_link;
}

static bool says_something_new(char **said, const char *text)
{
    if (*said && strcmp(*said, text) == 0)
        return false;
    free(*said);
    *said = mem_strdup(text);
    return true;
}

void file_complain(struct file *f, const char *reason, bool served)
{
    struct buf good = { 0 };

    /* A reason may quote what a link says, whatever that is, and be cut off anywhere. */
    utf8_repair(view_of(reason), &good);
    buf_char(&good, '\0');
    if (says_something_new(&f->problem, good.p))
        log_line(LOG_WARN, "results file cannot be read", "file", f->text, "reason",
                 f->problem, "served", served ? "last good content" : "nothing", NULL);
    buf_deinit(&good);
}

void file_well(struct file *f)
{
    if (!f->problem)
        return;
    free(f->problem);
    f->problem = NULL;
    log_line(LOG_INFO, "results file can be read again", "file", f->text, NULL);
}

void file_note(struct file *f, const char *text, uint64_t count)
{
    char others[32];

    if (!says_something_new(&f->note, text))
        return;
    snprintf(others, sizeof others, "%llu", (unsigned long long)count);
    log_line(LOG_WARN, "results file is served without what is wrong in it", "file",
             f->text, "reason", text, "count", others, NULL);
}
