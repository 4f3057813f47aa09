/*
 * web_config.h - what the file of --web.config.file says: the format of Prometheus'
 * exporter-toolkit, read once and never changed.
 *
 * A file that says something wrong is refused as a whole. Reading may happen on any
 * thread, nobody else holds a config before; references are counted on the loop thread.
 */
#ifndef SERVER_WEB_WEB_CONFIG_H
#define SERVER_WEB_WEB_CONFIG_H

#include <stdint.h>

#include "core/arena.h"
#include "core/hash.h"
#include "server/web/tls_settings.h"
#include "server/web/toolbox.h"

enum {
    WEB_FILE_BYTES_MAX = 1024 * 1024,
    WEB_USERS_MAX = 1024,
    WEB_HEADER_BYTES_MAX = 4096, /* of all header lines together */
    WEB_NAME_BYTES_MAX = 255,    /* of a user's name */
    WEB_NOTICES_MAX = 4,
};

struct web_user {
    struct view name;
    const char *hash; /* bcrypt_cost() accepts it */
};

struct web_config {
    unsigned refs;
    const char *file;
    struct hash says;   /* of the text: equal ones say the same */
    bool empty;         /* the text says nothing at all */
    bool no_users_said; /* it says that there are none: {} in their place, or as all */
    bool client_auth_said; /* client_auth_type is written out */

    bool has_tls;
    struct tls_settings tls; /* if has_tls */
    bool http2;              /* has no effect here */

    const char *headers; /* lines with CRLF each; "": none */

    struct web_user *users; /* in file order */
    size_t user_count;

    uint64_t rate_interval_ns; /* 0: no limit */
    uint32_t rate_burst;

    /* What is allowed and yet worth a line in the log: "FILE:LINE: key: …". */
    const char *notices[WEB_NOTICES_MAX];
    size_t notice_count;

    unsigned *tls_lines; /* of the keys of tls_server_config, in the order of a table */
    struct arena mem;    /* everything above that is pointed at */
};

/*
 * Reads a text. file: its path, for messages and as where relative paths begin. On success
 * *out has one reference. -EINVAL: e is "FILE:LINE: key.path: reason", *out is untouched.
 */
int web_config_parse(const struct toolbox *t, struct view text, const char *file,
                     struct web_config **out, struct err *e);

/* The same with the file's content, which is wiped afterwards. Or a negative errno of
 * opening and reading it; then e is "FILE: reason". */
int web_config_read(const struct toolbox *t, const char *file, struct web_config **out,
                    struct err *e);

struct web_config *web_config_ref(struct web_config *c);
void web_config_unref(struct web_config *c); /* NULL is accepted; secrets are wiped */

/* Calls f with the path of every file that the config names. */
void web_config_files(const struct web_config *c,
                      void (*f)(void *ctx, const char *path), void *ctx);

/*
 * Puts file and line before a reason that begins with a key of tls_server_config, as a
 * transport gives it: "cert_file: /x: No such file" → "FILE:2: tls_server_config.cert_file:
 * /x: No such file".
 */
void web_config_place(const struct web_config *c, struct err *e);

#endif
