/*
 * json_tree.c - one JSON text → tree of values, or the exact byte of its fault.
 *
 * This reader is ours because what it is for is what the library does not do: it takes
 * NaN, Infinity and 1e999 as values that spoil one field, counts brackets, reads lone
 * surrogates, keeps the place of every value, and says where and why a text is not
 * JSON. It reads pieces of some kilobytes; the megabytes go through json_split(), which
 * falls back on this reader when there is a fault to be found.
 *
 * Texts without escapes stay where they are and are pointed at. Children are collected
 * on a stack, because their number is known only at the closing bracket.
 */
#include "core/json_tree.h"
#include "core/mem.h"
#include "core/utf8.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

enum { STACK_KEPT = 16384 }; /* children; a larger stack is not kept */

static bool read_value(struct json_reader *r, struct json_value *v);

bool json_fault(struct json_reader *r, const char *at, int code, const char *reason)
{
    r->p = at;
    r->code = code;
    r->reason = reason;
    return false;
}

/* What was expected at p, and not found. */
bool json_expected(struct json_reader *r, const char *what)
{
    if (r->p == r->text_end)
        what = "cut off";
    else if (r->p == r->end)
        what = "ends too early";
    return json_fault(r, r->p, -EINVAL, what);
}

static void skip_blanks(struct json_reader *r)
{
    while (r->p < r->end &&
           (*r->p == ' ' || *r->p == '\n' || *r->p == '\r' || *r->p == '\t'))
        r->p++;
}

static bool push(struct json_reader *r, const struct json_member *child)
{
    struct json_stack *s = r->stack;

    if (!r->arena)
        return true;
    if (++r->values > JSON_VALUES_MAX)
        return json_fault(r, r->p, -E2BIG, "more values than one piece may hold");
    if (s->n == s->cap) {
        s->cap = s->cap ? s->cap * 2 : 64;
        s->p = mem_resize(s->p, s->cap, sizeof *s->p);
    }
    s->p[s->n++] = *child;
    return true;
}

/* Children from `from` on leave the stack and become those of v. */
static void pop(struct json_reader *r, size_t from, struct json_value *v)
{
    struct json_stack *s = r->stack;

    if (!r->arena)
        return;
    v->n = (uint32_t)(s->n - from);
    if (v->type == JSON_OBJECT) {
        v->members = arena_new(r->arena, struct json_member, v->n);
        if (v->n)
            memcpy(v->members, s->p + from, v->n * sizeof *v->members);
    } else {
        v->items = arena_new(r->arena, struct json_value, v->n);
        for (uint32_t i = 0; i < v->n; i++)
            v->items[i] = s->p[from + i].value;
    }
    s->n = from;
}

static bool read_key(struct json_reader *r, struct view *key)
{
    if (r->p == r->end || *r->p != '"')
        return json_expected(r, "a key in quotes is expected");
    r->p++;
    if (!json_read_text(r, key))
        return false;
    skip_blanks(r);
    if (r->p == r->end || *r->p != ':')
        return json_expected(r, "':' is expected");
    r->p++;
    skip_blanks(r);
    return true;
}

static bool read_container(struct json_reader *r, struct json_value *v)
{
    const char close = *r->p == '{' ? '}' : ']';
    const size_t from = r->stack->n;

    v->type = *r->p == '{' ? JSON_OBJECT : JSON_ARRAY;
    if (r->depth_left == 0)
        return json_fault(r, r->p, -EINVAL, "nested too deeply");
    r->depth_left--;
    r->p++;
    skip_blanks(r);
    if (r->p < r->end && *r->p == close) {
        r->p++;
    } else {
        for (;;) {
            struct json_member child = { .value.type = JSON_NULL };

            if (v->type == JSON_OBJECT && !read_key(r, &child.key))
                return false;
            if (!read_value(r, &child.value) || !push(r, &child))
                return false;
            skip_blanks(r);
            if (r->p < r->end && *r->p == close) {
                r->p++;
                break;
            }
            if (r->p == r->end || *r->p != ',')
                return json_expected(r, close == '}' ? "',' or '}' is expected"
                                                     : "',' or ']' is expected");
            r->p++;
            skip_blanks(r);
        }
    }
    pop(r, from, v);
    r->depth_left++;
    return true;
}

