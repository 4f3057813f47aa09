#include "server/strand.h"

#include <assert.h>
#include <stdlib.h>

#include "core/mem.h"

void strand_unref(struct strand *s)
{
    if (!s || --s->refs > 0)
        return;
    for (uint32_t i = 0; i < s->count; i++)
        slab_unref(s->pieces[i].slab);
    free(s);
}

/* Fills pieces[], which may be NULL: only to count. Returns their number. */
static uint32_t gather_pieces(struct body *b, enum body_format f,
                              struct strand_piece *pieces)
{
    struct strand_piece last = { 0 };
    uint32_t count = 0;

    for (uint32_t i = 0, n = body_pieces(b, f); i < n; i++) {
        const struct chunk *c = body_piece(b, f, i);

        if (count > 0 && c->slab == last.slab && c->z == last.p + last.n) {
            last.n += c->zn;
        } else {
            last = (struct strand_piece){ c->z, c->zn, c->slab };
            count++;
        }
        if (pieces)
            pieces[count - 1] = last;
    }
    return count;
}

struct strand *body_strand(struct body *b, enum body_format f)
{
    struct body_form *form = &b->form[f];

    assert(form->prepared);
    if (!form->strand) {
        uint32_t count = gather_pieces(b, f, NULL);
        struct strand *s = mem_alloc(sizeof *s + count * sizeof *s->pieces);

        s->refs = 1;
        s->count = count;
        gather_pieces(b, f, s->pieces);
        for (uint32_t i = 0; i < count; i++)
            slab_ref(s->pieces[i].slab);
        form->strand = s;
    }
    form->strand->refs++;
    return form->strand;
}

void body_strands_release(struct body *b)
{
    for (size_t f = 0; f < BODY_FORMATS; f++) {
        strand_unref(b->form[f].strand);
        b->form[f].strand = NULL;
    }
}
