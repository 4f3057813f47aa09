#include "server/layout.h"

#include "core/mem.h"

#include <stdlib.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

enum {
    TARGET = 256, /* scenarios of a segment */
    LARGE = 64,   /* a run of so many has segments of its own */
    MOST = 384,   /* of a segment of small runs */
    BORDER = 192, /* one small run in 192 / (its scenarios) begins a segment */
};

static void add_piece(struct layout *l, const struct piece *piece, bool border)
{
    if (l->piece_count == l->piece_cap) {
        l->piece_cap = l->piece_cap ? l->piece_cap * 2 : 64;
        l->pieces = mem_resize(l->pieces, l->piece_cap, sizeof *l->pieces);
    }
    if (border) {
        if (l->span_count == l->span_cap) {
            l->span_cap = l->span_cap ? l->span_cap * 2 : 64;
            l->spans = mem_resize(l->spans, l->span_cap, sizeof *l->spans);
        }
        l->spans[l->span_count++] = (struct span){ l->piece_count, 0 };
    }
    l->pieces[l->piece_count++] = *piece;
    l->spans[l->span_count - 1].count++;
}

void layout_make(struct layout *l, const struct served *served)
{
    uint32_t open = 0; /* scenarios of the segment that small runs may still join */

    l->piece_count = l->span_count = 0;
    for (size_t i = 0; i < served->run_count; i++) {
        const struct run *run = served->runs[i];
        struct piece piece = { run, 0, run->count, served->mtimes_ns[i] };

        if (run->count >= LARGE) {
            for (; piece.first < run->count; piece.first += TARGET) {
                uint32_t left = run->count - piece.first;

                piece.count = left < TARGET ? left : TARGET;
                add_piece(l, &piece, true);
            }
            open = 0;
        } else if (run->count > 0) {
            bool border = open == 0 || open + run->count > MOST ||
                          XXH3_64bits(run->id.p, run->id.n) % BORDER < run->count;

            add_piece(l, &piece, border);
            open = (border ? 0 : open) + run->count;
        }
    }
}

void layout_deinit(struct layout *l)
{
    free(l->pieces);
    free(l->spans);
    *l = (struct layout){ 0 };
}
