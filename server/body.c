#include "server/body.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "core/mem.h"
#include "server/strand.h"

/* Bodies up to JOIN_BYTES in more than JOIN_CHUNKS pieces are joined: beyond, copying
 * and compressing anew cost more than the pieces do. */
enum { JOIN_BYTES = 256 * 1024, JOIN_CHUNKS = 3 };

static atomic_size_t text_bytes;

/* ---- chunks ------------------------------------------------------------------------- */

static void hash_of(struct view text, uint64_t hash[2])
{
    XXH128_hash_t h = XXH3_128bits(text.n ? text.p : "", text.n);

    hash[0] = h.low64;
    hash[1] = h.high64;
}

static char *new_text(size_t n)
{
    atomic_fetch_add_explicit(&text_bytes, n, memory_order_relaxed);
    return mem_alloc(n);
}

size_t chunk_text_bytes(void)
{
    return atomic_load_explicit(&text_bytes, memory_order_relaxed);
}

size_t chunk_kept_bytes(void)
{
    return chunk_text_bytes() + slab_bytes();
}

static struct chunk *new_chunk(struct view text)
{
    struct chunk *c = mem_zalloc(sizeof *c);

    assert(text.n <= UINT32_MAX && (text.p || text.n == 0));
    c->refs = 1;
    c->n = (uint32_t)text.n;
    hash_of(text, c->hash);
    return c;
}

struct chunk *chunk_new(struct view text)
{
    struct chunk *c = new_chunk(text);

    c->text = new_text(text.n);
    if (text.n)
        memcpy(c->text, text.p, text.n);
    return c;
}

static void leave_slab(struct chunk *c)
{
    if (!c->slab)
        return;
    c->slab->used -= c->zn;
    slab_unref(c->slab);
}

static void lay(struct chunk *c, const char *block, struct slab *s, uint32_t at)
{
    assert(at + c->zn <= s->n);
    memcpy(s->p + at, block, c->zn);
    s->used += c->zn;
    leave_slab(c);
    c->slab = slab_ref(s);
    c->z = s->p + at;
}

void chunk_move(struct chunk *c, struct slab *s, uint32_t at)
{
    lay(c, c->z, s, at);
}

void chunk_move_alone(struct chunk *c)
{
    struct slab *s;

    if (!c->slab || c->slab->n == c->zn)
        return;
    s = slab_new(c->zn);
    chunk_move(c, s, 0);
    slab_unref(s);
}

/* Appends the block to out; says of c what is known of it. */
static void deflate_to(struct chunk *c, struct view text, struct gzip *g,
                       struct buf *out)
{
    size_t before = out->n;

    gzip_block(g, text, out);
    c->zn = (uint32_t)(out->n - before);
    c->crc = gzip_crc(text);
    c->join_op = gzip_join_op(c->n);
}

static void make_block(struct chunk *c, struct view text, struct gzip *g)
{
    struct buf block = { 0 };
    struct slab *s;

    deflate_to(c, text, g, &block);
    s = slab_new(block.n);
    lay(c, block.p, s, 0);
    slab_unref(s);
    buf_deinit(&block);
}

struct chunk *chunk_new_deflated(struct view text, struct gzip *g)
{
    struct chunk *c = new_chunk(text);

    make_block(c, text, g);
    return c;
}

struct chunk *chunk_new_shelved(struct view text, struct gzip *g, struct shelf *shelf)
{
    struct chunk *c = new_chunk(text);

    if (shelf->count == shelf->cap) {
        shelf->cap = shelf->cap ? shelf->cap * 2 : 64;
        shelf->chunks = mem_resize(shelf->chunks, shelf->cap, sizeof(struct chunk *));
    }
    shelf->chunks[shelf->count++] = c;
    deflate_to(c, text, g, &shelf->blocks);
    return c;
}

void shelf_clear(struct shelf *shelf)
{
    struct slab *s;
    uint32_t at = 0;

    if (shelf->count == 0)
        return;
    s = slab_new(shelf->blocks.n);
    for (size_t i = 0; i < shelf->count; i++) {
        lay(shelf->chunks[i], shelf->blocks.p + at, s, at);
        at += shelf->chunks[i]->zn;
    }
    slab_unref(s);
    buf_release(&shelf->blocks);
    shelf->count = 0;
}

