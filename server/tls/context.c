/*
 * context.c - settings → SSL_CTX.
 *
 * Where exporter-toolkit leaves something to Go, what Go does is done here, but for:
 *   - a client that offers only h2 (or http/1.0) gets no protocol and may speak HTTP/1.1;
 *     Go ends the connection. Clients of other protocols are refused as in Go.
 *   - RequireAndVerifyClientCert without a client CA is refused; Go would believe every
 *     public CA. VerifyClientCertIfGiven without one believes them, as in Go.
 *   - a client CA file without any certificate is an error; Go takes it for none.
 */
#include "server/tls/context.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>

#include "core/mem.h"
#include "server/tls/ciphers.h"
#include "server/tls/pem.h"
#include "server/tls/library.h"
#include "server/tls/problem.h"

static struct context *context_of(struct transport_context *c)
{
    return (struct context *)c;
}

/* ---- what clients ask for --------------------------------------------------------- */

static bool offers(const unsigned char *list, unsigned n, const char *protocol)
{
    size_t length = strlen(protocol);

    for (unsigned i = 0; i < n; i += 1U + list[i])
        if (list[i] == length && n - i - 1 >= length &&
            memcmp(list + i + 1, protocol, length) == 0)
            return true;
    return false;
}

static int on_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_n,
                   const unsigned char *list, unsigned n, void *arg)
{
    static const unsigned char ours[] = "http/1.1";

    (void)ssl;
    (void)arg;
    if (offers(list, n, "http/1.1")) {
        *out = ours;
        *out_n = sizeof ours - 1;
        return SSL_TLSEXT_ERR_OK;
    }
    return offers(list, n, "h2") || offers(list, n, "http/1.0")
               ? SSL_TLSEXT_ERR_NOACK
               : SSL_TLSEXT_ERR_ALERT_FATAL;
}

static bool verifies(enum tls_client_auth how)
{
    return how == TLS_VERIFY_CLIENT_CERT_IF_GIVEN ||
           how == TLS_REQUIRE_AND_VERIFY_CLIENT_CERT;
}

/* In place of OpenSSL's check of a client's certificate. */
static int on_certificate(X509_STORE_CTX *chain, void *arg)
{
    const struct context *c = arg;

    if (verifies(c->client_auth) && X509_verify_cert(chain) != 1)
        return 0;
    if (c->allowed.count > 0 &&
        !sans_allow(&c->allowed, X509_STORE_CTX_get0_cert(chain))) {
        X509_STORE_CTX_set_error(chain, X509_V_ERR_APPLICATION_VERIFICATION);
        return 0;
    }
    X509_STORE_CTX_set_error(chain, X509_V_OK);
    return 1;
}

/* ---- settings --------------------------------------------------------------------- */

static int use_versions(SSL_CTX *ssl, const struct tls_settings *s,
                        const struct cipher_choice *choice, struct err *e)
{
    bool only13 = s->min_version == TLS_VERSION_13;
    bool only12 = s->max_version == TLS_VERSION_12;

    if (only12 && only13)
        return err_set(e, -EINVAL, "min_version: TLS13 is above max_version TLS12");
    if (choice->tls12 && !*choice->tls12 && only12)
        return err_set(e, -EINVAL,
                       "cipher_suites: none of them is one of TLS 1.2, and max_version "
                       "is TLS12");
    /* With nothing listed for TLS 1.2 there is no use in agreeing on it. */
    only13 |= choice->tls12 && !*choice->tls12;
    SSL_CTX_set_min_proto_version(ssl, only13 ? TLS1_3_VERSION : TLS1_2_VERSION);
    SSL_CTX_set_max_proto_version(ssl, only12 ? TLS1_2_VERSION : TLS1_3_VERSION);
    return 0;
}

static int use_ciphers(SSL_CTX *ssl, const struct tls_settings *s, struct err *e)
{
    struct cipher_choice choice;
    int rc = cipher_choice_init(&choice, s, e);

    if (rc < 0)
        return rc;
    const char *suites =
        choice.tls12 && *choice.tls12 ? choice.tls12 : cipher_default_tls12;
    const char *curves = choice.curves ? choice.curves : cipher_default_curves;

    rc = use_versions(ssl, s, &choice, e);
    if (rc == 0 && SSL_CTX_set_cipher_list(ssl, suites) != 1)
        rc = err_set(e, -EINVAL, "cipher_suites: this OpenSSL has none of them: %s",
                     problem_reason());
    if (rc == 0 && SSL_CTX_set1_groups_list(ssl, curves) != 1)
        rc =
            err_set(e, -EINVAL, "curve_preferences: this OpenSSL lacks one of them: %s",
                    problem_reason());
    cipher_choice_deinit(&choice);
    return rc;
}

