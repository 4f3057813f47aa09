/*
 * What a web config may say, what it means, and what is said of the rest: with the line and
 * the key, as exporter-toolkit's own examples and their variations have them.
 */
#include "tests/unit/test.h"

#include "core/buf.h"
#include "server/web/toolbox.h"
#include "server/web/web_config.h"
#include "tests/unit/scratch.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#define ALICE "$2y$12$1DpfPeqF9HzHJt.EWswy1exHluGfbhnn3yXhR7Xes6m3WJqFg0Wby"
#define TLS                                                                            \
    "tls_server_config:\n"                                                             \
    "  cert_file: server.crt\n"                                                        \
    "  key_file: server.key\n"

static const char file[] = "conf/web.yml";

static struct web_config *good_text(struct view text)
{
    struct web_config *c = NULL;
    struct err e = { 0 };

    if (web_config_parse(&encode_toolbox, text, file, &c, &e) < 0)
        fail_msg("refused: %s", e.text);
    return c;
}

static struct web_config *good(const char *text)
{
    return good_text(view_of(text));
}

static void bad_text(struct view text, const char *message)
{
    struct web_config *c = NULL;
    struct err e = { 0 };

    assert_int_equal(web_config_parse(&encode_toolbox, text, file, &c, &e), -EINVAL);
    assert_null(c);
    assert_int_equal(e.code, -EINVAL);
    assert_null(strchr(e.text, '\n'));
    if (strncmp(e.text, message, strlen(message)) != 0)
        fail_msg("got:  %s\nwant: %s", e.text, message);
}

static void bad(const char *text, const char *message)
{
    bad_text(view_of(text), message);
}

/* ---- what is read --------------------------------------------------------------------- */

static void a_text_that_says_nothing_opens_everything(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "", "\n\n", "# nothing\n", "---\n", "---\n...\n", "null\n", "~",
    };

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct web_config *c = good(texts[i]);

        assert_true(c->empty);
        assert_false(c->has_tls);
        assert_int_equal(c->user_count, 0);
        assert_string_equal(c->headers, "");
        assert_true(c->rate_interval_ns == 0);
        web_config_unref(c);
    }
}

static void sections_that_say_nothing_are_as_if_left_out(void **state)
{
    struct web_config *c = good("{tls_server_config: , http_server_config: ~,\n"
                                " basic_auth_users: null, rate_limit: {}}\n");

    (void)state;
    assert_false(c->empty); /* somebody meant it */
    assert_false(c->has_tls);
    assert_int_equal(c->user_count, 0);
    web_config_unref(c);
    c = good("tls_server_config: {}\nbasic_auth_users: {}\n");
    assert_false(c->has_tls);
    assert_false(c->empty);
    web_config_unref(c);
}

static void every_key_of_tls_is_read(void **state)
{
    struct web_config *c = good("tls_server_config:\n"
                                "  cert_file: server.crt\n"
                                "  key_file: /etc/keys/server.key\n"
                                "  client_auth_type: RequireAndVerifyClientCert\n"
                                "  client_ca_file: \"ca/chain.pem\"\n"
                                "  client_allowed_sans: [one, 'two.example']\n"
                                "  min_version: TLS12\n"
                                "  max_version: TLS13\n"
                                "  cipher_suites:\n"
                                "  - TLS_AES_128_GCM_SHA256\n"
                                "  - TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384\n"
                                "  curve_preferences:\n"
                                "    - CurveP256\n"
                                "  prefer_server_cipher_suites: false\n");
    const struct tls_settings *t = &c->tls;

    (void)state;
    assert_true(c->has_tls);
    /* relative to the config, which is conf/web.yml */
    assert_string_equal(t->cert_file, "conf/server.crt");
    assert_string_equal(t->key_file, "/etc/keys/server.key");
    assert_string_equal(t->client_ca_file, "conf/ca/chain.pem");
    assert_null(t->cert);
    assert_null(t->key);
    assert_null(t->client_ca);
    assert_int_equal(t->client_auth, TLS_REQUIRE_AND_VERIFY_CLIENT_CERT);
    assert_int_equal(t->client_allowed_sans.count, 2);
    assert_string_equal(t->client_allowed_sans.items[1], "two.example");
    assert_int_equal(t->min_version, TLS_VERSION_12);
    assert_int_equal(t->max_version, TLS_VERSION_13);
    assert_int_equal(t->cipher_suites.count, 2);
    assert_string_equal(t->cipher_suites.items[0], "TLS_AES_128_GCM_SHA256");
    assert_int_equal(t->curve_preferences.count, 1);
    assert_false(t->prefer_server_cipher_suites);
    web_config_unref(c);
}

