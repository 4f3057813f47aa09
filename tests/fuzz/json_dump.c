/*
 * json_dump.c - what our readers make of JSON texts, for differential.py to compare.
 *
 * stdin: any number of texts, each behind its length in bytes and a line feed. stdout:
 * three lines for each,
 *
 *   tree     json_parse(): the value, or "refused" with the code and the reason
 *   pieces   the same put together from json_split() and json_parse_piece(), as the
 *            results parser does it
 *   results  the verdict of results_parse(): ok, shape, large, json
 *
 * A value is null, true, false, sHEX (a text, its UTF-8 bytes), nHEX (the 64 bits of a
 * double), bad (no finite number), [a,b], {sHEX:a,sHEX:b}. Of the members of one key the
 * last is shown; members are in the order of the bytes of their keys.
 */
#include "core/json.h"
#include "core/mem.h"
#include "core/results.h"
#include "core/utf8.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static void dump_text(struct view v, struct buf *out)
{
    buf_char(out, 's');
    for (size_t i = 0; i < v.n; i++)
        buf_fmt(out, "%02x", (unsigned char)v.p[i]);
}

static int by_key(const void *a, const void *b)
{
    const struct json_member *x = a, *y = b;
    int order = view_cmp(x->key, y->key);

    /* Of equal keys the one that stands first, which is not shown. */
    return order ? order : x->value.offset < y->value.offset ? -1 : 1;
}

static void dump(const struct json_value *v, struct buf *out);

static void dump_members(const struct json_member from[], size_t n, struct buf *out)
{
    struct json_member *sorted = mem_alloc((n + 1) * sizeof *sorted);
    bool first = true;

    if (n)
        memcpy(sorted, from, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, by_key);
    buf_char(out, '{');
    for (size_t i = 0; i < n; i++) {
        if (i + 1 < n && view_eq(sorted[i].key, sorted[i + 1].key))
            continue;
        if (!first)
            buf_char(out, ',');
        first = false;
        dump_text(sorted[i].key, out);
        buf_char(out, ':');
        dump(&sorted[i].value, out);
    }
    buf_char(out, '}');
    free(sorted);
}

static void dump(const struct json_value *v, struct buf *out)
{
    uint64_t bits;

    switch (v->type) {
    case JSON_NULL:
        buf_str(out, "null");
        break;
    case JSON_BOOL:
        buf_str(out, v->boolean ? "true" : "false");
        break;
    case JSON_NUMBER:
        memcpy(&bits, &v->number, sizeof bits);
        buf_fmt(out, "n%016" PRIx64, bits);
        break;
    case JSON_BAD:
        buf_str(out, "bad");
        break;
    case JSON_STRING:
        dump_text(json_text(v), out);
        break;
    case JSON_ARRAY:
        buf_char(out, '[');
        for (uint32_t i = 0; i < v->n; i++) {
            if (i)
                buf_char(out, ',');
            dump(&v->items[i], out);
        }
        buf_char(out, ']');
        break;
    case JSON_OBJECT:
        dump_members(v->members, v->n, out);
        break;
    }
}

static void dump_refusal(const struct err *e, struct buf *out)
{
    const char *code = e->code == -EILSEQ  ? "text"
                       : e->code == -E2BIG ? "large"
                                           : "json";

    buf_fmt(out, "refused %s %s", code, e->text);
}

static void dump_tree(struct json_parser *p, struct view text, struct buf *out)
{
    const struct json_value *v;
    struct arena mem = { 0 };
    struct err e = { 0 };

    if (json_parse(p, text, &mem, &v, &e) < 0)
        dump_refusal(&e, out);
    else
        dump(v, out);
    arena_deinit(&mem);
}

/* One piece of text as a value; depth: brackets already open around it. */
static int read_piece(struct json_parser *p, struct view text, struct view piece,
                      unsigned depth, struct arena *mem, struct json_value *to,
                      struct err *e)
{
    const struct json_value *v;
    int rc = json_parse_piece(p, text, piece, JSON_DEPTH_MAX - depth, mem, &v, e);

    if (rc == 0)
        *to = *v;
    return rc;
}