static bool read_value(struct json_reader *r, struct json_value *v)
{
    v->offset = (uint32_t)(r->p - r->whole);
    v->n = 0;
    if (r->p == r->end)
        return json_expected(r, "");
    switch (*r->p) {
    case '{':
    case '[':
        return read_container(r, v);
    case '"': {
        struct view text;

        r->p++;
        if (!json_read_text(r, &text))
            return false;
        v->type = JSON_STRING;
        v->text = text.p;
        v->n = (uint32_t)text.n;
        return true;
    }
    case '-':
        if (r->end - r->p > 1 && r->p[1] == 'I')
            return json_read_word(r, v);
        return json_read_number(r, v);
    default:
        if (*r->p >= '0' && *r->p <= '9')
            return json_read_number(r, v);
        return json_read_word(r, v);
    }
}

/* ---- the doors ------------------------------------------------------------------ */

static int describe(const struct json_reader *r, struct err *e)
{
    return err_set(e, r->code, "byte %zu: %s", (size_t)(r->p - r->whole), r->reason);
}

static int read_document(struct json_parser *p, struct json_reader *r,
                         const struct json_value **out)
{
    struct json_value *root = r->arena ? arena_new(r->arena, struct json_value, 1)
                                       : &(struct json_value){ 0 };

    r->stack = &p->stack;
    p->stack.n = 0;
    skip_blanks(r);
    if (r->p == r->end)
        json_fault(r, r->p, -EINVAL, "empty");
    else if (read_value(r, root)) {
        skip_blanks(r);
        if (r->p < r->end)
            json_fault(r, r->p, -EINVAL, "something follows the end of the document");
    }
    if (p->stack.cap > STACK_KEPT) {
        free(p->stack.p);
        p->stack = (struct json_stack){ 0 };
    }
    p->lone = r->lone ? (size_t)(r->lone - r->whole) : SIZE_MAX;
    if (r->code == 0 && r->arena)
        *out = root;
    return r->code;
}

size_t json_lone(const struct json_parser *p)
{
    return p->lone;
}

int json_parse(struct json_parser *p, struct view text, struct arena *a,
               const struct json_value **out, struct err *e)
{
    const struct json_value *root = NULL;

    if (text.n >= UINT32_MAX)
        return err_set(e, -E2BIG, "byte 0: 4 GiB or more");
    text = arena_copy(a, text);

    struct json_reader r = { .whole = text.p,
                             .p = text.p,
                             .end = text.p + text.n,
                             .text_end = text.p + text.n,
                             .arena = a,
                             .depth_left = JSON_DEPTH_MAX };
    size_t good = utf8_prefix(text);

    json_take_word(&r, VIEW("\xEF\xBB\xBF"));
    if (read_document(p, &r, &root) < 0)
        return describe(&r, e);
    if (good < text.n)
        return err_set(e, -EILSEQ, "byte %zu: not UTF-8", good);
    if (r.lone)
        return err_set(e, -EILSEQ, "byte %zu: half of a surrogate pair",
                       (size_t)(r.lone - r.whole));
    *out = root;
    return 0;
}

int json_parse_piece(struct json_parser *p, struct view whole, struct view piece,
                     unsigned depth_max, struct arena *a, const struct json_value **out,
                     struct err *e)
{
    struct json_reader r = { .whole = whole.p,
                             .p = piece.p,
                             .end = piece.p + piece.n,
                             .text_end = whole.p + whole.n,
                             .arena = a,
                             .depth_left = depth_max };

    assert(piece.p >= whole.p && piece.p + piece.n <= whole.p + whole.n);
    if (read_document(p, &r, out) < 0)
        return describe(&r, e);
    return 0;
}

const struct json_value *json_member(const struct json_value *object, struct view key)
{
    if (object->type != JSON_OBJECT)
        return NULL;
    for (uint32_t i = object->n; i-- > 0;)
        if (view_eq(object->members[i].key, key))
            return &object->members[i].value;
    return NULL;
}

const char *json_type_name(enum json_type t)
{
    switch (t) {
    case JSON_NULL:
        return "null";
    case JSON_BOOL:
        return "a boolean";
    case JSON_NUMBER:
        return "a number";
    case JSON_STRING:
        return "text";
    case JSON_ARRAY:
        return "an array";
    case JSON_OBJECT:
        return "an object";
    case JSON_BAD:
        return "no number";
    }
    return "";
}
