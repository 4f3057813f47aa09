#include "server/tls/tickets.h"

#include <string.h>
#include <time.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/x509.h>

#include "core/mem.h"

static uint64_t now_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec;
}

static void key_make(struct ticket_key *k, uint64_t made_s)
{
    /* Without randomness there is no TLS at all, and the kernel has always some. */
    if (RAND_bytes(k->name, sizeof k->name) != 1 ||
        RAND_priv_bytes(k->aes, sizeof k->aes) != 1 ||
        RAND_priv_bytes(k->mac, sizeof k->mac) != 1)
        mem_exhausted(sizeof(*k));
    k->made_s = made_s;
}

void tickets_turn(struct tickets *t, uint64_t now)
{
    if (now - t->now.made_s < TICKET_KEY_SECONDS)
        return;
    t->before = t->now;
    key_make(&t->now, now);
}

/* The key of this name; NULL if it is none of ours, or has sealed its last too long ago. */
static const struct ticket_key *key_named(const struct tickets *t,
                                          const unsigned char name[16])
{
    if (memcmp(t->now.name, name, sizeof t->now.name) == 0)
        return &t->now;
    if (t->before.made_s && t->now.made_s + TICKET_SECONDS > now_s() &&
        memcmp(t->before.name, name, sizeof t->before.name) == 0)
        return &t->before;
    return NULL;
}

/* Returns what OpenSSL asks for: <0 failed, 0 no such key, 1 good, 2 good, make another. */
static int on_key(SSL *ssl, unsigned char name[16], unsigned char *iv,
                  EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int seal)
{
    struct tickets *t = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    const struct ticket_key *k;
    unsigned char mac_key[sizeof k->mac];
    char digest[] = "SHA256";

    tickets_turn(t, now_s());
    k = seal ? &t->now : key_named(t, name);
    if (!k)
        return 0;
    memcpy(mac_key, k->mac, sizeof mac_key);

    OSSL_PARAM how[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, mac_key, sizeof mac_key),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };
    int rc = EVP_MAC_CTX_set_params(mac, how);

    OPENSSL_cleanse(mac_key, sizeof mac_key);
    if (rc != 1)
        return -1;
    if (seal) {
        memcpy(name, k->name, sizeof k->name);
        if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) != 1)
            return -1;
    }
    if (EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), NULL, k->aes, iv, seal) != 1)
        return -1;
    if (seal)
        return 1;
    /* In TLS 1.3 a ticket is for one use: the client gets another one for the next. */
    return k == &t->now && SSL_version(ssl) != TLS1_3_VERSION ? 1 : 2;
}

/*
 * A ticket stands for the certificate that was shown when it was made: once that has
 * expired, the client must show another one.
 */
static SSL_TICKET_RETURN on_ticket(SSL *ssl, SSL_SESSION *session,
                                   const unsigned char *name, size_t n,
                                   SSL_TICKET_STATUS status, void *arg)
{
    X509 *shown = session ? SSL_SESSION_get0_peer(session) : NULL;

    (void)ssl;
    (void)name;
    (void)n;
    (void)arg;
    if (status != SSL_TICKET_SUCCESS && status != SSL_TICKET_SUCCESS_RENEW)
        return SSL_TICKET_RETURN_IGNORE_RENEW;
    if (shown && X509_cmp_current_time(X509_get0_notAfter(shown)) <= 0)
        return SSL_TICKET_RETURN_IGNORE_RENEW;
    return status == SSL_TICKET_SUCCESS ? SSL_TICKET_RETURN_USE
                                        : SSL_TICKET_RETURN_USE_RENEW;
}

static int on_ticket_made(SSL *ssl, void *arg)
{
    (void)ssl;
    (void)arg;
    return 1;
}

void tickets_init(struct tickets *t, SSL_CTX *ctx)
{
    static const unsigned char id[] = "encode_exporter";

    *t = (struct tickets){ 0 };
    key_make(&t->now, now_s());
    /* Tickets alone: nothing is remembered here for clients that do not come back. */
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_session_id_context(ctx, id, sizeof id - 1);
    SSL_CTX_set_timeout(ctx, TICKET_SECONDS);
    SSL_CTX_set_num_tickets(ctx, 1);
    SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, on_key);
    SSL_CTX_set_session_ticket_cb(ctx, on_ticket_made, on_ticket, NULL);
}

void tickets_deinit(struct tickets *t)
{
    OPENSSL_cleanse(t, sizeof(*t));
}
