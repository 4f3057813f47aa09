/* What is wrong with a tls_server_config, and in which words its owner hears of it. */
#include "server/web/transport_open.h"

#include <errno.h>
#include <sys/stat.h>

#include "certificates.h"
#include "scratch.h"

#define LIST(...)                                                                      \
    {                                                                                  \
        (const char *const[]){ __VA_ARGS__ },                                          \
            sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *)              \
    }

static const struct transport *tls;
static struct identity good, other;

static int setup(void **state)
{
    struct err e;

    if (transport_open(TRANSPORT_TLS, &tls, &e) < 0)
        fail_msg("%s", e.text);
    good = identity_make((struct wish){ .name = "server" });
    other = identity_make((struct wish){ .name = "other" });
    return scratch_setup(state);
}

static int teardown(void **state)
{
    identity_free(&good);
    identity_free(&other);
    return scratch_teardown(state);
}

static struct tls_settings settings(void)
{
    return (struct tls_settings){ .cert = good.certificate_pem, .key = good.key_pem };
}

static void assert_good(struct tls_settings s)
{
    struct transport_context *c = NULL;
    struct err e = { 0 };

    if (tls->server_context(&s, &c, &e) < 0)
        fail_msg("%s", e.text);
    tls->context_unref(c);
}

static void assert_wrong(struct tls_settings s, const char *fmt, ...)
{
    struct transport_context *c = NULL;
    struct err e = { 0 };
    char text[512];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    assert_true(tls->server_context(&s, &c, &e) < 0);
    assert_null(c);
    assert_true(e.code < 0);
    if (strncmp(e.text, text, strlen(text)) != 0)
        fail_msg("\"%s\" does not begin with \"%s\"", e.text, text);
}

static void files_and_texts_may_be_mixed(void **state)
{
    struct tls_settings s = settings();

    (void)state;
    assert_good(s);
    scratch_write("cert.pem", good.certificate_pem);
    scratch_write("key.pem", good.key_pem);
    s.cert = NULL;
    s.cert_file = scratch_path("cert.pem");
    assert_good(s);
    s.key = NULL;
    s.key_file = scratch_path("key.pem");
    assert_good(s);
    s.cert_file = NULL;
    s.cert = good.certificate_pem;
    assert_good(s);
}

static void a_missing_file_is_named(void **state)
{
    struct tls_settings s = settings();

    (void)state;
    s.cert = NULL;
    assert_wrong(s, "cert_file: neither cert nor cert_file is given");
    s.cert_file = "/nowhere/cert.pem";
    assert_wrong(s, "cert_file: /nowhere/cert.pem: No such file or directory");
    s = settings();
    s.key = NULL;
    assert_wrong(s, "key_file: neither key nor key_file is given");
    s.key_file = "/nowhere/key.pem";
    assert_wrong(s, "key_file: /nowhere/key.pem: No such file or directory");
    s = settings();
    s.client_auth = TLS_REQUIRE_AND_VERIFY_CLIENT_CERT;
    s.client_ca_file = "/nowhere/ca.pem";
    assert_wrong(s, "client_ca_file: /nowhere/ca.pem: No such file or directory");
}

static void what_is_no_small_file_is_not_read(void **state)
{
    struct tls_settings s = settings();
    const char *fifo = scratch_path("fifo"), *big = scratch_path("big");

    (void)state;
    s.key = NULL;
    s.key_file = scratch;
    assert_wrong(s, "key_file: %s: is no regular file", scratch);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    s.key_file = fifo;
    assert_wrong(s, "key_file: %s: is no regular file", fifo);
    s.key_file = "/dev/zero";
    assert_wrong(s, "key_file: /dev/zero: is no regular file");
    scratch_write("big", "x");
    assert_int_equal(truncate(big, 1024 * 1024 + 1), 0);
    s.key_file = big;
    assert_wrong(s, "key_file: %s: has more than 1048576 bytes", big);
}

static void a_key_of_another_certificate_is_refused_naming_both(void **state)
{
    struct tls_settings s = settings();

    (void)state;
    s.key = other.key_pem;
    assert_wrong(s, "key: the key does not belong to the certificate (cert)");
    scratch_write("cert.pem", good.certificate_pem);
    scratch_write("key.pem", other.key_pem);
    s = (struct tls_settings){ .cert_file = scratch_path("cert.pem"),
                               .key_file = scratch_path("key.pem") };
    assert_wrong(s,
                 "key_file: %s: the key does not belong to the certificate (cert_file: "
                 "%s)",
                 s.key_file, s.cert_file);
}

