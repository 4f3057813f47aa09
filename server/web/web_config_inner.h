/*
 * web_config_inner.h - reading one section of a web config. For web_config*.c.
 */
#ifndef SERVER_WEB_WEB_CONFIG_INNER_H
#define SERVER_WEB_WEB_CONFIG_INNER_H

#include "server/web/web_config.h"
#include "server/web/yaml_tree.h"

struct reader {
    struct web_config *to;
    struct err *e;
};

/* What a message is about. */
struct place {
    const char *section; /* key of the first level */
    struct view key;     /* below it; empty: the section itself */
    unsigned line;
};

struct field {
    const char *name;
    /* v says something. into: the struct that is filled, at `offset`. */
    int (*read)(struct reader *r, struct place at, const struct yaml_node *v, void *to);
    size_t offset;
};

/* -EINVAL, with e filled. */
int web_refuse(struct reader *r, struct place at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * Reads a map by a table of its keys. lines (may be NULL) gets the line of each key that
 * is there, in the order of the table; the others stay.
 */
int web_read_fields(struct reader *r, struct place at, const struct yaml_node *map,
                    const struct field *fields, size_t count, void *to,
                    unsigned *lines);

/* A kind that is not due. */
int web_expect(struct reader *r, struct place at, const struct yaml_node *v,
               enum yaml_kind kind);

/* For tables. const char *: NULL for "". */
int web_read_text(struct reader *r, struct place at, const struct yaml_node *v,
                  void *to);
int web_read_path(struct reader *r, struct place at, const struct yaml_node *v,
                  void *to);
int web_read_bool(struct reader *r, struct place at, const struct yaml_node *v,
                  void *to);
int web_read_list(struct reader *r, struct place at, const struct yaml_node *v,
                  void *to); /* struct tls_list */

/* The sections that have a file of their own. */
int web_read_tls(struct reader *r, struct place at, const struct yaml_node *v,
                 void *to);
int web_read_headers(struct reader *r, struct place at, const struct yaml_node *v,
                     void *to);

/* "cert_file", and where it lies in tls_lines; NULL behind the last. */
const char *web_tls_key(size_t i);

#endif
