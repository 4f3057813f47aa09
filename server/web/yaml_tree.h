/*
 * yaml_tree.h - a YAML text as a tree, within limits, every node with its line.
 *
 * An alias is the node that it stands for, not a copy, so what a text says over and over
 * by aliases costs nothing. No key is twice in a map. A second document, an alias within
 * what it stands for and merge keys are refused.
 */
#ifndef SERVER_WEB_YAML_TREE_H
#define SERVER_WEB_YAML_TREE_H

#include "core/arena.h"
#include "server/web/toolbox.h"

enum { YAML_DEPTH_MAX = 16, YAML_NODES_MAX = 20000 };

enum yaml_kind { YAML_TEXT, YAML_MAP, YAML_LIST };

struct yaml_node {
    enum yaml_kind kind;
    unsigned line;    /* from 1 */
    struct view text; /* of YAML_TEXT; no NUL in it, but one behind it */
    bool plain;       /* it may mean a number, true or null */
    bool open;        /* its end has not been read */
    struct yaml_entry *first, *last;
    size_t count; /* entries */
};

struct yaml_entry {
    const struct yaml_node *key; /* YAML_TEXT; NULL in a list */
    const struct yaml_node *value;
    struct yaml_entry *next;
};

/*
 * *out is the root, or NULL where the text says nothing. It lives as long as mem. On
 * failure e is one sentence and *line says where (0: not known); mem may hold more than
 * before.
 */
int yaml_tree_read(const struct toolbox *t, struct view text, struct arena *mem,
                   const struct yaml_node **out, unsigned *line, struct err *e);

/* It is there and says something: neither NULL, null, nor nothing at all. */
bool yaml_given(const struct yaml_node *n);

/* "a map", "a list", "a text": for messages. */
const char *yaml_kind_name(enum yaml_kind k);

/* The beginning of a text, fit for one line of a message. */
struct yaml_shown {
    char text[80];
};
const char *yaml_show(struct view v, struct yaml_shown *to);

#endif
