/*
 * web_config.c - the file as a whole, and its smaller sections.
 *
 * The tree of the text lives as long as the reading; what is kept is copied. Both places
 * hold hashes and perhaps a private key, so both are wiped.
 */
#include "server/web/web_config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/decimal.h"
#include "core/mem.h"
#include "core/utf8.h"
#include "server/sources/opener.h"
#include "server/web/bcrypt_cost.h"
#include "server/web/go_duration.h"
#include "server/web/web_config_inner.h"

#define AT(member) offsetof(struct web_config, member)

static void notice(struct reader *r, struct place at, const char *what)
{
    struct web_config *c = r->to;
    struct err text;
    struct reader aside = { c, &text };
    struct view copy;

    if (c->notice_count == WEB_NOTICES_MAX)
        return;
    web_refuse(&aside, at, "%s", what);
    copy = arena_copy(&c->mem, (struct view){ text.text, strlen(text.text) + 1 });
    c->notices[c->notice_count++] = copy.p;
}

/* ---- http_server_config --------------------------------------------------------------- */

static int read_http(struct reader *r, struct place at, const struct yaml_node *v,
                     void *to)
{
    static const struct field fields[] = {
        { "http2", web_read_bool, AT(http2) },
        { "headers", web_read_headers, AT(headers) },
    };

    return web_read_fields(r, at, v, fields, 2, to, NULL);
}

/* ---- basic_auth_users ----------------------------------------------------------------- */

static int check_name(struct reader *r, struct place at)
{
    for (size_t i = 0; i < at.key.n; i++) {
        if (at.key.p[i] == ':')
            return web_refuse(r, at, "a colon in a name: nobody could log in with it");
        if ((unsigned char)at.key.p[i] < ' ' || at.key.p[i] == 0x7f)
            return web_refuse(r, at, "a control character in a name");
    }
    if (at.key.n > WEB_NAME_BYTES_MAX)
        return web_refuse(r, at, "a name of more than %d bytes", WEB_NAME_BYTES_MAX);
    return 0;
}

static int read_user(struct reader *r, struct place at, const struct yaml_node *v,
                     struct web_user *to)
{
    int rc = check_name(r, at);
    struct err why;

    if (rc == 0)
        rc = web_expect(r, at, v, YAML_TEXT);
    if (rc < 0)
        return rc;
    rc = bcrypt_cost(v->text, &why);
    if (rc < 0)
        return web_refuse(r, at, "%s", why.text);
    if (rc > BCRYPT_COST_SLOW)
        notice(r, at,
               "each check of this password takes seconds; cost 10 to 12 is usual");
    to->name = arena_copy(&r->to->mem, at.key);
    to->hash = memcpy(arena_alloc(&r->to->mem, v->text.n + 1, 1), v->text.p, v->text.n);
    return 0;
}