static void what_is_no_certificate_or_key_is_refused(void **state)
{
    struct tls_settings s = settings();
    char cut[8192], two[8192];
    BIO *bio = BIO_new(BIO_s_mem());
    char *locked;

    (void)state;
    s.cert = "";
    assert_wrong(s, "cert: has no certificate in PEM form");
    s.cert = good.key_pem;
    assert_wrong(s, "cert: has no certificate in PEM form");
    snprintf(cut, sizeof cut, "%.300s", good.certificate_pem);
    s.cert = cut;
    assert_wrong(s, "cert: certificate 1 cannot be read: ");
    snprintf(two, sizeof two, "%s%s", good.certificate_pem, cut);
    s.cert = two;
    assert_wrong(s, "cert: certificate 2 cannot be read: ");
    s = settings();
    s.key = good.certificate_pem;
    assert_wrong(s, "key: has no private key in PEM form: ");
    PEM_write_bio_PKCS8PrivateKey(bio, good.key, EVP_aes_128_cbc(), "secret", 6, NULL,
                                  NULL);
    locked = bio_text(bio);
    s.key = locked;
    assert_wrong(s, "key: the key is encrypted; it must be without password");
    free(locked);
}

static void key_and_certificate_may_share_a_file(void **state)
{
    char both[8192];
    struct tls_settings s = { .cert = both, .key = both };

    (void)state;
    snprintf(both, sizeof both, "a remark\n%s\n%s", good.key_pem, good.certificate_pem);
    assert_good(s);
}

static void a_certificate_too_weak_for_this_openssl_is_refused(void **state)
{
    struct identity weak =
        identity_make((struct wish){ .name = "weak", .rsa_bits = 1024 });
    struct tls_settings s = settings();

    (void)state;
    s.cert = weak.certificate_pem;
    s.key = weak.key_pem;
    assert_wrong(s, "cert: the certificate cannot be used: ee key too small");
    identity_free(&weak);
}

static void client_settings_that_cannot_be_meant_are_refused(void **state)
{
    struct tls_list sans = LIST("scraper");
    struct tls_settings s = settings();

    (void)state;
    s.client_ca = good.certificate_pem;
    assert_wrong(s, "client_ca: has no effect without client_auth_type");
    s.client_ca = NULL;
    s.client_ca_file = "/nowhere";
    assert_wrong(s, "client_ca_file: has no effect without client_auth_type");
    s = settings();
    s.client_auth = TLS_REQUIRE_AND_VERIFY_CLIENT_CERT;
    assert_wrong(s,
                 "client_auth_type: RequireAndVerifyClientCert needs client_ca_file");
    s.client_ca = "no certificate in here\n";
    assert_wrong(s, "client_ca: has no certificate in PEM form");
    s = settings();
    s.client_allowed_sans = sans;
    assert_wrong(s, "client_allowed_sans: needs client_auth_type");
    s.client_auth = TLS_VERIFY_CLIENT_CERT_IF_GIVEN;
    assert_wrong(s, "client_allowed_sans: needs client_auth_type");
    s.client_auth = TLS_REQUIRE_ANY_CLIENT_CERT;
    assert_good(s);
    s = settings();
    s.client_auth = TLS_VERIFY_CLIENT_CERT_IF_GIVEN;
    assert_good(s); /* by the CAs of the machine, as in Go */
}

static void versions_that_exclude_each_other_are_refused(void **state)
{
    struct tls_list new = LIST("TLS_AES_128_GCM_SHA256");
    struct tls_settings s = settings();

    (void)state;
    s.min_version = TLS_VERSION_13;
    s.max_version = TLS_VERSION_12;
    assert_wrong(s, "min_version: TLS13 is above max_version TLS12");
    s = settings();
    s.cipher_suites = new;
    assert_good(s);
    s.max_version = TLS_VERSION_12;
    assert_wrong(s, "cipher_suites: none of them is one of TLS 1.2");
}

static void names_that_are_not_known_are_named(void **state)
{
    struct tls_list suites = LIST("TLS_AES_128_GCM_SHA256", "TLS_INVENTED");
    struct tls_list curves = LIST("CurveP256", "CurveP257");
    struct tls_settings s = settings();

    (void)state;
    s.cipher_suites = suites;
    assert_wrong(s, "cipher_suites: unknown cipher suite TLS_INVENTED");
    s = settings();
    s.curve_preferences = curves;
    assert_wrong(s, "curve_preferences: unknown curve CurveP257");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_and_texts_may_be_mixed),
        cmocka_unit_test(a_missing_file_is_named),
        cmocka_unit_test(what_is_no_small_file_is_not_read),
        cmocka_unit_test(a_key_of_another_certificate_is_refused_naming_both),
        cmocka_unit_test(what_is_no_certificate_or_key_is_refused),
        cmocka_unit_test(key_and_certificate_may_share_a_file),
        cmocka_unit_test(a_certificate_too_weak_for_this_openssl_is_refused),
        cmocka_unit_test(client_settings_that_cannot_be_meant_are_refused),
        cmocka_unit_test(versions_that_exclude_each_other_are_refused),
        cmocka_unit_test(names_that_are_not_known_are_named),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
