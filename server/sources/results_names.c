/*
 * results_names.c - what lies at a name now.
 *
 * Everything that may have happened to a name ends in that one question: events mark
 * names as touched, a scan compares all of them, and both end in judge(), which tells
 * the store. Touched names are not looked at while a scan is under way, so that a scan
 * never brings older news than an event did.
 */
#include "server/sources/results_inner.h"
#include "core/mem.h"
#include "core/utf8.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    SLICE_ENTRIES = 64,    /* of a scan, applied in one piece */
    LINKS_MAX = 256,       /* so many links are looked at whenever something happens */
    LOOK_ONLY = IN_ACCESS, /* as a touch: nothing is known to have happened */
};

static struct view id_of(const struct file *f)
{
    return name_id(f->name);
}

/* ---- one file ------------------------------------------------------------------------ */

/* There is new content, or content we have not read. */
static void see(struct source_results *s, struct file *f, const struct look *look,
                bool by_event)
{
    bool waits = f->waiting && f->reading;

    if (!f->known || !stamp_eq(&f->stamp, &look->stamp))
        f->rereads = 0;
    if (by_event || f->rereads == 0)
        f->tried = false;
    f->by_event = by_event;
    f->unread = f->racy = false;
    results_wait_no_more(s, f);
    if (waits) { /* the store is still waiting for this very file */
        f->stamp = look->stamp;
        f->again = false;
        store_set_mtime(s->store, id_of(f), look->stamp.mtime_ns);
        reads_add(s->reads, f);
        return;
    }
    store_see(s->store, id_of(f), look->stamp.mtime_ns, !s->listed || f->at_start);
    f->known = true;
    f->stamp = look->stamp;
    f->again = f->reading;
    s->wanted = true;
    results_news(s);
}

/* True: a name that is no run's, and that somebody else reads. */
static bool named(struct source_results *s, const struct file *f, uint32_t mask)
{
    return !f->is_run && s->sink.named && s->sink.named(s->sink.ctx, f->name, mask);
}

void results_drop(struct source_results *s, struct file *f)
{
    struct diff d;

    named(s, f, IN_DELETE);
    results_wait_no_more(s, f);
    if (f->known && store_drop(s->store, id_of(f), &d)) {
        s->sink.changed(s->sink.ctx, &d);
        store_diff_release(&d);
        s->wanted = true;
        results_news(s);
        self_event(s->self, EVENT_REMOVED);
    }
    files_remove(&s->files, f);
}

/* Named like a run, but a directory, a FIFO, a device: left alone. */
static void leave_alone(struct source_results *s, struct file *f, const char *reason)
{
    if (f->irregular)
        return;
    if (f->known) { /* what it was is another file, which may be being read */
        struct file *old = f;

        file_pin(old);
        results_drop(s, old);
        f = files_add(&s->files, old->name);
        f->scan = old->scan;
        file_unpin(old);
    }
    self_fault(s->self, FAULT_UNREADABLE, 1);
    file_complain(f, reason, false);
    f->irregular = true;
    file_set_ignored(&s->files, f, true);
}

/* A good file that nobody is reading got another time, and nothing else. */
static bool touched_only(const struct file *f, const struct stamp *now)
{
    return f->known && !f->failing && !f->reading && !f->unread &&
           f->stamp.dev == now->dev && f->stamp.ino == now->ino &&
           f->stamp.size == now->size && f->stamp.mtime_ns != now->mtime_ns;
}

/* Its state is not known for the moment: reading says more, and a scan comes soon. */
static void look_failed(struct source_results *s, struct file *f, const char *reason,
                        const struct look *look)
{
    struct look last = *look;

    if (f->known)
        last.stamp = f->stamp;
    if (look->is_link)
        file_set_link(&s->files, f, true);
    self_fault(s->self, FAULT_UNREADABLE, 1);
    file_complain(f, reason, store_get(s->store, id_of(f)) != NULL);
    see(s, f, &last, false);
    watch_retry(s->watch);
}