static int read_users(struct reader *r, struct place at, const struct yaml_node *v,
                      void *to)
{
    struct web_config *c = to;
    int rc = web_expect(r, at, v, YAML_MAP);

    if (rc < 0)
        return rc;
    if (v->count > WEB_USERS_MAX)
        return web_refuse(r, at, "more than %d users", WEB_USERS_MAX);
    c->no_users_said = v->count == 0;
    c->users = arena_new(&c->mem, struct web_user, v->count);
    for (const struct yaml_entry *x = v->first; x; x = x->next) {
        at.key = x->key->text;
        at.line = x->key->line;
        rc = read_user(r, at, x->value, &c->users[c->user_count++]);
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* ---- rate_limit ----------------------------------------------------------------------- */

static int read_interval(struct reader *r, struct place at, const struct yaml_node *v,
                         void *to)
{
    int rc = web_expect(r, at, v, YAML_TEXT);
    struct err why;

    if (rc == 0 && go_duration_parse(v->text, to, &why) < 0)
        rc = web_refuse(r, at, "%s", why.text);
    return rc;
}

static int read_burst(struct reader *r, struct place at, const struct yaml_node *v,
                      void *to)
{
    int rc = web_expect(r, at, v, YAML_TEXT);
    double n;

    if (rc < 0)
        return rc;
    if (!v->plain || !decimal_read(v->text, &n) || n < 0 || n > INT32_MAX ||
        n != (uint32_t)n)
        return web_refuse(r, at, "no whole number from 0 to %d", INT32_MAX);
    *(uint32_t *)to = (uint32_t)n;
    return 0;
}

static int read_rate(struct reader *r, struct place at, const struct yaml_node *v,
                     void *to)
{
    static const struct field fields[] = {
        { "interval", read_interval, AT(rate_interval_ns) },
        { "burst", read_burst, AT(rate_burst) },
    };
    struct web_config *c = to;
    int rc = web_read_fields(r, at, v, fields, 2, c, NULL);

    if (rc == 0 && c->rate_interval_ns && c->rate_burst == 0)
        notice(r, at, "with an interval and burst 0 every request is refused");
    return rc;
}

/* ---- the whole ------------------------------------------------------------------------ */

static int read_root(struct reader *r, const struct yaml_node *root)
{
    static const struct field sections[] = {
        { "tls_server_config", web_read_tls, AT(tls) },
        { "http_server_config", read_http, 0 },
        { "basic_auth_users", read_users, 0 },
        { "rate_limit", read_rate, 0 },
    };

    if (!yaml_given(root)) {
        r->to->empty = true;
        return 0;
    }
    r->to->no_users_said = !root->first;
    return web_read_fields(r, (struct place){ .line = root->line }, root, sections,
                           sizeof sections / sizeof *sections, r->to, NULL);
}

static int read_text(struct reader *r, const struct toolbox *t, struct view text)
{
    const struct yaml_node *root;
    struct arena tree = { 0 };
    struct place at = { 0 };
    struct err why;
    int rc = yaml_tree_read(t, text, &tree, &root, &at.line, &why);

    if (rc < 0)
        web_refuse(r, at, "%s", why.text);
    else
        rc = read_root(r, root);
    arena_wipe(&tree);
    return rc;
}

int web_config_parse(const struct toolbox *t, struct view text, const char *file,
                     struct web_config **out, struct err *e)
{
    struct web_config *c = mem_zalloc(sizeof *c);
    struct reader r = { c, e };
    int rc;

    c->refs = 1;
    c->http2 = true;
    c->headers = "";
    c->says = hash_of(text, 0);
    c->file = arena_copy(&c->mem, (struct view){ file, strlen(file) + 1 }).p;
    rc = read_text(&r, t, text);
    if (rc < 0)
        web_config_unref(c);
    else
        *out = c;
    return rc;
}

int web_config_read(const struct toolbox *t, const char *file, struct web_config **out,
                    struct err *e)
{
    struct buf text = { 0 };
    struct stamp stamp;
    struct err why;
    int rc = opener_read_trusted(file, WEB_FILE_BYTES_MAX, 0, &text, &stamp, &why);

    if (rc < 0)
        err_set(e, rc, "%s: %s", file, why.text);
    else
        rc = web_config_parse(t, buf_as_view(&text), file, out, e);
    if (text.p)
        explicit_bzero(text.p, text.cap);
    buf_deinit(&text);
    return rc;
}

struct web_config *web_config_ref(struct web_config *c)
{
    c->refs++;
    return c;
}

void web_config_unref(struct web_config *c)
{
    if (!c || --c->refs > 0)
        return;
    arena_wipe(&c->mem);
    free(c);
}

void web_config_files(const struct web_config *c,
                      void (*f)(void *ctx, const char *path), void *ctx)
{
    const char *const paths[] = { c->tls.cert_file, c->tls.key_file,
                                  c->tls.client_ca_file };

    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        if (paths[i])
            f(ctx, paths[i]);
}
