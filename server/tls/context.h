/*
 * context.h - what all sessions of one configuration share.
 */
#ifndef SERVER_TLS_CONTEXT_H
#define SERVER_TLS_CONTEXT_H

#include <openssl/ssl.h>

#include "server/tls/sans.h"
#include "server/tls/tickets.h"
#include "server/web/transport.h"

struct context {
    struct transport_context base; /* first: what callers have a pointer to */
    unsigned refs;
    SSL_CTX *ssl;
    bool client;
    enum tls_client_auth client_auth;
    struct sans allowed;
    struct tickets tickets;
};

/* As transport.h says of server_context, client_context, context_ref and context_unref. */
int context_new_server(const struct tls_settings *settings,
                       struct transport_context **out, struct err *e);
int context_new_client(struct transport_context **out, struct err *e);
void context_ref(struct transport_context *base);
void context_unref(struct transport_context *base);

#endif
