#include "server/web/yaml_tree.h"

#include <errno.h>

#include "core/mem.h"
#include "core/table.h"
#include "core/utf8.h"

struct frame {
    struct yaml_node *node;
    const struct yaml_node *key; /* of a map: read, and its value is due */
};

struct builder {
    struct arena *mem;
    struct frame stack[YAML_DEPTH_MAX];
    size_t depth, count;
    const struct yaml_node *root;
    bool began; /* a document */
    struct table anchors;
    unsigned line; /* of the fault */
    struct err *e;
};

static int refuse(struct builder *b, unsigned line, const char *reason)
{
    b->line = line;
    return err_set(b->e, -EINVAL, "%s", reason);
}

/* ---- putting together ------------------------------------------------------------------ */

static void add(struct builder *b, const struct yaml_node *value)
{
    struct frame *top = &b->stack[b->depth - 1];
    struct yaml_entry *x = arena_new(b->mem, struct yaml_entry, 1);

    x->key = top->key;
    x->value = value;
    if (top->node->last)
        top->node->last->next = x;
    else
        top->node->first = x;
    top->node->last = x;
    top->node->count++;
    top->key = NULL;
}

/* A node has been met, or what stands for one. */
static int place(struct builder *b, const struct yaml_node *n, unsigned line)
{
    struct frame *top = b->depth ? &b->stack[b->depth - 1] : NULL;

    if (!top) {
        b->root = n;
    } else if (top->node->kind == YAML_LIST || top->key) {
        add(b, n);
    } else {
        if (n->kind != YAML_TEXT)
            return refuse(b, line, "a key that is no text");
        if (n->plain && view_eq(n->text, VIEW("<<")))
            return refuse(b, line, "merge keys (<<) are not understood here");
        top->key = n;
    }
    return 0;
}

static int check_tag(struct builder *b, const struct markup *m)
{
    static const struct view known[] = {
        [MARKUP_TEXT] = { "tag:yaml.org,2002:str", 21 },
        [MARKUP_MAP] = { "tag:yaml.org,2002:map", 21 },
        [MARKUP_LIST] = { "tag:yaml.org,2002:seq", 21 },
    };

    if (m->tag.n == 0 || view_eq(m->tag, VIEW("!")) || view_eq(m->tag, known[m->kind]))
        return 0;
    return refuse(b, m->line, "a tag that is not understood here");
}

static void name_anchor(struct builder *b, struct view anchor, struct yaml_node *n)
{
    if (anchor.n == 0)
        return;
    anchor = arena_copy(b->mem, anchor);
    table_remove(&b->anchors, anchor); /* the later one counts from here on */
    table_put(&b->anchors, anchor, n);
}

static struct view text_of(struct builder *b, struct view v)
{
    char *copy = arena_alloc(b->mem, v.n + 1, 1);

    if (v.n)
        memcpy(copy, v.p, v.n);
    return (struct view){ copy, v.n };
}

static int begin(struct builder *b, const struct markup *m)
{
    struct yaml_node *n = arena_new(b->mem, struct yaml_node, 1);
    int rc = check_tag(b, m);

    if (rc < 0)
        return rc;
    n->line = m->line;
    name_anchor(b, m->anchor, n);
    if (m->kind == MARKUP_TEXT) {
        if (memchr(m->text.p, '\0', m->text.n))
            return refuse(b, m->line, "a text with a NUL in it");
        n->kind = YAML_TEXT;
        n->text = text_of(b, m->text);
        n->plain = m->plain && m->tag.n == 0;
        return place(b, n, m->line);
    }
    n->kind = m->kind == MARKUP_MAP ? YAML_MAP : YAML_LIST;
    n->open = true;
    rc = place(b, n, m->line);
    if (rc < 0)
        return rc;
    if (b->depth == YAML_DEPTH_MAX)
        return refuse(b, m->line, "nested too deep");
    b->stack[b->depth++] = (struct frame){ n, NULL };
    return 0;
}

static int find_duplicate(struct builder *b, const struct yaml_node *map)
{
    struct table seen = { 0 };
    int rc = 0;

    for (const struct yaml_entry *x = map->first; x && rc == 0; x = x->next) {
        const struct yaml_entry *earlier = table_get(&seen, x->key->text);

        if (earlier) {
            struct yaml_shown key;

            b->line = x->key->line;
            rc = err_set(b->e, -EINVAL, "\"%s\" is there already, on line %u",
                         yaml_show(x->key->text, &key), earlier->key->line);
        } else {
            table_put(&seen, x->key->text, (void *)(uintptr_t)x);
        }
    }
    table_deinit(&seen);
    return rc;
}

static int end(struct builder *b)
{
    struct yaml_node *n = b->stack[--b->depth].node;

    n->open = false;
    return n->kind == YAML_MAP ? find_duplicate(b, n) : 0;
}

static int stand_for(struct builder *b, const struct markup *m)
{
    const struct yaml_node *n = table_get(&b->anchors, m->text);

    if (!n)
        return refuse(b, m->line, "an alias of an anchor that is not there");
    if (n->open)
        return refuse(b, m->line, "an alias within what it stands for");
    return place(b, n, m->line);
}

/* ---- reading -------------------------------------------------------------------------- */

static int on_markup(void *ctx, const struct markup *m)
{
    struct builder *b = ctx;

    if (++b->count > YAML_NODES_MAX)
        return refuse(b, m->line, "too many values");
    switch (m->kind) {
    case MARKUP_DOCUMENT:
        if (b->began)
            return refuse(b, m->line, "a second document, where one is read");
        b->began = true;
        return 0;
    case MARKUP_END:
        return end(b);
    case MARKUP_ALIAS:
        return stand_for(b, m);
    case MARKUP_TEXT:
    case MARKUP_MAP:
    case MARKUP_LIST:
        break;
    }
    return begin(b, m);
}

int yaml_tree_read(const struct toolbox *t, struct view text, struct arena *mem,
                   const struct yaml_node **out, unsigned *line, struct err *e)
{
    struct builder b = { .mem = mem, .e = e };
    unsigned syntax_line = 0;
    int rc = t->yaml(text, on_markup, &b, &syntax_line, e);

    if (rc == -ENOMEM)
        mem_exhausted(0);
    table_deinit(&b.anchors);
    *line = b.line ? b.line : syntax_line;
    if (rc == 0)
        *out = b.root;
    return rc;
}

bool yaml_given(const struct yaml_node *n)
{
    static const char *const nulls[] = { "", "~", "null", "Null", "NULL" };

    if (!n || n->kind != YAML_TEXT || !n->plain)
        return n;
    for (size_t i = 0; i < sizeof nulls / sizeof *nulls; i++)
        if (view_eq(n->text, view_of(nulls[i])))
            return false;
    return true;
}

const char *yaml_kind_name(enum yaml_kind k)
{
    static const char *const names[] = { "a text", "a map", "a list" };

    return names[k];
}

const char *yaml_show(struct view v, struct yaml_shown *to)
{
    struct view part = utf8_cut(v, sizeof to->text - 1);

    if (part.n)
        memcpy(to->text, part.p, part.n);
    to->text[part.n] = '\0';
    for (size_t i = 0; i < part.n; i++)
        if ((unsigned char)to->text[i] < ' ' || to->text[i] == 0x7f)
            to->text[i] = '?';
    return to->text;
}