void shelf_deinit(struct shelf *shelf)
{
    assert(shelf->count == 0);
    buf_deinit(&shelf->blocks);
    free(shelf->chunks);
    *shelf = (struct shelf){ 0 };
}

struct chunk *chunk_ref(struct chunk *c)
{
    c->refs++;
    return c;
}

static void free_text(struct chunk *c)
{
    if (!c->text)
        return;
    atomic_fetch_sub_explicit(&text_bytes, c->n, memory_order_relaxed);
    free(c->text);
    c->text = NULL;
}

void chunk_unref(struct chunk *c)
{
    if (!c || --c->refs > 0)
        return;
    free_text(c);
    leave_slab(c);
    chunk_unref(c->alt);
    free(c);
}

void chunk_set_alt(struct chunk *c, struct chunk *alt)
{
    assert(!c->alt);
    c->alt = alt;
}

bool chunk_is(const struct chunk *c, struct view text)
{
    uint64_t hash[2];

    if (c->n != text.n)
        return false;
    hash_of(text, hash);
    return c->hash[0] == hash[0] && c->hash[1] == hash[1];
}

bool chunk_same(const struct chunk *a, const struct chunk *b)
{
    if (a == b)
        return true;
    if (a->n != b->n || a->hash[0] != b->hash[0] || a->hash[1] != b->hash[1] ||
        !a->alt != !b->alt)
        return false;
    return !a->alt || chunk_same(a->alt, b->alt);
}

void chunk_deflate(struct chunk *c, struct gzip *g)
{
    if (c->alt)
        chunk_deflate(c->alt, g);
    if (!c->z)
        make_block(c, (struct view){ c->text, c->n }, g);
}

void chunk_drop_text(struct chunk *c)
{
    if (c->z)
        free_text(c);
}

void chunk_restore_text(struct chunk *c, struct gzip *g)
{
    if (c->text)
        return;
    c->text = new_text(c->n);

    bool good = gzip_text(g, (struct view){ c->z, c->zn }, c->text, c->n);

    assert(good); /* we made the block ourselves */
    (void)good;
}

/* ---- bodies ------------------------------------------------------------------------- */

struct body *body_new(void)
{
    static uint64_t generation;
    struct body *b = mem_zalloc(sizeof *b);

    b->refs = 1;
    b->generation = ++generation;
    return b;
}

struct body *body_ref(struct body *b)
{
    b->refs++;
    return b;
}

void body_unref(struct body *b)
{
    if (!b || --b->refs > 0)
        return;
    for (uint32_t i = 0; i < b->chunk_count; i++)
        chunk_unref(b->chunks[i]);
    for (size_t f = 0; f < BODY_FORMATS; f++)
        chunk_unref(b->form[f].joined);
    body_strands_release(b);
    free(b->chunks);
    free(b->families);
    free(b);
}

void body_family(struct body *b, const char *name)
{
    if (b->family_count == b->family_cap) {
        b->family_cap = b->family_cap ? b->family_cap * 2 : 16;
        b->families = mem_resize(b->families, b->family_cap, sizeof *b->families);
    }
    b->families[b->family_count++] =
        (struct body_family){ .name = name, .first = b->chunk_count };
}

void body_add(struct body *b, struct chunk *c)
{
    assert(b->family_count > 0);
    if (b->chunk_count == b->chunk_cap) {
        b->chunk_cap = b->chunk_cap ? b->chunk_cap * 2 : 32;
        b->chunks = mem_resize(b->chunks, b->chunk_cap, sizeof(struct chunk *));
    }
    b->chunks[b->chunk_count++] = c;
    b->families[b->family_count - 1].count++;
    b->form[BODY_TEXT].bytes += c->n;
    b->form[BODY_OPENMETRICS].bytes += c->alt ? c->alt->n : c->n;
}

