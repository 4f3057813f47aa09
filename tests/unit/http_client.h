/*
 * http_client.h - a client of the server in http_host.h that speaks TLS or does not.
 */
#ifndef TESTS_UNIT_HTTP_CLIENT_H
#define TESTS_UNIT_HTTP_CLIENT_H

#include "tests/unit/http_host.h"

#include <openssl/ssl.h>

#include "core/mem.h"
#include "server/web/transport_open.h"
#include "tests/unit/certificates.h"

#ifndef TRANSPORT_TLS
#define TRANSPORT_TLS "transport_tls.so" /* where the build says nothing else */
#endif

/* ---- TLS ------------------------------------------------------------------------ */

static const struct transport *tls;
static struct identity identity;
static SSL_CTX *clients;

static inline int setup(void **state)
{
    struct err e;

    (void)state;
    if (transport_open(TRANSPORT_TLS, &tls, &e) < 0)
        fail_msg("%s", e.text);
    identity = identity_make((struct wish){ .name = "first" });
    clients = SSL_CTX_new(TLS_client_method());
    return 0;
}

static inline int teardown(void **state)
{
    (void)state;
    SSL_CTX_free(clients);
    identity_free(&identity);
    return 0;
}

static inline struct transport_context *context(void)
{
    const struct tls_settings s = { .cert = identity.certificate_pem,
                                    .key = identity.key_pem };
    struct transport_context *c = NULL;
    struct err e;

    if (tls->server_context(&s, &c, &e) < 0)
        fail_msg("%s", e.text);
    return c;
}

/* ---- a client, with TLS or without ---------------------------------------------- */

struct client {
    int fd;
    SSL *ssl; /* NULL: plain */
};

static inline struct client come(void **state)
{
    struct client c = { .fd = dial() };

    if (*state) {
        c.ssl = SSL_new(clients);
        assert_int_equal(SSL_set_fd(c.ssl, c.fd), 1);
        assert_int_equal(SSL_connect(c.ssl), 1);
    }
    return c;
}

static inline void leave(struct client *c)
{
    SSL_free(c->ssl);
    close(c->fd);
}

static inline void ask(struct client *c, const char *text)
{
    if (c->ssl)
        assert_int_equal(SSL_write(c->ssl, text, (int)strlen(text)), (int)strlen(text));
    else
        say(c->fd, text);
}

/* Up to n bytes; 0: the server has said that this is all. */
static inline size_t take(struct client *c, char *to, size_t n)
{
    ssize_t got = c->ssl ? SSL_read(c->ssl, to, (int)n) : recv(c->fd, to, n, 0);

    if (got > 0)
        return (size_t)got;
    if (c->ssl)
        assert_int_equal(SSL_get_error(c->ssl, (int)got), SSL_ERROR_ZERO_RETURN);
    else
        assert_int_equal(got, 0);
    return 0;
}

static inline void hear_text(struct client *c, const char *want)
{
    size_t n = strlen(want), at = 0;
    char *got = mem_zalloc(n + 1);

    while (at < n) {
        size_t step = take(c, got + at, n - at);

        if (step == 0)
            break;
        at += step;
    }
    assert_string_equal(got, want);
    free(got);
}

static inline void hear_end(struct client *c)
{
    char byte;

    assert_int_equal(take(c, &byte, 1), 0);
}

#endif
