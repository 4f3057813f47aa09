/*
 * json_tree.h - what the two halves of core/json.h share.
 */
#ifndef CORE_JSON_TREE_H
#define CORE_JSON_TREE_H

#include "core/json.h"

/* Children of the containers that are still open, on their way into the arena. */
struct json_stack {
    struct json_member *p;
    size_t n, cap;
};

struct json_parser {
    struct json_stack stack;
    struct json_splitter *splitter; /* json.cc; NULL until the first split */
};

#endif