/* What lies at a run's name now. mask: what inotify said, 0: a scan asks. */
static void judge(struct source_results *s, struct file *f, int rc, const char *reason,
                  const struct look *look, uint32_t mask)
{
    const uint32_t fresh = IN_CLOSE_WRITE | IN_MOVED_TO;
    const uint32_t gone = IN_DELETE | IN_MOVED_FROM;

    if (rc == OPENER_GONE) {
        results_drop(s, f);
        return;
    }
    if (rc < 0 && opener_passes(rc)) {
        look_failed(s, f, reason, look);
        return;
    }
    file_set_link(&s->files, f, look->is_link);
    if (!utf8_valid(f->name)) { /* two such names may look the same as labels */
        leave_alone(s, f, "its name is not UTF-8");
        return;
    }
    if (rc == OPENER_NOT_REGULAR) {
        leave_alone(s, f, reason);
        return;
    }
    if (f->irregular) {
        f->irregular = false;
        file_set_ignored(&s->files, f, false);
    }

    if (mask == IN_ATTRIB && touched_only(f, &look->stamp)) {
        f->stamp = look->stamp;
        f->racy = true; /* should a write be behind it, the next scan reads it */
        f->rereads = 0;
        store_set_mtime(s->store, id_of(f), look->stamp.mtime_ns);
        s->wanted = true;
        results_news(s);
        return;
    }

    bool made = mask & IN_CREATE && (look->is_link || look->links > 1);
    bool forced = mask & fresh || made || (mask & IN_ATTRIB && f->failing);
    bool looked = mask == LOOK_ONLY && look->is_link;
    bool differs = !f->known || !stamp_eq(&f->stamp, &look->stamp);

    if (mask && !forced && differs && !looked && (!f->known || mask & gone)) {
        /* Made, and in its writer's hands: the close will come. What had the name
         * before is gone. */
        results_drop(s, f);
        return;
    }

    bool doubtful = !mask && ((f->racy && f->rereads < 2) || f->unread);

    if (mask && !forced && !(differs && look->is_link))
        return;
    if (!forced && !differs && !doubtful)
        return;
    if (forced || differs) {
        if (s->scanned)
            self_event(s->self, EVENT_CHANGED);
    } else {
        f->rereads++;
    }
    see(s, f, look, mask != 0);
}

/* ---- touched names ------------------------------------------------------------------- */

void results_touch(struct source_results *s, struct file *f, uint32_t mask)
{
    if (mask & (IN_DELETE | IN_MOVED_FROM))
        f->mask = 0; /* what came before was about something else */
    f->mask |= mask;
    if (f->touched)
        return;
    f->touched = true;
    f->next_touched = NULL;
    *s->touched_end = f;
    s->touched_end = &f->next_touched;
    file_pin(f);
}

/* Links whose target was written anew cause no event of their own name. */
void results_touch_links(struct source_results *s)
{
    struct file *f;

    if (s->files.links == 0 || s->files.links > LINKS_MAX)
        return;
    for (size_t i = 0; (f = table_next(&s->files.by_name, &i));)
        if (f->is_link && !f->touched)
            results_touch(s, f, LOOK_ONLY);
}

