/*
 * sans.h - which client certificates are let in by their subject alternative names.
 */
#ifndef SERVER_TLS_SANS_H
#define SERVER_TLS_SANS_H

#include <stdbool.h>

#include <openssl/x509.h>

#include "server/web/tls_settings.h"

struct sans { /* zeroed is empty: everybody */
    char **names;
    size_t count;
};

void sans_init(struct sans *s, const struct tls_list *allowed); /* copies */
void sans_deinit(struct sans *s);

/*
 * True if a DNS name, e-mail address or URI of the certificate is one of them, letter by
 * letter, or an IP address of it is, however written.
 */
bool sans_allow(const struct sans *s, const X509 *certificate);

#endif