/* Of a block, its share of the slab, which is there for all that have blocks in it. */
static size_t block_bytes(const struct chunk *c)
{
    return c->slab ? (size_t)((uint64_t)c->slab->n * c->zn / c->slab->used) : 0;
}

static size_t kept_bytes(const struct chunk *c)
{
    return c ? (c->text ? c->n : 0) + block_bytes(c) + kept_bytes(c->alt) : 0;
}

size_t body_kept_bytes(const struct body *b)
{
    size_t n = 0;

    for (uint32_t i = 0; i < b->chunk_count; i++)
        n += kept_bytes(b->chunks[i]);
    for (size_t f = 0; f < BODY_FORMATS; f++)
        n += kept_bytes(b->form[f].joined);
    return n;
}

static bool among(struct view name, const struct view names[], size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (view_eq(name, names[i]))
            return true;
    return false;
}

struct body *body_select(const struct body *b, const struct view names[], size_t count)
{
    struct body *out = body_new();

    for (uint32_t i = 0; i < b->family_count; i++) {
        const struct body_family *f = &b->families[i];

        if (!among(view_of(f->name), names, count))
            continue;
        body_family(out, f->name);
        for (uint32_t k = 0; k < f->count; k++)
            body_add(out, chunk_ref(b->chunks[f->first + k]));
    }
    return out;
}

bool body_same(const struct body *a, const struct body *b)
{
    if (body_bytes(a) != body_bytes(b) || a->chunk_count != b->chunk_count)
        return false;
    for (size_t i = 0; i < a->chunk_count; i++)
        if (!chunk_same(a->chunks[i], b->chunks[i]))
            return false;
    return true;
}

struct body *body_eof(void)
{
    static struct body *eof;

    if (!eof) {
        eof = body_new();
        body_family(eof, "");
        body_add(eof, chunk_new(VIEW("# EOF\n")));
    }
    return body_ref(eof);
}

/* ---- what answers send ---------------------------------------------------------------- */

static struct chunk *chunk_at(const struct body *b, enum body_format f, uint32_t i)
{
    struct chunk *c = b->chunks[i];

    return f == BODY_OPENMETRICS && c->alt ? c->alt : c;
}

static bool all_text(const struct body *b, enum body_format f)
{
    for (uint32_t i = 0; i < b->chunk_count; i++)
        if (!chunk_at(b, f, i)->text)
            return false;
    return true;
}

bool body_is_small(const struct body *b, enum body_format f)
{
    return b->chunk_count > JOIN_CHUNKS && b->form[f].bytes <= JOIN_BYTES;
}

static void join(struct body *b, enum body_format f)
{
    struct body_form *form = &b->form[f];

    if (form->settled)
        return;
    form->settled = true;
    if (!body_is_small(b, f) || !all_text(b, f))
        return;

    struct chunk *c = mem_zalloc(sizeof *c);

    c->refs = 1;
    c->text = new_text(form->bytes);
    for (uint32_t i = 0; i < b->chunk_count; i++) {
        const struct chunk *part = chunk_at(b, f, i);

        memcpy(c->text + c->n, part->text, part->n);
        c->n += part->n;
    }
    form->joined = c;
}

void body_prepare(struct body *b, enum body_format f, struct gzip *g)
{
    struct body_form *form = &b->form[f];

    if (form->prepared)
        return;
    join(b, f);
    for (uint32_t i = 0, n = body_pieces(b, f); i < n; i++) {
        struct chunk *c = form->joined ? form->joined : chunk_at(b, f, i);

        chunk_deflate(c, g);
        form->crc = gzip_join(form->crc, c->crc, c->join_op);
        form->zbytes += c->zn;
    }
    form->join_op = gzip_join_op(form->bytes);
    form->prepared = true;
}

uint32_t body_pieces(struct body *b, enum body_format f)
{
    join(b, f);
    return b->form[f].joined ? 1 : b->chunk_count;
}

const struct chunk *body_piece(const struct body *b, enum body_format f, uint32_t i)
{
    return b->form[f].joined ? b->form[f].joined : chunk_at(b, f, i);
}