/* The elements of the list, as one array. */
static int read_items(struct json_parser *p, struct view text,
                      const struct json_parts *parts, unsigned depth, struct arena *mem,
                      struct json_value *to, struct err *e)
{
    *to = (struct json_value){ .type = JSON_ARRAY, .n = (uint32_t)parts->item_count };
    to->items = arena_new(mem, struct json_value, parts->item_count);
    for (size_t i = 0; i < parts->item_count; i++) {
        int rc = read_piece(p, text, parts->items[i], depth, mem, &to->items[i], e);

        if (rc < 0)
            return rc;
    }
    return 0;
}

static int read_members(struct json_parser *p, struct view text,
                        const struct json_parts *parts, struct arena *mem,
                        struct json_value *to, struct err *e)
{
    size_t last = SIZE_MAX;

    *to =
        (struct json_value){ .type = JSON_OBJECT, .n = (uint32_t)parts->member_count };
    to->members = arena_new(mem, struct json_member, parts->member_count);
    for (size_t i = 0; i < parts->member_count; i++)
        if (view_eq(parts->members[i].key, VIEW("scenarios")))
            last = i;
    for (size_t i = 0; i < parts->member_count; i++) {
        const struct json_piece *from = &parts->members[i];
        struct json_value *value = &to->members[i].value;
        bool is_list = i == last && parts->list_is_array;
        int rc = is_list ? read_items(p, text, parts, 2, mem, value, e)
                         : read_piece(p, text, from->text, 1, mem, value, e);

        if (rc < 0)
            return rc;
        to->members[i].key = from->key;
        value->offset = (uint32_t)i; /* equal keys keep their order */
    }
    return 0;
}

/* text: UTF-8, with padding behind it. */
static int read_parts(struct json_parser *p, struct view text, struct arena *mem,
                      struct json_value *to, struct err *e)
{
    const struct json_parts *parts;
    struct view body = text;
    int rc = json_split(p, text, VIEW("scenarios"), 0, &parts, e);

    if (rc < 0)
        return rc;
    if (parts->type == JSON_OBJECT)
        return read_members(p, text, parts, mem, to, e);
    if (parts->type == JSON_ARRAY)
        return read_items(p, text, parts, 1, mem, to, e);
    if (view_starts(text, VIEW("\xEF\xBB\xBF")))
        body = view_skip(text, 3);
    return read_piece(p, text, body, 0, mem, to, e);
}

static void add_padding(struct buf *b)
{
    static const char padding[RESULTS_PADDING];

    buf_add(b, padding, sizeof padding);
}

static void dump_pieces(struct json_parser *p, struct view text, struct buf *out)
{
    struct json_value v;
    struct arena mem = { 0 };
    struct buf copy = { 0 };
    struct err e = { 0 };

    utf8_repair(text, &copy);

    size_t n = copy.n;

    add_padding(&copy);
    if (read_parts(p, (struct view){ copy.p, n }, &mem, &v, &e) < 0)
        dump_refusal(&e, out);
    else
        dump(&v, out);
    arena_deinit(&mem);
    buf_deinit(&copy);
}

static void dump_verdict(struct results_parser *p, struct view text, struct buf *out)
{
    static const char *const names[] = { "ok", "json", "shape", "large" };
    const struct run *run = NULL;
    struct results_notes notes;
    struct buf copy = { 0 };
    struct err e = { 0 };

    buf_add(&copy, text.p, text.n);
    add_padding(&copy);
    text.p = copy.p;
    buf_str(out, names[results_parse(p, text, VIEW("a"), NULL, 0, &run, &notes, &e)]);
    run_unref(run);
    buf_deinit(&copy);
}

int main(void)
{
    struct json_parser *json = json_parser_new();
    struct results_parser *results = results_parser_new();
    size_t n;

    while (scanf("%zu", &n) == 1 && getchar() == '\n') {
        char *bytes = mem_alloc(n + 1);
        struct view text = { bytes, n };
        struct buf out = { 0 };

        if (fread(bytes, 1, n, stdin) != n) {
            fprintf(stderr, "the text ends early\n");
            return 1;
        }
        dump_tree(json, text, &out);
        buf_char(&out, '\n');
        dump_pieces(json, text, &out);
        buf_char(&out, '\n');
        dump_verdict(results, text, &out);
        buf_char(&out, '\n');
        fwrite(out.p, 1, out.n, stdout);
        fflush(stdout);
        buf_deinit(&out);
        free(bytes);
    }
    json_parser_free(json);
    results_parser_free(results);
    return 0;
}
