#include "server/predict/notes.h"

#include <stdlib.h>

#include "core/mem.h"

struct note *notes_get(const struct notes *n, struct view id)
{
    return table_get(&n->by_id, id);
}

void note_unref(struct note *note)
{
    if (--note->refs > 0)
        return;
    lessons_unref(note->lessons);
    run_unref(note->run);
    free(note);
}

struct note *notes_at(struct notes *n, struct view id)
{
    struct note *note = notes_get(n, id);

    if (note)
        return note;
    note = mem_zalloc(sizeof *note + id.n + 1);
    memcpy(note->text, id.p, id.n);
    note->id = (struct view){ note->text, id.n };
    note->refs = 1;
    table_put(&n->by_id, note->id, note);
    return note;
}

static void set_run(struct note *note, const struct run *run)
{
    run_unref(note->run);
    note->run = run;
    note->version++;
}

struct note *notes_run(struct notes *n, struct view id, const struct run *run)
{
    struct note *note = notes_at(n, id);

    set_run(note, run_ref(run));
    if (note->due)
        return note;
    note->due = true;
    note->refs++;
    note->next_due = n->due;
    n->due = note;
    return note;
}

static uint32_t count_of(const struct lessons *l)
{
    return l ? l->count : 0;
}

static bool same(const struct lessons *a, const struct lessons *b)
{
    return a && b ? a->hash[0] == b->hash[0] && a->hash[1] == b->hash[1] : a == b;
}

bool notes_put(struct notes *n, struct note *note, const struct lessons *lessons)
{
    set_run(note, NULL);
    if (same(note->lessons, lessons)) {
        lessons_unref(lessons);
        return false;
    }
    n->lessons += count_of(lessons);
    n->lessons -= count_of(note->lessons);
    lessons_unref(note->lessons);
    note->lessons = lessons;
    return true;
}

void notes_remove(struct notes *n, struct note *note)
{
    notes_put(n, note, NULL);
    note->gone = true;
    table_remove(&n->by_id, note->id);
    note_unref(note);
}

struct note *notes_due(struct notes *n, const struct run **run)
{
    struct note *note;

    while ((note = n->due)) {
        n->due = note->next_due;
        note->due = false;
        if (note->run) {
            *run = note->run;
            note->run = NULL;
            return note;
        }
        note_unref(note);
    }
    return NULL;
}

void notes_deinit(struct notes *n)
{
    const struct run *run;
    struct note *note;

    while ((note = notes_due(n, &run))) {
        run_unref(run);
        note_unref(note);
    }
    for (size_t i = 0; (note = table_next(&n->by_id, &i));)
        note_unref(note);
    table_deinit(&n->by_id);
    *n = (struct notes){ 0 };
}
