/*
 * certificates.h - keys and certificates made for a test, as PEM.
 */
#ifndef TESTS_UNIT_CERTIFICATES_H
#define TESTS_UNIT_CERTIFICATES_H

#include <stdlib.h>
#include <string.h>

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "test.h"

struct identity {
    EVP_PKEY *key;
    X509 *certificate;
    char *key_pem, *certificate_pem;
};

struct wish {
    const char *name;              /* of the subject */
    const struct identity *issuer; /* NULL: signed by itself */
    const char *sans;              /* "DNS:a,IP:1.2.3.4"; NULL: none */
    const char *usage;             /* extended key usage; NULL: none said */
    bool ca;
    unsigned rsa_bits;     /* 0: a key on P-256 */
    long starts_s, ends_s; /* from now; both 0: good for an hour */
};

static inline char *bio_text(BIO *bio)
{
    char *p;
    long n = BIO_get_mem_data(bio, &p);
    char *text = malloc((size_t)n + 1);

    memcpy(text, p, (size_t)n);
    text[n] = '\0';

    BIO_free(bio);
    return text;
}

static inline void extend(X509 *c, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509_EXTENSION *x;

    if (!value)
        return;
    X509V3_set_ctx(&ctx, issuer, c, NULL, NULL, 0);
    x = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    assert_non_null(x);
    assert_int_equal(X509_add_ext(c, x, -1), 1);
    X509_EXTENSION_free(x);
}

static inline struct identity identity_make(struct wish w)
{
    static long serial = 1;
    struct identity id = {
        .key = w.rsa_bits ? EVP_RSA_gen(w.rsa_bits) : EVP_EC_gen("P-256"),
        .certificate = X509_new(),
    };
    X509 *c = id.certificate, *issuer = w.issuer ? w.issuer->certificate : c;
    BIO *bio = BIO_new(BIO_s_mem());

    assert_non_null(id.key);
    X509_set_version(c, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(c), serial++);
    X509_gmtime_adj(X509_getm_notBefore(c), w.starts_s ? w.starts_s : -60);
    X509_gmtime_adj(X509_getm_notAfter(c), w.ends_s ? w.ends_s : 3600);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(c), "CN", MBSTRING_ASC,
                               (const unsigned char *)w.name, -1, -1, 0);
    X509_set_issuer_name(c, X509_get_subject_name(issuer));
    X509_set_pubkey(c, id.key);
    extend(c, issuer, NID_basic_constraints, w.ca ? "critical,CA:TRUE" : "CA:FALSE");
    extend(c, issuer, NID_subject_alt_name, w.sans);
    extend(c, issuer, NID_ext_key_usage, w.usage);
    assert_true(X509_sign(c, w.issuer ? w.issuer->key : id.key, EVP_sha256()) > 0);

    PEM_write_bio_X509(bio, c);
    id.certificate_pem = bio_text(bio);
    bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey(bio, id.key, NULL, NULL, 0, NULL, NULL);
    id.key_pem = bio_text(bio);
    return id;
}

static inline void identity_free(struct identity *id)
{
    EVP_PKEY_free(id->key);
    X509_free(id->certificate);
    free(id->key_pem);
    free(id->certificate_pem);
}

#endif
