/*
 * ciphers.h - cipher suites and curves by the names that web configs use, as OpenSSL
 * calls them.
 */
#ifndef SERVER_TLS_CIPHERS_H
#define SERVER_TLS_CIPHERS_H

#include "core/err.h"
#include "server/web/tls_settings.h"

/* What OpenSSL is told; the texts are NULL where nothing was listed. */
struct cipher_choice {
    char *tls12; /* names with colons in between; "": none of TLS 1.2 is listed */
    char *curves;
};

/*
 * Reads cipher_suites and curve_preferences. -EINVAL: e names the key and the entry that
 * is not known, or is known to be unsafe; *out needs no cipher_choice_deinit() then.
 */
int cipher_choice_init(struct cipher_choice *out, const struct tls_settings *settings,
                       struct err *e);
void cipher_choice_deinit(struct cipher_choice *c);

/* What is offered where nothing is listed. */
extern const char cipher_default_tls12[], cipher_default_curves[];

#endif
