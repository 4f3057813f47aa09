/*
 * json.h - JSON text → values. The one door to the JSON library, which json.cc hides.
 *
 * Two things are offered: json_split() finds the members of a large document and the
 * elements of one array in it in one quick pass, without looking inside them;
 * json_parse() makes a tree of one small document, json_parse_piece() of one piece
 * that the split found.
 *
 * Accepted is what RFC 8259 says, a byte order mark before it, and NaN, Infinity,
 * -Infinity and numbers that no double holds: those are values of type JSON_BAD, so
 * that they spoil their field and not their file. Where a key appears twice the last
 * counts. Strings are UTF-8.
 */
#ifndef CORE_JSON_H
#define CORE_JSON_H

#include "core/arena.h"
#include "core/err.h"
#include "core/view.h"

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    JSON_PADDING = 64,         /* bytes readable behind a text, where asked for */
    JSON_DEPTH_MAX = 64,       /* brackets open at one place of a document */
    JSON_VALUES_MAX = 2000000, /* values and keys of one tree: bounds its memory */
};

enum json_type {
    JSON_NULL,
    JSON_BOOL,
    JSON_NUMBER, /* always finite */
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT,
    JSON_BAD, /* NaN, Infinity, -Infinity, 1e999 */
};

/* "null", "a boolean", "a number", "text", "an array", "an object", "no number" */
const char *json_type_name(enum json_type t);

struct json_member;

struct json_value {
    enum json_type type;
    uint32_t offset; /* of its first byte in the file */
    uint32_t n;      /* bytes of text; items; members */
    union {
        bool boolean;
        double number;
        const char *text;            /* JSON_STRING: unescaped; JSON_BAD: as written */
        struct json_value *items;    /* JSON_ARRAY */
        struct json_member *members; /* JSON_OBJECT, in the order of the text */
    };
};

struct json_member {
    struct view key; /* unescaped */
    struct json_value value;
};

/* Name and version of the library behind this: "simdjson 3.0.1". */
const char *json_library(void);

/* Text of a JSON_STRING or JSON_BAD. */
static inline struct view json_text(const struct json_value *v)
{
    return (struct view){ v->text, v->n };
}

/* The last member of this key; NULL: there is none, or it is not an object. */
const struct json_value *json_member(const struct json_value *object, struct view key);

/* Scratch memory for parsing, kept from one text to the next. One thread at a time. */
struct json_parser;
struct json_parser *json_parser_new(void);
void json_parser_free(struct json_parser *p); /* NULL is accepted */

/*
 * A whole document → *out, which lives as long as the arena. The text needs nothing
 * behind it, is copied and not used afterwards. On failure *out is untouched, e
 * names the byte and the reason ("byte 17: …"), and the result is
 *   -EINVAL  not JSON, cut off, nested deeper than JSON_DEPTH_MAX
 *   -EILSEQ  JSON but for bytes that are not UTF-8 or lone surrogates (\ud800)
 *   -E2BIG   more than JSON_VALUES_MAX values
 */
int json_parse(struct json_parser *p, struct view text, struct arena *a,
               const struct json_value **out, struct err *e);

/*
 * The same for one value inside whole, which is UTF-8, less than 4 GiB, and lives as
 * long as *out, because texts point into it. Lone surrogates become U+FFFD. depth_max:
 * brackets that may be open at one place of the piece. Offsets, also those of errors,
 * count from the start of whole. a == NULL: the piece is only checked; out is not used
 * and there is no limit of values.
 */
int json_parse_piece(struct json_parser *p, struct view whole, struct view piece,
                     unsigned depth_max, struct arena *a, const struct json_value **out,
                     struct err *e);

/*
 * Where in whole the first lone surrogate of the piece read last stands; SIZE_MAX: it has
 * none.
 */
size_t json_lone(const struct json_parser *p);

struct json_piece {
    struct view key;  /* unescaped */
    struct view text; /* its value, as it stands in the document, blanks trimmed */
};

/* What is at the top of a document. */
struct json_parts {
    enum json_type type;        /* of the document */
    struct json_piece *members; /* JSON_OBJECT, all of them */
    size_t member_count;
    size_t lone;        /* byte of the first lone surrogate in a key; SIZE_MAX: none */
    bool list_found;    /* there is a member of the key asked for … */
    bool list_is_array; /* … and the last one of them is an array */
    struct view *items; /* its elements, trimmed; or those of a JSON_ARRAY
                                      document */
    size_t item_count;
};

/*
 * Splits text, which has JSON_PADDING readable bytes behind it. Pieces are skipped over,
 * not checked: a piece that is not JSON by itself shows when it is parsed. What is
 * between pieces is checked, so no cut-off text passes. max_items: 0 is no limit.
 * *out and its arrays belong to the parser and live until its next split or its end;
 * json_parse() and json_parse_piece() leave them alone. Failures are those of
 * json_parse(), but lone surrogates in keys become U+FFFD; -E2BIG: more than max_items
 * elements, or 4 GiB.
 */
int json_split(struct json_parser *p, struct view text, struct view list_key,
               size_t max_items, const struct json_parts **out, struct err *e);

#ifdef __cplusplus
}
#endif

#endif