static void certificate_and_key_may_stand_in_the_file(void **state)
{
    struct web_config *c = good("tls_server_config:\n"
                                "  cert: |\n"
                                "    -----BEGIN CERTIFICATE-----\n"
                                "    AAAA\n"
                                "    -----END CERTIFICATE-----\n"
                                "  key: |\n"
                                "    -----BEGIN PRIVATE KEY-----\n"
                                "    BBBB\n"
                                "    -----END PRIVATE KEY-----\n"
                                "  client_auth_type: \"VerifyClientCertIfGiven\"\n");

    (void)state;
    assert_string_equal(c->tls.cert, "-----BEGIN CERTIFICATE-----\nAAAA\n"
                                     "-----END CERTIFICATE-----\n");
    assert_string_equal(c->tls.key, "-----BEGIN PRIVATE KEY-----\nBBBB\n"
                                    "-----END PRIVATE KEY-----\n");
    assert_null(c->tls.cert_file);
    assert_true(c->tls.prefer_server_cipher_suites); /* unless it says no */
    assert_int_equal(c->tls.min_version, TLS_VERSION_UNSAID);
    web_config_unref(c);
}

static void client_auth_has_all_its_values(void **state)
{
    static const struct {
        const char *name;
        enum tls_client_auth how;
    } known[] = {
        { "NoClientCert", TLS_NO_CLIENT_CERT },
        { "\"\"", TLS_NO_CLIENT_CERT },
        { "RequestClientCert", TLS_REQUEST_CLIENT_CERT },
        { "RequireAnyClientCert", TLS_REQUIRE_ANY_CLIENT_CERT },
        { "RequireClientCert", TLS_REQUIRE_ANY_CLIENT_CERT },
        { "VerifyClientCertIfGiven", TLS_VERIFY_CLIENT_CERT_IF_GIVEN },
        { "RequireAndVerifyClientCert", TLS_REQUIRE_AND_VERIFY_CLIENT_CERT },
    };

    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        char text[200];
        struct web_config *c;

        snprintf(text, sizeof text, TLS "  client_auth_type: %s\n", known[i].name);
        c = good(text);
        assert_int_equal(c->tls.client_auth, known[i].how);
        web_config_unref(c);
    }
}

static void headers_become_lines_of_an_answer(void **state)
{
    /* exporter-toolkit, web/testdata/web_config_headers.good.yml */
    struct web_config *c = good(
        "http_server_config:\n"
        "  headers:\n"
        "    X-Frame-Options: deny\n"
        "    Strict-Transport-Security: max-age=31536000; includeSubDomains\n"
        "    X-Content-Type-Options: nosniff\n"
        "    X-XSS-Protection: 1\n"
        "    Content-Security-Policy: \"default-src 'self' *.test.example.net\"\n");

    (void)state;
    assert_string_equal(
        c->headers,
        "X-Frame-Options: deny\r\n"
        "Strict-Transport-Security: max-age=31536000; includeSubDomains\r\n"
        "X-Content-Type-Options: nosniff\r\n"
        "X-XSS-Protection: 1\r\n"
        "Content-Security-Policy: default-src 'self' *.test.example.net\r\n");
    web_config_unref(c);
    c = good("http_server_config: {http2: off, headers: {X-Frame-Options: '',\n"
             " X-XSS-Protection: }}\n"); /* unset if blank */
    assert_string_equal(c->headers, "");
    assert_false(c->http2);
    web_config_unref(c);
}

static void users_are_names_and_hashes_in_their_order(void **state)
{
    struct web_config *c = good("basic_auth_users:\n"
                                "  alice: " ALICE "\n"
                                "  \"b \\u00f6b\": '$2a$04"
                                "$"
                                "abcdefghijklmnopqrstuu"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ01234'\n"
                                "  1: $2b$10$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/"
                                "VcEd00UAV/LDeSi\n");

    (void)state;
    assert_int_equal(c->user_count, 3);
    assert_view(c->users[0].name, "alice");
    assert_string_equal(c->users[0].hash, ALICE);
    assert_view(c->users[1].name, "b \xC3\xB6"
                                  "b");
    assert_view(c->users[2].name, "1");
    assert_int_equal(c->notice_count, 0);
    web_config_unref(c);
}

