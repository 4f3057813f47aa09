/*
 * pem.h - certificates and keys, from a file or from the text of the configuration.
 */
#ifndef SERVER_TLS_PEM_H
#define SERVER_TLS_PEM_H

#include <stddef.h>

#include <openssl/x509.h>

#include "core/err.h"

struct pem {
    char *text; /* owned; the key's is wiped when it goes */
    size_t n;
    char where[320]; /* for messages: "cert_file: /etc/x.pem" or "cert" */
};

enum { PEM_BYTES_MAX = 1024 * 1024 };

/*
 * Takes the file at path (at most PEM_BYTES_MAX bytes) or, with path NULL, a copy of
 * text. key: as the configuration calls it, without "_file". On failure e says why and
 * *out is untouched; neither path nor text is one, too.
 */
int pem_read(struct pem *out, const char *key, const char *path, const char *text,
             struct err *e);
void pem_deinit(struct pem *p);

/* All certificates in it, in their order: at least one. Other blocks are passed over. */
int pem_certificates(const struct pem *p, STACK_OF(X509) * *out, struct err *e);

int pem_private_key(const struct pem *p, EVP_PKEY **out, struct err *e);

#endif
