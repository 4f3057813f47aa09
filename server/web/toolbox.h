/*
 * toolbox.h - what a web config needs of libraries: YAML and bcrypt, behind the functions
 * of web_toolbox.so, which is opened when there is a web config.
 *
 * Nothing here keeps anything, logs, or knows of configurations. Any thread.
 */
#ifndef SERVER_WEB_TOOLBOX_H
#define SERVER_WEB_TOOLBOX_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"
#include "core/view.h"

/* Raised whenever anything below or in err.h or view.h changes. */
enum { TOOLBOX_ABI = 1 };

/* The one symbol that the library exports: a const struct toolbox. */
#define TOOLBOX_SYMBOL "encode_toolbox"

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
    uint32_t abi; /* TOOLBOX_ABI; first for ever, and looked at before all else */

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

/*
 * The functions of web_toolbox.so, which is looked for beside the executable and then in
 * the library directory it was installed with, and nowhere else. It is opened once and
 * stays. NULL, and e names file and reason. Main thread.
 */
const struct toolbox *toolbox_load(struct err *e);

#endif