static bool open_dir(struct source_results *s)
{
    if (s->dirfd < 0 && !s->dir_error) {
        s->dirfd = open(s->dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
        s->dir_error = s->dirfd < 0 ? errno : 0;
    }
    return s->dirfd >= 0;
}

void results_look_at_next(struct source_results *s)
{
    struct file *f = s->touched;
    uint32_t mask = f->mask;

    s->touched = f->next_touched;
    if (!s->touched)
        s->touched_end = &s->touched;
    f->touched = false;
    f->mask = 0;
    if (f->gone) {
        ;
    } else if (!open_dir(s)) {
        /* The directory went meanwhile. Removals were seen; the rest has to wait. */
        f->unread = true;
        if (s->dir_error != ENOENT && s->dir_error != ENOTDIR)
            watch_retry(s->watch); /* no event tells when it passes */
        if ((mask & (IN_DELETE | IN_MOVED_FROM) &&
             !(mask & (IN_MOVED_TO | IN_CREATE))) ||
            (!f->known && !f->ignored))
            results_drop(s, f);
    } else if (!f->is_run) {
        struct stat st;

        if (fstatat(s->dirfd, f->text, &st, AT_SYMLINK_NOFOLLOW) == 0)
            file_set_ignored(&s->files, f, !named(s, f, mask));
        else
            results_drop(s, f);
    } else {
        struct look look;
        struct err e = { 0 };
        int rc = opener_look(s->dirfd, f->text, &look, &e);

        judge(s, f, rc, e.text, &look, mask);
    }
    file_unpin(f);
}

/* ---- scans --------------------------------------------------------------------------- */

static void on_scan(uv_work_t *work)
{
    struct source_results *s = work->data;

    s->scan_rc = scan_read(s->dir, &s->scan, &s->scan_error);
}

static void on_scanned(uv_work_t *work, int status)
{
    struct source_results *s = work->data;

    assert(status == 0); /* nobody cancels */
    s->scanning = false;
    s->applying = true;
    s->apply_at = 0;
    if (s->closing)
        results_part_over(s);
    else
        results_kick(s);
}

void results_scan_begin(struct source_results *s)
{
    if (s->scans && !s->scan_tick)
        self_event(s->self, EVENT_RESCAN);
    s->scan_due = s->scan_tick = false;
    s->scanning = true;
    s->scans++;
    s->open++;
    s->scan_work.data = s;

    int rc = uv_queue_work(s->idle.loop, &s->scan_work, on_scan, on_scanned);

    assert(rc == 0); /* its only error is a missing function */
}

static void scan_over(struct source_results *s)
{
    scan_deinit(&s->scan);
    free(s->lost);
    s->lost = NULL;
    s->applying = false;
    s->scanned = s->scans;
    /* A scan that failed for a moment has not told what was there at the start. */
    if (s->scan_rc == 0 || s->scan_rc == -ENOENT || s->scan_rc == -ENOTDIR)
        s->listed = true;
    s->open--;
    if (s->scanned == 1)
        results_news(s);
}

static void find_lost(struct source_results *s)
{
    struct file *f;

    s->lost_count = 0;
    s->lost = mem_alloc(s->files.by_name.count * sizeof(struct file *));
    for (size_t i = 0; (f = table_next(&s->files.by_name, &i));)
        if (f->scan != s->scans && !f->touched) {
            file_pin(f);
            s->lost[s->lost_count++] = f;
        }
}

static void apply_entry(struct source_results *s, const struct scan_entry *e)
{
    struct file *f = files_get(&s->files, e->name);

    if (!f)
        f = files_add(&s->files, e->name);
    f->scan = s->scans;
    f->at_start = !s->listed;
    if (f->touched) /* will be looked at, later than the scan did */
        return;
    if (e->kind == NAME_RUN)
        judge(s, f, e->rc, e->reason, &e->look, 0);
    else
        file_set_ignored(&s->files, f, !named(s, f, 0));
}

/* A piece of the scan that is over on the pool. */
void results_scan_apply(struct source_results *s)
{
    if (s->scan_rc < 0) {
        if (s->watch_rc == 0) {
            results_set_state(s, s->scan_rc, s->scan_error.text);
            watch_retry(s->watch);
        }
        scan_over(s);
        return;
    }
    if (s->apply_at == 0 && s->watch_rc == 0)
        results_set_state(s, 0, "");
    for (int i = 0; i < SLICE_ENTRIES; i++) {
        if (s->apply_at < s->scan.count) {
            apply_entry(s, &s->scan.entries[s->apply_at++]);
            continue;
        }
        if (!s->lost)
            find_lost(s);

        size_t at = s->apply_at++ - s->scan.count;

        if (at == s->lost_count) {
            scan_over(s);
            return;
        }
        /* What an event touched meanwhile may be there again, and will be looked at. */
        if (!s->lost[at]->gone && !s->lost[at]->touched)
            results_drop(s, s->lost[at]);
        file_unpin(s->lost[at]);
    }
}

void results_names_deinit(struct source_results *s)
{
    while (s->touched) {
        struct file *f = s->touched;

        s->touched = f->next_touched;
        file_unpin(f);
    }
    if (s->lost)
        for (size_t i = s->apply_at - s->scan.count; i < s->lost_count; i++)
            file_unpin(s->lost[i]);
    free(s->lost);
    scan_deinit(&s->scan);
}
