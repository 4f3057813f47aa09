#include "server/predict/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

void session_serve(struct session *s, const struct served *served,
                   const struct notes *notes, uint64_t serial)
{
    const struct run **runs = mem_alloc((served->run_count + 1) * sizeof *runs);
    int64_t *mtimes_ns = mem_alloc((served->run_count + 1) * sizeof *mtimes_ns);

    s->lessons = mem_zalloc((served->run_count + 1) * sizeof *s->lessons);
    s->items = mem_alloc((served->run_count + 1) * sizeof *s->items);
    for (size_t i = 0; i < served->run_count; i++) {
        struct note *note = notes_get(notes, served->runs[i]->id);

        runs[i] = run_ref(served->runs[i]);
        mtimes_ns[i] = served->mtimes_ns[i];
        s->items[i] = SIZE_MAX;
        if (note) {
            lecture_add(&s->lecture, note, serial);
            s->items[i] = note->item;
        }
    }
    s->task.served = *served;
    s->task.served.runs = runs;
    s->task.served.mtimes_ns = mtimes_ns;
}

static void show_version(struct session *s)
{
    struct version_shown *shown = &s->task.shown;
    const char *version = outlook_version(s->task.fitted->outlook);

    if (!s->names_anew || strcmp(shown->text, version) == 0)
        return;
    snprintf(shown->text, sizeof shown->text, "%s", version);
    shown->update_s = s->now_s;
}

void session_run(struct session *s)
{
    struct lecture *l = &s->lecture;
    struct segment_scratch scratch = { 0 };
    uint64_t began_ns;

    lecture_run(l);
    s->task.fitted = l->made ? l->made : l->before;
    if (atomic_load(l->stop) || !s->task.fitted || (!s->renders && !l->made))
        return;
    began_ns = uv_hrtime();
    for (size_t i = 0; i < s->task.served.run_count; i++)
        if (s->items[i] != SIZE_MAX)
            s->lessons[i] = l->items[s->items[i]].lessons;
    s->task.lessons = s->lessons;
    show_version(s);
    s->made = sheets_make(&s->task, &scratch);
    segment_scratch_deinit(&scratch); /* half a megabyte, not needed until the next */
    s->render_ns = uv_hrtime() - began_ns;
}

void session_free(struct session *s)
{
    for (size_t i = 0; i < s->task.served.run_count; i++)
        run_unref(s->task.served.runs[i]);
    free((void *)(uintptr_t)s->task.served.runs);      /* made by session_serve(), */
    free((void *)(uintptr_t)s->task.served.mtimes_ns); /* both */
    free(s->lessons);
    free(s->items);
    module_set_unref(s->task.set);
    lecture_deinit(&s->lecture);
    free(s);
}
