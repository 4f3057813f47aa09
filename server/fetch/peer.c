#include "server/fetch/peer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "server/fetch/blank.h"

static int check(const struct fetch_peer *p, const struct fetch_url *u, struct err *e)
{
    if ((u->username || p->username) && p->bearer_token_file && !p->token_header)
        return err_set(e, -EINVAL,
                       "%s is given a user and a bearer token: only one can be sent",
                       p->name);
    if (u->username && p->username)
        return err_set(e, -EINVAL, "the URL of %s and a flag both name a user",
                       p->name);
    if (p->password_file && !p->username)
        return err_set(e, -EINVAL, "%s is given a password and no user", p->name);
    if (p->key_file && !p->cert_file)
        return err_set(e, -EINVAL, "%s is given a key and no certificate", p->name);
    return 0;
}

int peer_refresh(struct peer *p, uint64_t now_ms, struct err *e)
{
    struct stat st;
    int rc = secret_refresh(&p->password, e);

    if (rc == 0)
        rc = secret_refresh(&p->token, e);
    if (rc == 0 && p->is.ca_file && stat(p->is.ca_file, &st) == 0) {
        struct stamp now = stamp_of(&st);

        if (!stamp_eq(&now, &p->ca_stamp))
            p->ca_changed_ms = now_ms;
        p->ca_stamp = now;
    }
    return rc;
}

int peer_init(struct peer *p, const struct fetch_peer *is, uint64_t now_ms,
              struct err *e)
{
    struct err why = { 0 };

    *p = (struct peer){ .is = *is };
    p->password.path = is->password_file;
    p->token.path = is->bearer_token_file;
    if (fetch_url_parse(is->url, &p->mem, &p->url, &why) < 0)
        return err_set(e, -EINVAL, "the URL of %s: %s", is->name, why.text);

    int rc = check(is, &p->url, e);

    if (rc == 0)
        rc = secret_readable(is->ca_file, e);
    if (rc == 0)
        rc = secret_readable(is->cert_file, e);
    if (rc == 0)
        rc = secret_readable(is->key_file, e);
    return rc == 0 ? peer_refresh(p, now_ms, e) : rc;
}

void peer_deinit(struct peer *p)
{
    secret_forget(&p->password);
    secret_forget(&p->token);
    arena_wipe(&p->mem);
}

struct fetch_identity peer_identity(const struct peer *p, uint64_t now_ms)
{
    const struct fetch_peer *is = &p->is;

    return (struct fetch_identity){
        .user_agent = "encode_exporter",
        .username = p->url.username ? p->url.username : is->username,
        .password = p->url.username ? p->url.password : p->password.text,
        .bearer_token = is->token_header ? NULL : p->token.text,
        .ca_file = is->ca_file,
        .ca_age_s = (long)((now_ms - p->ca_changed_ms) / 1000),
        .cert_file = is->cert_file,
        .key_file = is->key_file,
        .insecure = is->insecure,
        .proxy = is->proxy,
    };
}

void peer_headers(const struct peer *p, const char *to[PEER_HEADERS_MAX + 2],
                  struct buf *text)
{
    size_t n = 0;

    for (const char *const *h = p->is.headers; h && *h && n < PEER_HEADERS_MAX; h++)
        to[n++] = *h;
    if (p->is.token_header && p->token.text) {
        buf_fmt(text, "%s: %s", p->is.token_header, p->token.text);
        buf_char(text, '\0');
        to[n++] = text->p;
    }
    to[n] = NULL;
}

void peer_wipe(struct buf *text)
{
    if (text->p)
        explicit_bzero(text->p, text->n);
    buf_deinit(text);
}

void peer_blank(const struct peer *p, char *text, size_t n)
{
    const struct fetch_identity who = peer_identity(p, 0);

    blank_secret(text, n, p->token.text);
    if (!who.username || !who.password)
        return;
    blank_secret(text, n, who.password);
    blank_basic(text, n, who.username, who.password);
}

bool peer_is_open(const struct peer *p)
{
    return (p->url.username || p->is.username || p->is.bearer_token_file) &&
           !p->url.secure && !p->url.loopback;
}
