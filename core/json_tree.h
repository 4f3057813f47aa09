/*
 * json_tree.h - what the files behind core/json.h share.
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
    size_t lone;                    /* see json_lone() */
    struct json_splitter *splitter; /* json.cc; NULL until the first split */
};

/* One text while it is read. */
struct json_reader {
    const char *whole; /* offsets count from here */
    const char *p, *end;
    const char *text_end; /* of the whole */
    struct arena *arena;  /* NULL: only check */
    struct json_stack *stack;
    unsigned depth_left;
    size_t values;
    const char *lone;   /* the first lone surrogate, or NULL */
    int code;           /* 0 while all is well */
    const char *reason; /* with the place in p */
};

/* Sets code, place and reason; false, always. */
bool json_fault(struct json_reader *r, const char *at, int code, const char *reason);

/* The same for what was expected at p and is not there. */
bool json_expected(struct json_reader *r, const char *what);

/* ---- json_scalar.c: each reads what stands at p; false: a fault -------------------- */

/* Goes past word if it stands at p; else false, and no fault. */
bool json_take_word(struct json_reader *r, struct view word);

/* null, true, false, NaN, Infinity, -Infinity. */
bool json_read_word(struct json_reader *r, struct json_value *v);

/* p is at '-' or a digit. */
bool json_read_number(struct json_reader *r, struct json_value *v);

/* p is behind the opening quote; afterwards behind the closing one. */
bool json_read_text(struct json_reader *r, struct view *text);

#endif