static int use_pair(SSL_CTX *ssl, const struct pem *cert, STACK_OF(X509) * chain,
                    const struct pem *key, EVP_PKEY *private, struct err *e)
{
    X509 *own = sk_X509_value(chain, 0);

    if (X509_check_private_key(own, private) != 1) {
        ERR_clear_error();
        return err_set(e, -EINVAL,
                       "%s: the key does not belong to the certificate (%s)",
                       key->where, cert->where);
    }
    if (SSL_CTX_use_certificate(ssl, own) != 1)
        return err_set(e, -EINVAL, "%s: the certificate cannot be used: %s",
                       cert->where, problem_reason());
    for (int i = 1; i < sk_X509_num(chain); i++)
        if (SSL_CTX_add1_chain_cert(ssl, sk_X509_value(chain, i)) != 1)
            return err_set(e, -EINVAL, "%s: certificate %d cannot be used: %s",
                           cert->where, i + 1, problem_reason());
    if (SSL_CTX_use_PrivateKey(ssl, private) != 1)
        return err_set(e, -EINVAL, "%s: the key cannot be used: %s", key->where,
                       problem_reason());
    return 0;
}

static int use_certificate(SSL_CTX *ssl, const struct tls_settings *s, struct err *e)
{
    struct pem cert = { 0 }, key = { 0 };
    STACK_OF(X509) *chain = NULL;
    EVP_PKEY *private = NULL;
    int rc = pem_read(&cert, "cert", s->cert_file, s->cert, e);

    if (rc == 0)
        rc = pem_read(&key, "key", s->key_file, s->key, e);
    if (rc == 0)
        rc = pem_certificates(&cert, &chain, e);
    if (rc == 0)
        rc = pem_private_key(&key, &private, e);
    if (rc == 0)
        rc = use_pair(ssl, &cert, chain, &key, private, e);
    EVP_PKEY_free(private);
    sk_X509_pop_free(chain, X509_free);
    pem_deinit(&key);
    pem_deinit(&cert);
    return rc;
}

/* Who may have signed a client's certificate; clients are told, so that they choose. */
static int use_client_ca(SSL_CTX *ssl, const struct tls_settings *s, struct err *e)
{
    X509_STORE *store = SSL_CTX_get_cert_store(ssl);
    STACK_OF(X509) *all = NULL;
    struct pem pem = { 0 };
    int rc = pem_read(&pem, "client_ca", s->client_ca_file, s->client_ca, e);

    if (rc == 0)
        rc = pem_certificates(&pem, &all, e);
    for (int i = 0; rc == 0 && i < sk_X509_num(all); i++)
        if (X509_STORE_add_cert(store, sk_X509_value(all, i)) != 1 ||
            SSL_CTX_add_client_CA(ssl, sk_X509_value(all, i)) != 1)
            rc = err_set(e, -EINVAL, "%s: certificate %d cannot be used: %s", pem.where,
                         i + 1, problem_reason());
    /* As in Go, every certificate in the file is trusted, whoever has signed it. */
    X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
    sk_X509_pop_free(all, X509_free);
    pem_deinit(&pem);
    return rc;
}

static int check_client_auth(const struct tls_settings *s, struct err *e)
{
    bool required = s->client_auth == TLS_REQUIRE_ANY_CLIENT_CERT ||
                    s->client_auth == TLS_REQUIRE_AND_VERIFY_CLIENT_CERT;
    bool has_ca = s->client_ca_file || s->client_ca;

    if (has_ca && s->client_auth == TLS_NO_CLIENT_CERT)
        return err_set(e, -EINVAL,
                       "%s: has no effect without client_auth_type, which decides "
                       "whether clients are asked for a certificate",
                       s->client_ca_file ? "client_ca_file" : "client_ca");
    if (!has_ca && s->client_auth == TLS_REQUIRE_AND_VERIFY_CLIENT_CERT)
        return err_set(e, -EINVAL,
                       "client_auth_type: RequireAndVerifyClientCert needs "
                       "client_ca_file or client_ca");
    if (s->client_allowed_sans.count > 0 && !required)
        return err_set(e, -EINVAL,
                       "client_allowed_sans: needs client_auth_type "
                       "RequireAndVerifyClientCert or RequireAnyClientCert");
    return 0;
}