static void slow_hashes_are_worth_a_notice(void **state)
{
    struct web_config *c =
        good("basic_auth_users:\n"
             "  fast: " ALICE "\n"
             "  slow: $2y$15$1DpfPeqF9HzHJt.EWswy1exHluGfbhnn3yXhR7Xes6m3WJqFg0Wby\n");

    (void)state;
    assert_int_equal(c->notice_count, 1);
    assert_non_null(strstr(c->notices[0], "conf/web.yml:3: basic_auth_users.slow: "));
    web_config_unref(c);
}

static void durations_are_those_of_go(void **state)
{
    static const struct {
        const char *text;
        uint64_t ns;
    } known[] = {
        { "0", 0 },
        { "\"1s\"", 1000000000 },
        { "1.5h", 5400000000000 },
        { "1m30s", 90000000000 },
        { "250ms", 250000000 },
        { "3us", 3000 },
        { "3\xC2\xB5s", 3000 },
        { "7ns", 7 },
        { "0s", 0 },
        { ".5s", 500000000 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        char text[100];
        struct web_config *c;

        snprintf(text, sizeof text, "rate_limit: {interval: %s, burst: 20}",
                 known[i].text);
        c = good(text);
        if (c->rate_interval_ns != known[i].ns)
            fail_msg("%s: %llu", known[i].text,
                     (unsigned long long)c->rate_interval_ns);
        assert_int_equal(c->rate_burst, 20);
        web_config_unref(c);
    }
}

static void a_rate_that_lets_nobody_in_is_worth_a_notice(void **state)
{
    /* exporter-toolkit, web/testdata/web_config_rate_limiter_one_second.yaml */
    struct web_config *c = good("rate_limit:\n  interval: \"1s\"\n  burst: 0\n");

    (void)state;
    assert_int_equal(c->notice_count, 1);
    assert_non_null(strstr(c->notices[0], "conf/web.yml:1: rate_limit: "));
    web_config_unref(c);
    /* … and …_nonblocking.yaml: switched off */
    c = good("rate_limit:\n  interval: 0\n  burst: 0\n");
    assert_int_equal(c->notice_count, 0);
    web_config_unref(c);
}

static void aliases_stand_for_what_has_their_name(void **state)
{
    struct web_config *c = good("basic_auth_users:\n"
                                "  alice: &hash " ALICE "\n"
                                "  bob: *hash\n");

    (void)state;
    assert_int_equal(c->user_count, 2);
    assert_string_equal(c->users[1].hash, ALICE);
    web_config_unref(c);
}

static void windows_lines_and_a_mark_of_utf8_are_fine(void **state)
{
    struct web_config *c = good("\xEF\xBB\xBF"
                                "basic_auth_users:\r\n  alice: " ALICE "\r\n");

    (void)state;
    assert_int_equal(c->user_count, 1);
    assert_string_equal(c->users[0].hash, ALICE);
    web_config_unref(c);
}

static void equal_texts_say_the_same(void **state)
{
    struct web_config *a = good(TLS), *b = good(TLS), *c = good(TLS "\n");

    (void)state;
    assert_true(hash_eq(a->says.part, b->says.part));
    assert_false(hash_eq(a->says.part, c->says.part));
    web_config_unref(a);
    web_config_unref(b);
    web_config_unref(c);
}

/* ---- what is refused ------------------------------------------------------------------ */

static void what_is_no_yaml_is_refused_with_its_line(void **state)
{
    (void)state;
    bad("tls_server_config:\n\tcert_file: x\n", "conf/web.yml:2: found character that");
    bad("a: [1, 2\nb: 3\n", "conf/web.yml:2: ");
    bad("a: \"never ends", "conf/web.yml:1: ");
    bad("a: b: c\n", "conf/web.yml:1: mapping values are not allowed");
    bad("a: \xff\xfe\n", "conf/web.yml: byte 3: ");
    bad("a: \x01\n", "conf/web.yml: byte 3: control characters");
    bad_text(VIEW("a: \"x\\0y\"\n"), "conf/web.yml:1: a text with a NUL");
    bad_text(VIEW("a: \0\n"), "conf/web.yml: byte 3: ");
    bad_text(VIEW("\xFF\xFE"
                  "a\0:\0"),
             "conf/web.yml: byte 0: ");
}

static void what_is_more_than_one_config_is_refused(void **state)
{
    (void)state;
    bad("rate_limit:\n---\nrate_limit:\n", "conf/web.yml:2: a second document");
    bad("- a\n", "conf/web.yml:1: a list where a map is due");
    bad("junk\n", "conf/web.yml:1: a text where a map is due");
}

static void unknown_keys_are_refused(void **state)
{
    (void)state;
    bad("nothing: 1\n", "conf/web.yml:1: nothing: unknown key; known are "
                        "tls_server_config, http_server_config, basic_auth_users, "
                        "rate_limit");
    /* exporter-toolkit, web/testdata/web_config_junk_key.yml */
    bad("tls_server_config:\n  cert_filse: \"server.crt\"\n",
        "conf/web.yml:2: tls_server_config.cert_filse: unknown key");
    bad("\n\nhttp_server_config:\n  http3: true\n",
        "conf/web.yml:4: http_server_config.http3: unknown key; known are http2, "
        "headers");
    bad("rate_limit:\n  interval: 1s\n  bursts: 1\n",
        "conf/web.yml:3: rate_limit.bursts: unknown key; known are interval, burst");
    bad("\"new\\nline\": 1\n", "conf/web.yml:1: new?line: unknown key");
    bad("[a]: 1\n", "conf/web.yml:1: a key that is no text");
    bad("<<: {rate_limit: }\n", "conf/web.yml:1: merge keys");
    bad("rate_limit: !!binary aaaa\n", "conf/web.yml:1: a tag");
    bad("rate_limit: !thing {}\n", "conf/web.yml:1: a tag");
}

static void keys_that_are_there_twice_are_refused(void **state)
{
    (void)state;
    bad("rate_limit:\nbasic_auth_users:\nrate_limit:\n",
        "conf/web.yml:3: \"rate_limit\" is there already, on line 1");
    bad("basic_auth_users:\n  alice: " ALICE "\n  bob: " ALICE "\n  alice: " ALICE "\n",
        "conf/web.yml:4: \"alice\" is there already, on line 2");
    bad("basic_auth_users:\n  1: " ALICE "\n  '1': " ALICE "\n",
        "conf/web.yml:3: \"1\" is there already, on line 2");
}

static void wrong_kinds_of_values_are_refused(void **state)
{
    (void)state;
    bad("tls_server_config: server.crt\n",
        "conf/web.yml:1: tls_server_config: a text where a map is due");
    bad("tls_server_config:\n  cert_file: [a]\n",
        "conf/web.yml:2: tls_server_config.cert_file: a list where a text is due");
    bad("tls_server_config:\n  cert: {}\n",
        "conf/web.yml:2: tls_server_config.cert: a map where a text is due");
    bad(TLS "  cipher_suites: TLS_AES_128_GCM_SHA256\n",
        "conf/web.yml:4: tls_server_config.cipher_suites: a text where a list is due");
    bad(TLS "  cipher_suites:\n  - a\n  - {}\n",
        "conf/web.yml:6: tls_server_config.cipher_suites: a map where a text is due");
    bad(TLS "  curve_preferences: [a, '']\n",
        "conf/web.yml:4: tls_server_config.curve_preferences: an empty entry");
    bad(TLS "  prefer_server_cipher_suites: maybe\n",
        "conf/web.yml:4: tls_server_config.prefer_server_cipher_suites: neither true "
        "nor");
    bad(TLS "  prefer_server_cipher_suites: \"true\"\n", /* a text, to Go */
        "conf/web.yml:4: tls_server_config.prefer_server_cipher_suites: neither true "
        "nor");
    bad("http_server_config:\n  http2: 1\n",
        "conf/web.yml:2: http_server_config.http2: neither true nor false");
    bad("http_server_config:\n  headers: [X-Frame-Options]\n",
        "conf/web.yml:2: http_server_config.headers: a list where a map is due");
    bad("basic_auth_users: [alice]\n",
        "conf/web.yml:1: basic_auth_users: a list where a map is due");
    bad("basic_auth_users:\n  alice: [x]\n",
        "conf/web.yml:2: basic_auth_users.alice: a list where a text is due");
    bad("rate_limit:\n  burst: [1]\n",
        "conf/web.yml:2: rate_limit.burst: a list where a text is due");
}

static void certificates_without_keys_are_refused(void **state)
{
    (void)state;
    /* exporter-toolkit, web/testdata/web_config_noAuth_*_empty.bad.yml */
    bad("tls_server_config:\n  cert: \"\"\n  key_file: \"server.key\"\n",
        "conf/web.yml:1: tls_server_config: missing one of cert or cert_file");
    bad("tls_server_config:\n  cert_file: \"\"\n  key_file: \"server.key\"\n",
        "conf/web.yml:1: tls_server_config: missing one of cert or cert_file");
    bad("tls_server_config:\n  cert_file: \"server.crt\"\n  key_file: \"\"\n",
        "conf/web.yml:1: tls_server_config: missing one of key or key_file");
    bad("tls_server_config:\n  cert_file: \"server.crt\"\n  key: \"\"\n",
        "conf/web.yml:1: tls_server_config: missing one of key or key_file");
    /* Nothing of TLS is silently plain HTTP. */
    bad("tls_server_config:\n  min_version: TLS13\n",
        "conf/web.yml:1: tls_server_config: missing one of cert or cert_file");
    bad(TLS "  cert: x\n",
        "conf/web.yml:4: tls_server_config.cert: cert_file is there, too");
    bad(TLS "  key: x\n",
        "conf/web.yml:4: tls_server_config.key: key_file is there, too");
    bad(TLS "  client_auth_type: RequestClientCert\n  client_ca: x\n"
            "  client_ca_file: y\n",
        "conf/web.yml:5: tls_server_config.client_ca: client_ca_file is there, too");
}

static void client_certificates_are_asked_for_or_not_spoken_of(void **state)
{
    (void)state;
    /* …_noAuth_certPath_keyPath_empty.bad.yml: the first fault met is told */
    bad("tls_server_config:\n  cert_file: \"\"\n  key_file: \"\"\n"
        "  client_auth_type: \"x\"\n",
        "conf/web.yml:4: tls_server_config.client_auth_type: none of NoClientCert");
    /* …_noAuth.bad.yml, …_auth_clientCAs_invalid.bad.yml */
    bad(TLS "  client_ca_file: \"/dev/null\"\n",
        "conf/web.yml:4: tls_server_config.client_ca_file: has no effect without "
        "client_auth_type");
    bad(TLS "  client_ca: x\n  client_auth_type: NoClientCert\n",
        "conf/web.yml:4: tls_server_config.client_ca: has no effect without");
    /* …_auth_client_san_no_client_auth.bad.yaml, …_optional_cert.bad.yaml */
    bad(TLS "  client_allowed_sans:\n    - \"one\"\n",
        "conf/web.yml:4: tls_server_config.client_allowed_sans: needs "
        "client_auth_type");
    bad(TLS
        "  client_allowed_sans: [one]\n  client_auth_type: VerifyClientCertIfGiven\n",
        "conf/web.yml:4: tls_server_config.client_allowed_sans: needs "
        "client_auth_type");
    bad(TLS "  client_auth_type: RequireAnyClientCert\n  client_allowed_sans: []\n",
        "conf/web.yml:5: tls_server_config.client_allowed_sans: an empty list");
}

static void old_and_unknown_versions_are_refused_with_the_reason(void **state)
{
    (void)state;
    bad(TLS "  min_version: TLS10\n",
        "conf/web.yml:4: tls_server_config.min_version: TLS10 is not offered: it is "
        "broken and was withdrawn in 2021 (RFC 8996)");
    bad(TLS "  max_version: TLS11\n",
        "conf/web.yml:4: tls_server_config.max_version: TLS11 is not offered");
    /* …_noAuth_wrongTLSVersion.bad.yml */
    bad(TLS "  min_version: TLS111\n",
        "conf/web.yml:4: tls_server_config.min_version: unknown TLS version");
    bad(TLS "  min_version: tls12\n",
        "conf/web.yml:4: tls_server_config.min_version: unknown TLS version");
    bad(TLS "  max_version: TLS12\n  min_version: TLS13\n",
        "conf/web.yml:5: tls_server_config.min_version: above max_version");
}

static void headers_other_than_the_five_are_refused(void **state)
{
    static const char head[] = "http_server_config:\n  headers:\n";
    char text[6000];

    (void)state;
    /* …_headers_extra_header.bad.yml, …_frame_options.bad.yml, …_content_type_options */
    snprintf(text, sizeof text, "%s    Content-Type: foo\n", head);
    bad(text, "conf/web.yml:3: http_server_config.headers.Content-Type: this header "
              "cannot be set");
    snprintf(text, sizeof text, "%s    X-Frame-Options: foo\n", head);
    bad(text,
        "conf/web.yml:3: http_server_config.headers.X-Frame-Options: invalid value; "
        "allowed: deny|sameorigin");
    snprintf(text, sizeof text, "%s    X-Content-Type-Options: foo\n", head);
    bad(text, "conf/web.yml:3: http_server_config.headers.X-Content-Type-Options: "
              "invalid value");
    snprintf(text, sizeof text, "%s    x-frame-options: deny\n", head);
    bad(text, "conf/web.yml:3: http_server_config.headers.x-frame-options: this header "
              "cannot");
    snprintf(text, sizeof text, "%s    X-XSS-Protection: \"1\\r\\nSet-Cookie: a\"\n",
             head);
    bad(text,
        "conf/web.yml:3: http_server_config.headers.X-XSS-Protection: a line break");
    snprintf(text, sizeof text, "%s    X-XSS-Protection: \" 1\"\n", head);
    bad(text, "conf/web.yml:3: http_server_config.headers.X-XSS-Protection: a line "
              "break, or a");
    snprintf(text, sizeof text, "%s    Content-Security-Policy: \"%05000d\"\n", head,
             0);
    bad(text, "conf/web.yml:3: http_server_config.headers.Content-Security-Policy: all "
              "headers "
              "together are longer than 4096 bytes");
}

static void hashes_that_are_none_are_refused_and_not_repeated(void **state)
{
    struct web_config *c;
    struct err e;

    (void)state;
    /* …_auth_user_list_invalid.bad.yml */
    bad("basic_auth_users:\n  john: doe\n", "conf/web.yml:2: basic_auth_users.john: no "
                                            "bcrypt hash: it begins with none of");
    bad("basic_auth_users:\n  john:\n",
        "conf/web.yml:2: basic_auth_users.john: no bcrypt hash");
    bad("basic_auth_users:\n  a: "
        "$2x$10$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/"
        "LDeSi\n",
        "conf/web.yml:2: basic_auth_users.a: no bcrypt hash: it begins");
    bad("basic_auth_users:\n  a: "
        "$2y$10$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/"
        "LDeS\n", /* one letter is missing */
        "conf/web.yml:2: basic_auth_users.a: no bcrypt hash: after $2y$");
    bad("basic_auth_users:\n  a: "
        "$2y$10$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/"
        "LDeSi=\n",
        "conf/web.yml:2: basic_auth_users.a: no bcrypt hash: after $2y$");
    bad("basic_auth_users:\n  a: "
        "$2y$1x$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/"
        "LDeSi\n",
        "conf/web.yml:2: basic_auth_users.a: no bcrypt hash: after $2y$");
    bad("basic_auth_users:\n  a: "
        "$2y$10$QOauhQNbBCuQDKes6eFzP!MqBSjb7Mr5DUmpZ/VcEd00UAV/"
        "LDeSi\n",
        "conf/web.yml:2: basic_auth_users.a: no bcrypt hash: after $2y$");
    bad("basic_auth_users:\n  a: "
        "$2y$03$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/"
        "LDeSi\n",
        "conf/web.yml:2: basic_auth_users.a: cost 3: bcrypt begins at 4");
    bad("basic_auth_users:\n  a: "
        "$2y$19$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/"
        "LDeSi\n",
        "conf/web.yml:2: basic_auth_users.a: cost 19: each check");
    assert_int_equal(web_config_parse(&encode_toolbox,
                                      VIEW("basic_auth_users: {a: sesame}"), file, &c,
                                      &e),
                     -EINVAL);
    assert_null(strstr(e.text, "sesame"));
}

static void names_nobody_could_log_in_with_are_refused(void **state)
{
    char text[600];

    (void)state;
    bad("basic_auth_users:\n  \"a:b\": " ALICE "\n",
        "conf/web.yml:2: basic_auth_users.a:b: a colon in a name");
    bad("basic_auth_users:\n  \"a\\tb\": " ALICE "\n",
        "conf/web.yml:2: basic_auth_users.a?b: a control character");
    snprintf(text, sizeof text, "basic_auth_users:\n  \"%0256d\": " ALICE "\n", 0);
    bad(text, "conf/web.yml:2: basic_auth_users.000000");
}

static void wrong_rates_are_refused(void **state)
{
    (void)state;
    bad("rate_limit:\n  interval: 1\n",
        "conf/web.yml:2: rate_limit.interval: lacks a unit: 500ms, 1s, 1m30s");
    bad("rate_limit:\n  interval: -1s\n",
        "conf/web.yml:2: rate_limit.interval: is negative");
    bad("rate_limit:\n  interval: 1 s\n", "conf/web.yml:2: rate_limit.interval: is no");
    bad("rate_limit:\n  interval: soon\n",
        "conf/web.yml:2: rate_limit.interval: is no");
    bad("rate_limit:\n  interval: 1s2\n", "conf/web.yml:2: rate_limit.interval: lacks");
    bad("rate_limit:\n  interval: 1.2.3s\n",
        "conf/web.yml:2: rate_limit.interval: is no");
    bad("rate_limit:\n  interval: 1d\n", "conf/web.yml:2: rate_limit.interval: is no");
    bad("rate_limit:\n  interval: 9999999h\n",
        "conf/web.yml:2: rate_limit.interval: is too");
    bad("rate_limit:\n  burst: -1\n",
        "conf/web.yml:2: rate_limit.burst: no whole number");
    bad("rate_limit:\n  burst: 1.5\n",
        "conf/web.yml:2: rate_limit.burst: no whole number");
    bad("rate_limit:\n  burst: \"5\"\n", "conf/web.yml:2: rate_limit.burst: no whole");
    bad("rate_limit:\n  burst: 3000000000\n",
        "conf/web.yml:2: rate_limit.burst: no whole");
}

/* ---- limits --------------------------------------------------------------------------- */

static void aliases_that_multiply_cost_nothing(void **state)
{
    struct buf text = { 0 };

    (void)state;
    /* 9 to the power of 9 entries, if they were copied. */
    buf_str(&text, "a0: &a0 [x,x,x,x,x,x,x,x,x]\n");
    for (int i = 1; i < 10; i++) {
        buf_fmt(&text, "a%d: &a%d [", i, i);
        for (int k = 0; k < 9; k++)
            buf_fmt(&text, "%s*a%d", k ? "," : "", i - 1);
        buf_str(&text, "]\n");
    }
    bad_text(buf_as_view(&text), "conf/web.yml:1: a0: unknown key");
    buf_release(&text);
    buf_str(&text, TLS "  cipher_suites: &a [*a]\n");
    bad_text(buf_as_view(&text), "conf/web.yml:4: an alias within what it stands for");
    bad("a: *nowhere\n", "conf/web.yml:1: an alias of an anchor that is not there");
    buf_deinit(&text);
}

static void depth_and_number_of_values_are_bounded(void **state)
{
    struct buf text = { 0 };

    (void)state;
    for (int i = 0; i < 100000; i++)
        buf_char(&text, '[');
    bad_text(buf_as_view(&text), "conf/web.yml:1: nested too deep");
    buf_release(&text);
    buf_str(&text, "a: [");
    for (int i = 0; i < 30000; i++)
        buf_str(&text, "b,\n");
    buf_str(&text, "]\n");
    bad_text(buf_as_view(&text), "conf/web.yml:199"); /* about the 20 000th */
    buf_release(&text);
    buf_str(&text, "basic_auth_users:\n");
    for (int i = 0; i < 1025; i++)
        buf_fmt(&text, "  u%d: " ALICE "\n", i);
    bad_text(buf_as_view(&text),
             "conf/web.yml:1: basic_auth_users: more than 1024 users");
    buf_deinit(&text);
}

static void a_long_path_leaves_room_for_the_reason(void **state)
{
    struct web_config *c;
    char path[2000];
    struct err e;

    (void)state;
    memset(path, 'd', sizeof path);
    memcpy(path + sizeof path - 9, "/web.yml", 9);
    assert_int_equal(web_config_parse(&encode_toolbox, VIEW("\nx: 1"), path, &c, &e),
                     -EINVAL);
    assert_non_null(strstr(e.text, "/web.yml:2: x: unknown key"));
}

/* ---- files ---------------------------------------------------------------------------- */

static void files_are_read_within_a_limit(void **state)
{
    struct web_config *c = NULL;
    char path[PATH_MAX];
    struct buf text = { 0 };
    struct err e;

    (void)state;
    snprintf(path, sizeof path, "%s", scratch_path("web.yml"));
    assert_true(web_config_read(&encode_toolbox, path, &c, &e) == -ENOENT);
    assert_true(view_starts(view_of(e.text), view_of(path)));
    assert_non_null(strstr(e.text, "web.yml: No such file or directory"));

    scratch_write("web.yml", TLS);
    assert_int_equal(web_config_read(&encode_toolbox, path, &c, &e), 0);
    assert_non_null(strstr(c->tls.cert_file, "/server.crt"));
    web_config_unref(c);

    for (int i = 0; i <= 1024 * 1024; i++)
        buf_char(&text, '#');
    buf_char(&text, '\0');
    scratch_write("web.yml", text.p);
    assert_true(web_config_read(&encode_toolbox, path, &c, &e) < 0);
    assert_non_null(strstr(e.text, "1048577 bytes are more than"));
    buf_deinit(&text);

    assert_true(web_config_read(&encode_toolbox, "/dev/null", &c, &e) < 0);
    assert_non_null(strstr(e.text, "/dev/null: "));
}

static void add_path(void *ctx, const char *path)
{
    struct buf *b = ctx;

    buf_fmt(b, "%s|", path);
}

static void files_that_are_named_can_be_watched(void **state)
{
    struct web_config *c = good(TLS "  client_ca_file: /ca.pem\n"
                                    "  client_auth_type: VerifyClientCertIfGiven\n");
    struct buf paths = { 0 };

    (void)state;
    web_config_files(c, add_path, &paths);
    assert_view(buf_as_view(&paths), "conf/server.crt|conf/server.key|/ca.pem|");
    buf_deinit(&paths);
    web_config_unref(c);
}

static void reasons_of_the_transport_get_their_place(void **state)
{
    struct web_config *c = good(TLS "  cipher_suites: [A]\n");
    struct err e;

    (void)state;
    err_set(&e, -ENOENT, "cert_file: conf/server.crt: No such file or directory");
    web_config_place(c, &e);
    assert_string_equal(e.text, "conf/web.yml:2: tls_server_config.cert_file: "
                                "conf/server.crt: No such file or directory");
    err_set(&e, -EINVAL, "cipher_suites: unknown cipher suite A");
    web_config_place(c, &e);
    assert_string_equal(e.text, "conf/web.yml:4: tls_server_config.cipher_suites: "
                                "unknown cipher suite A");
    err_set(&e, -EINVAL, "OpenSSL cannot be used");
    web_config_place(c, &e);
    assert_string_equal(e.text, "OpenSSL cannot be used");
    web_config_unref(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_that_says_nothing_opens_everything),
        cmocka_unit_test(sections_that_say_nothing_are_as_if_left_out),
        cmocka_unit_test(every_key_of_tls_is_read),
        cmocka_unit_test(certificate_and_key_may_stand_in_the_file),
        cmocka_unit_test(client_auth_has_all_its_values),
        cmocka_unit_test(headers_become_lines_of_an_answer),
        cmocka_unit_test(users_are_names_and_hashes_in_their_order),
        cmocka_unit_test(slow_hashes_are_worth_a_notice),
        cmocka_unit_test(durations_are_those_of_go),
        cmocka_unit_test(a_rate_that_lets_nobody_in_is_worth_a_notice),
        cmocka_unit_test(aliases_stand_for_what_has_their_name),
        cmocka_unit_test(windows_lines_and_a_mark_of_utf8_are_fine),
        cmocka_unit_test(equal_texts_say_the_same),
        cmocka_unit_test(what_is_no_yaml_is_refused_with_its_line),
        cmocka_unit_test(what_is_more_than_one_config_is_refused),
        cmocka_unit_test(unknown_keys_are_refused),
        cmocka_unit_test(keys_that_are_there_twice_are_refused),
        cmocka_unit_test(wrong_kinds_of_values_are_refused),
        cmocka_unit_test(certificates_without_keys_are_refused),
        cmocka_unit_test(client_certificates_are_asked_for_or_not_spoken_of),
        cmocka_unit_test(old_and_unknown_versions_are_refused_with_the_reason),
        cmocka_unit_test(headers_other_than_the_five_are_refused),
        cmocka_unit_test(hashes_that_are_none_are_refused_and_not_repeated),
        cmocka_unit_test(names_nobody_could_log_in_with_are_refused),
        cmocka_unit_test(wrong_rates_are_refused),
        cmocka_unit_test(aliases_that_multiply_cost_nothing),
        cmocka_unit_test(depth_and_number_of_values_are_bounded),
        cmocka_unit_test(a_long_path_leaves_room_for_the_reason),
        cmocka_unit_test(files_are_read_within_a_limit),
        cmocka_unit_test(files_that_are_named_can_be_watched),
        cmocka_unit_test(reasons_of_the_transport_get_their_place),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
