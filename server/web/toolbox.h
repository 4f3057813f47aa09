/*
 * toolbox.h - what a web config needs of libraries: YAML and bcrypt.
 *
 * Nothing here keeps anything, logs, or knows of configurations. Any thread.
 */
#ifndef SERVER_WEB_TOOLBOX_H
#define SERVER_WEB_TOOLBOX_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"
#include "core/view.h"

enum markup_kind {
    MARKUP_DOCUMENT, /* begins; its end is not told */
    MARKUP_MAP,      /* keys and values in turn follow, then MARKUP_END */
    MARKUP_LIST,     /* entries follow, then MARKUP_END */
    MARKUP_END,
    MARKUP_TEXT,
    MARKUP_ALIAS, /* stands for what has text as its anchor */
};

/* One step through a YAML text. Views live until the callback returns, and are wiped. */
struct markup {
    enum markup_kind kind;
    unsigned line;    /* from 1 */
    struct view text; /* of MARKUP_TEXT, UTF-8, may hold any character; of an alias */
    struct view anchor, tag; /* empty: none */
    bool plain; /* written without quotes: may mean a number, true or null */
};

/* A negative value ends the reading with it. */
typedef int markup_fn(void *ctx, const struct markup *m);

struct toolbox {
    /*
     * Steps through text and tells each step. 0; what f returned; or -EINVAL where text
     * is no YAML: then e is one sentence and *line says where (0: not known). -ENOMEM: the
     * library got no memory.
     */
    int (*yaml)(struct view text, markup_fn *f, void *ctx, unsigned *line,
                struct err *e);

    /*
     * 1: the password is the one that this hash was made of; 0: it is not. hash is one
     * that bcrypt_cost() accepts. Takes as long as its cost says, whatever comes out; the
     * copies that it makes are wiped. -ENOTSUP: the system's libcrypt refuses the hash.
     */
    int (*bcrypt)(const char *hash, const char *password);
};

extern const struct toolbox encode_toolbox; /* server/toolbox/ */

#endif