static int use_client_auth(struct context *c, const struct tls_settings *s,
                           struct err *e)
{
    static const int modes[] = {
        [TLS_NO_CLIENT_CERT] = SSL_VERIFY_NONE,
        [TLS_REQUEST_CLIENT_CERT] = SSL_VERIFY_PEER,
        [TLS_REQUIRE_ANY_CLIENT_CERT] =
            SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
        [TLS_VERIFY_CLIENT_CERT_IF_GIVEN] = SSL_VERIFY_PEER,
        [TLS_REQUIRE_AND_VERIFY_CLIENT_CERT] =
            SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
    };
    int rc = check_client_auth(s, e);

    if (rc < 0)
        return rc;
    c->client_auth = s->client_auth;
    sans_init(&c->allowed, &s->client_allowed_sans);
    SSL_CTX_set_verify(c->ssl, modes[s->client_auth], NULL);
    SSL_CTX_set_cert_verify_callback(c->ssl, on_certificate, c);
    if (s->client_ca_file || s->client_ca)
        return use_client_ca(c->ssl, s, e);
    if (verifies(s->client_auth) && SSL_CTX_set_default_verify_paths(c->ssl) != 1)
        return err_set(e, -EINVAL, "client_auth_type: no CA of this system: %s",
                       problem_reason());
    return 0;
}

/* ---- life ------------------------------------------------------------------------- */

static struct context *context_new(const SSL_METHOD *method)
{
    struct context *c = mem_zalloc(sizeof(*c));

    c->base.transport = &encode_transport;
    c->refs = 1;
    ERR_clear_error();
    c->ssl = SSL_CTX_new(method);
    if (!c->ssl)
        return c;
    SSL_CTX_set_options(c->ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    /* An idle connection keeps no buffers: half of what it costs else. */
    SSL_CTX_set_mode(c->ssl, SSL_MODE_RELEASE_BUFFERS);
    return c;
}

static int no_context(struct context *c, struct err *e)
{
    int rc = err_set(e, -EINVAL, "OpenSSL cannot be used: %s", problem_reason());

    context_unref(&c->base);
    return rc;
}

int context_new_server(const struct tls_settings *settings,
                       struct transport_context **out, struct err *e)
{
    struct context *c = context_new(TLS_server_method());
    int rc;

    if (!c->ssl)
        return no_context(c, e);
    tickets_init(&c->tickets, c->ssl);
    SSL_CTX_set_app_data(c->ssl, &c->tickets);
    SSL_CTX_set_alpn_select_cb(c->ssl, on_alpn, NULL);
    if (settings->prefer_server_cipher_suites)
        SSL_CTX_set_options(c->ssl, SSL_OP_CIPHER_SERVER_PREFERENCE);
    rc = use_ciphers(c->ssl, settings, e);
    if (rc == 0)
        rc = use_certificate(c->ssl, settings, e);
    if (rc == 0)
        rc = use_client_auth(c, settings, e);
    if (rc < 0)
        context_unref(&c->base);
    else
        *out = &c->base;
    /* A thread of the pool keeps nothing of OpenSSL: when the process ends, it ends later
     * than OpenSSL does. On the loop thread all of it is made anew when it is needed. */
    OPENSSL_thread_stop();
    return rc;
}

int context_new_client(struct transport_context **out, struct err *e)
{
    static const unsigned char protocols[] = "\x08http/1.1";
    struct context *c = context_new(TLS_client_method());

    if (!c->ssl)
        return no_context(c, e);
    c->client = true;
    SSL_CTX_set_min_proto_version(c->ssl, TLS1_2_VERSION);
    SSL_CTX_set_verify(c->ssl, SSL_VERIFY_NONE, NULL);
    if (SSL_CTX_set_alpn_protos(c->ssl, protocols, sizeof protocols - 1) != 0)
        mem_exhausted(0);
    *out = &c->base;
    return 0;
}

void context_ref(struct transport_context *base)
{
    context_of(base)->refs++;
}

void context_unref(struct transport_context *base)
{
    struct context *c = context_of(base);

    if (!c || --c->refs > 0)
        return;
    SSL_CTX_free(c->ssl);
    sans_deinit(&c->allowed);
    tickets_deinit(&c->tickets);
    free(c);
}
