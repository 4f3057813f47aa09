#include "server/tls/ciphers.h"

#include <errno.h>
#include <string.h>

#include <openssl/ssl.h>

#include "test.h"

#define LIST(...)                                                                      \
    {                                                                                  \
        (const char *const[]){ __VA_ARGS__ },                                          \
            sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *)              \
    }

/* What CipherSuites() of Go 1.21 lists for TLS 1.2, in its order. */
static const char *const gos[] = {
    "TLS_RSA_WITH_AES_128_CBC_SHA",
    "TLS_RSA_WITH_AES_256_CBC_SHA",
    "TLS_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
};

/* OpenSSL's standard names of what it makes of a list of its own names, in order. */
static size_t suites_of(const char *list, const char *out[], size_t max)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    STACK_OF(SSL_CIPHER) * all;
    size_t n = 0;

    assert_int_equal(SSL_CTX_set_ciphersuites(ctx, ""), 1);
    assert_int_equal(SSL_CTX_set_cipher_list(ctx, list), 1);
    all = SSL_CTX_get_ciphers(ctx);
    for (int i = 0; i < sk_SSL_CIPHER_num(all) && n < max; i++)
        out[n++] = SSL_CIPHER_standard_name(sk_SSL_CIPHER_value(all, i));
    SSL_CTX_free(ctx);
    return n;
}

static void every_name_of_go_is_the_suite_of_that_name(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof gos / sizeof *gos; i++) {
        const struct tls_settings s = { .cipher_suites = { &gos[i], 1 } };
        struct cipher_choice c;
        const char *got[4];
        struct err e;

        assert_int_equal(cipher_choice_init(&c, &s, &e), 0);
        assert_int_equal(suites_of(c.tls12, got, 4), 1);
        assert_string_equal(got[0], gos[i]); /* by OpenSSL's table, not by ours */
        cipher_choice_deinit(&c);
    }
}

static void a_list_keeps_its_order(void **state)
{
    (void)state;
    const struct tls_settings s = {
        .cipher_suites = LIST("TLS_RSA_WITH_AES_256_CBC_SHA", "TLS_AES_256_GCM_SHA384",
                              "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305",
                              "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"),
        .curve_preferences = LIST("CurveP521", "X25519", "CurveP256", "CurveP384"),
    };
    struct cipher_choice c;
    struct err e;

    assert_int_equal(cipher_choice_init(&c, &s, &e), 0);
    assert_string_equal(c.tls12, "AES256-SHA:ECDHE-RSA-CHACHA20-POLY1305:"
                                 "ECDHE-ECDSA-AES128-GCM-SHA256");
    assert_string_equal(c.curves, "P-521:X25519:P-256:P-384");
    cipher_choice_deinit(&c);
}

static void nothing_listed_is_nothing_chosen(void **state)
{
    (void)state;
    const struct tls_settings s = { 0 };
    struct cipher_choice c;
    struct err e;

    assert_int_equal(cipher_choice_init(&c, &s, &e), 0);
    assert_null(c.tls12);
    assert_null(c.curves);
    cipher_choice_deinit(&c);
}

static void suites_of_1_3_alone_leave_none_for_1_2(void **state)
{
    (void)state;
    const struct tls_settings s = {
        .cipher_suites = LIST("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384",
                              "TLS_CHACHA20_POLY1305_SHA256"),
    };
    struct cipher_choice c;
    struct err e;

    assert_int_equal(cipher_choice_init(&c, &s, &e), 0);
    assert_string_equal(c.tls12, "");
    cipher_choice_deinit(&c);
}

static void the_default_is_forward_secret_and_authenticated(void **state)
{
    (void)state;
    const char *got[16];
    size_t n = suites_of(cipher_default_tls12, got, 16);

    assert_int_equal(n, 6);
    for (size_t i = 0; i < n; i++) {
        assert_non_null(strstr(got[i], "_ECDHE_"));
        assert_true(strstr(got[i], "_GCM_") || strstr(got[i], "_POLY1305_"));
    }
}

static void assert_refused(const struct tls_settings *s, const char *text)
{
    struct cipher_choice c;
    struct err e;

    assert_int_equal(cipher_choice_init(&c, s, &e), -EINVAL);
    assert_string_equal(e.text, text);
}

static void an_unknown_name_is_named(void **state)
{
    (void)state;
    assert_refused(&(const struct tls_settings){ .cipher_suites = LIST(
                                                     "TLS_AES_128_GCM_SHA256",
                                                     "TLS_RSA_WITH_AES_129_CBC_SHA") },
                   "cipher_suites: unknown cipher suite TLS_RSA_WITH_AES_129_CBC_SHA");
    /* OpenSSL's own names, and its commands, are none of the configuration's. */
    assert_refused(&(const struct tls_settings){ .cipher_suites = LIST("AES128-SHA") },
                   "cipher_suites: unknown cipher suite AES128-SHA");
    assert_refused(&(const struct tls_settings){ .cipher_suites = LIST("") },
                   "cipher_suites: unknown cipher suite ");
    assert_refused(&(const struct tls_settings){ .curve_preferences = LIST("P-256") },
                   "curve_preferences: unknown curve P-256; known are X25519, "
                   "CurveP256, CurveP384 and CurveP521");
}

static void what_go_calls_insecure_is_refused_as_unsafe(void **state)
{
    (void)state;
    assert_refused(&(const struct tls_settings){ .cipher_suites =
                                                     LIST("TLS_RSA_WITH_RC4_128_SHA") },
                   "cipher_suites: TLS_RSA_WITH_RC4_128_SHA is unsafe and not offered");
    assert_refused(
        &(const struct tls_settings){
            .cipher_suites = LIST("TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256") },
        "cipher_suites: TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256 is unsafe and "
        "not offered");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_name_of_go_is_the_suite_of_that_name),
        cmocka_unit_test(a_list_keeps_its_order),
        cmocka_unit_test(nothing_listed_is_nothing_chosen),
        cmocka_unit_test(suites_of_1_3_alone_leave_none_for_1_2),
        cmocka_unit_test(the_default_is_forward_secret_and_authenticated),
        cmocka_unit_test(an_unknown_name_is_named),
        cmocka_unit_test(what_go_calls_insecure_is_refused_as_unsafe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
