/*
 * ciphers.c - the table of names.
 *
 * Known are the names of Go's crypto/tls, those that CipherSuites() gives and those that
 * it gave before Go 1.22 (key exchange by RSA), because web configs that are in use have
 * them. They are IANA's names, but for two of Go's first ones for ChaCha20, which are
 * known with and without _SHA256. What Go lists under InsecureCipherSuites() is refused
 * with that reason, as exporter-toolkit refuses it.
 *
 * As in Go, the list is one for TLS 1.2: the three suites of TLS 1.3 are all good, their
 * names are accepted, and they are offered whether listed or not.
 */
#include "server/tls/ciphers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

/* Forward secrecy and authenticated encryption only. */
const char cipher_default_tls12[] =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
const char cipher_default_curves[] = "X25519:P-256:P-384:P-521";

enum kind { TLS12, TLS13, UNSAFE };

struct name {
    const char *given, *openssl;
    enum kind kind;
};

static const struct name suites[] = {
    { "TLS_AES_128_GCM_SHA256", "", TLS13 },
    { "TLS_AES_256_GCM_SHA384", "", TLS13 },
    { "TLS_CHACHA20_POLY1305_SHA256", "", TLS13 },

    { "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256",
      TLS12 },
    { "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "ECDHE-ECDSA-AES256-GCM-SHA384",
      TLS12 },
    { "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "ECDHE-RSA-AES128-GCM-SHA256", TLS12 },
    { "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "ECDHE-RSA-AES256-GCM-SHA384", TLS12 },
    { "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305",
      TLS12 },
    { "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305", "ECDHE-ECDSA-CHACHA20-POLY1305",
      TLS12 },
    { "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-RSA-CHACHA20-POLY1305",
      TLS12 },
    { "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305", "ECDHE-RSA-CHACHA20-POLY1305", TLS12 },
    { "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", "ECDHE-ECDSA-AES128-SHA", TLS12 },
    { "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA", "ECDHE-ECDSA-AES256-SHA", TLS12 },
    { "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", "ECDHE-RSA-AES128-SHA", TLS12 },
    { "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", "ECDHE-RSA-AES256-SHA", TLS12 },
    { "TLS_RSA_WITH_AES_128_GCM_SHA256", "AES128-GCM-SHA256", TLS12 },
    { "TLS_RSA_WITH_AES_256_GCM_SHA384", "AES256-GCM-SHA384", TLS12 },
    { "TLS_RSA_WITH_AES_128_CBC_SHA", "AES128-SHA", TLS12 },
    { "TLS_RSA_WITH_AES_256_CBC_SHA", "AES256-SHA", TLS12 },

    { "TLS_RSA_WITH_RC4_128_SHA", NULL, UNSAFE },
    { "TLS_ECDHE_ECDSA_WITH_RC4_128_SHA", NULL, UNSAFE },
    { "TLS_ECDHE_RSA_WITH_RC4_128_SHA", NULL, UNSAFE },
    { "TLS_RSA_WITH_3DES_EDE_CBC_SHA", NULL, UNSAFE },
    { "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA", NULL, UNSAFE },
    { "TLS_RSA_WITH_AES_128_CBC_SHA256", NULL, UNSAFE },
    { "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256", NULL, UNSAFE },
    { "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256", NULL, UNSAFE },
};

static const struct name curves[] = {
    { "X25519", "X25519", TLS12 },
    { "CurveP256", "P-256", TLS12 },
    { "CurveP384", "P-384", TLS12 },
    { "CurveP521", "P-521", TLS12 },
};

static const struct name *find(const struct name *names, size_t count,
                               const char *given)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i].given, given) == 0)
            return &names[i];
    return NULL;
}

/* *list gets one more name behind a colon. */
static void append(char **list, const char *name)
{
    size_t has = strlen(*list), more = strlen(name);

    *list = mem_resize(*list, has + more + 2, 1);
    if (has > 0)
        (*list)[has++] = ':';
    memcpy(*list + has, name, more + 1);
}

static int read_suites(struct cipher_choice *c, const struct tls_list *list,
                       struct err *e)
{
    c->tls12 = mem_strdup("");
    for (size_t i = 0; i < list->count; i++) {
        const struct name *n =
            find(suites, sizeof suites / sizeof *suites, list->items[i]);

        if (!n)
            return err_set(e, -EINVAL, "cipher_suites: unknown cipher suite %s",
                           list->items[i]);
        if (n->kind == UNSAFE)
            return err_set(e, -EINVAL, "cipher_suites: %s is unsafe and not offered",
                           n->given);
        if (n->kind == TLS12)
            append(&c->tls12, n->openssl);
    }
    return 0;
}

static int read_curves(struct cipher_choice *c, const struct tls_list *list,
                       struct err *e)
{
    c->curves = mem_strdup("");
    for (size_t i = 0; i < list->count; i++) {
        const struct name *n =
            find(curves, sizeof curves / sizeof *curves, list->items[i]);

        if (!n)
            return err_set(e, -EINVAL,
                           "curve_preferences: unknown curve %s; known are X25519, "
                           "CurveP256, CurveP384 and CurveP521",
                           list->items[i]);
        append(&c->curves, n->openssl);
    }
    return 0;
}

int cipher_choice_init(struct cipher_choice *out, const struct tls_settings *settings,
                       struct err *e)
{
    struct cipher_choice c = { 0 };
    int rc = 0;

    if (settings->cipher_suites.count > 0)
        rc = read_suites(&c, &settings->cipher_suites, e);
    if (rc == 0 && settings->curve_preferences.count > 0)
        rc = read_curves(&c, &settings->curve_preferences, e);
    if (rc < 0)
        cipher_choice_deinit(&c);
    else
        *out = c;
    return rc;
}

void cipher_choice_deinit(struct cipher_choice *c)
{
    free(c->tls12);
    free(c->curves);
    *c = (struct cipher_choice){ 0 };
}
