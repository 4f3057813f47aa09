/*
 * Sessions of the library as it is shipped, against plain OpenSSL on the other side and
 * against each other. No socket: bytes are carried by hand, cut as a test likes.
 */
#include "server/web/transport_open.h"

#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "certificates.h"

#define LIST(...)                                                                      \
    {                                                                                  \
        (const char *const[]){ __VA_ARGS__ },                                          \
            sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *)              \
    }

static const struct transport *tls;
static struct identity ca, server, other_ca;

static int setup(void **state)
{
    struct err e;

    (void)state;
    if (transport_open(TRANSPORT_TLS, &tls, &e) < 0)
        fail_msg("%s", e.text);
    ca = identity_make((struct wish){ .name = "CA", .ca = true });
    other_ca = identity_make((struct wish){ .name = "another CA", .ca = true });
    server = identity_make((struct wish){
        .name = "server", .issuer = &ca, .sans = "DNS:localhost,IP:127.0.0.1" });
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    identity_free(&server);
    identity_free(&other_ca);
    identity_free(&ca);
    return 0;
}

static struct tls_settings settings(void)
{
    return (struct tls_settings){
        .cert = server.certificate_pem,
        .key = server.key_pem,
        .prefer_server_cipher_suites = true,
    };
}

static struct transport_context *context_of(struct tls_settings s)
{
    struct transport_context *c = NULL;
    struct err e = { 0 };

    if (tls->server_context(&s, &c, &e) < 0)
        fail_msg("no context: %s", e.text);
    return c;
}

/* The session alone holds its context afterwards. */
static struct transport_session *session_of(struct tls_settings s)
{
    struct transport_context *c = context_of(s);
    struct transport_session *session = tls->session_new(c);

    tls->context_unref(c);
    return session;
}

/* ---- the other side: OpenSSL itself ----------------------------------------------- */

struct peer {
    SSL_CTX *ctx;
    SSL *ssl;
    BIO *in, *out;
};

static struct peer peer_make(void)
{
    struct peer p = { .ctx = SSL_CTX_new(TLS_client_method()) };

    /* Whatever the machine's configuration demands of others. */
    SSL_CTX_set_min_proto_version(p.ctx, TLS1_VERSION);
    SSL_CTX_set_cipher_list(p.ctx, "ALL:@SECLEVEL=0");
    return p;
}

static void peer_open(struct peer *p)
{
    p->ssl = SSL_new(p->ctx);
    p->in = BIO_new(BIO_s_mem());
    p->out = BIO_new(BIO_s_mem());
    BIO_set_mem_eof_return(p->in, -1);
    SSL_set_bio(p->ssl, p->in, p->out);
    SSL_set_connect_state(p->ssl);
}

static void peer_close(struct peer *p)
{
    SSL_free(p->ssl);
    p->ssl = NULL;
}

static void peer_free(struct peer *p)
{
    peer_close(p);
    SSL_CTX_free(p->ctx);
    ERR_clear_error();
}

static void peer_shows(struct peer *p, const struct identity *id)
{
    SSL_CTX_use_certificate(p->ctx, id->certificate);
    SSL_CTX_use_PrivateKey(p->ctx, id->key);
}

/* And goes on with the handshake, if it is not done. */
static void bring(struct transport_session *s, const char *p, size_t n)
{
    tls->receive(s, p, n);
    tls->read(s, NULL, 0);
}

static bool to_session(struct peer *p, struct transport_session *s)
{
    char bytes[4096];
    int n = BIO_read(p->out, bytes, sizeof bytes);

    if (n <= 0)
        return false;
    bring(s, bytes, (size_t)n);
    return true;
}

static bool to_peer(struct transport_session *s, struct peer *p)
{
    const char *bytes;
    size_t n = tls->outgoing(s, &bytes);

    if (n == 0)
        return false;
    assert_int_equal(BIO_write(p->in, bytes, (int)n), (int)n);
    tls->sent(s, n);
    return true;
}

/* Carries bytes both ways until nobody has more. */
static void carry(struct transport_session *s, struct peer *p)
{
    bool moved;

    do {
        if (!SSL_is_init_finished(p->ssl))
            SSL_do_handshake(p->ssl);
        moved = to_session(p, s);
        moved |= to_peer(s, p);
    } while (moved);
}

/* What the peer hears: up to n bytes at once; empty if nothing. */
static const char *heard(struct peer *p)
{
    static char text[256];
    int n = SSL_read(p->ssl, text, sizeof text - 1);

    text[n > 0 ? n : 0] = '\0';
    return text;
}

static void say(struct transport_session *s, const char *text)
{
    assert_int_equal(tls->write(s, text, strlen(text)), strlen(text));
}

static const char *hear(struct transport_session *s)
{
    static char text[256];

    text[tls->read(s, text, sizeof text - 1)] = '\0';
    return text;
}

static void assert_talk(struct transport_session *s, struct peer *p)
{
    if (tls->state(s) != TRANSPORT_OPEN)
        fail_msg("not open: %s", tls->problem(s));
    assert_int_equal(SSL_write(p->ssl, "ask", 3), 3);
    carry(s, p);
    assert_string_equal(hear(s), "ask");
    assert_string_equal(hear(s), "");
    say(s, "answer");
    carry(s, p);
    assert_string_equal(heard(p), "answer");
    assert_string_equal(tls->problem(s), "");
}

static void assert_broken(struct transport_session *s, const char *problem)
{
    assert_int_equal(tls->state(s), TRANSPORT_BROKEN);
    if (!strstr(tls->problem(s), problem))
        fail_msg("\"%s\" does not say \"%s\"", tls->problem(s), problem);
    assert_int_equal(tls->write(s, "x", 1), 0);
    assert_string_equal(hear(s), "");
    tls->receive(s, "x", 1); /* ignored */
    assert_int_equal(tls->state(s), TRANSPORT_BROKEN);
}

/* ---- handshakes ------------------------------------------------------------------- */

static bool pass(struct transport_session *from, struct transport_session *to,
                 size_t step)
{
    const char *p;
    size_t n = tls->outgoing(from, &p);

    for (size_t at = 0; at < n; at += step)
        bring(to, p + at, n - at < step ? n - at : step);
    tls->sent(from, n);
    return n > 0;
}

static void a_handshake_may_arrive_cut_anywhere(void **state)
{
    static const size_t steps[] = { 1, 2, 5, 6, 100, 4096, 65536 };

    (void)state;
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        struct transport_context *c;
        struct err e;
        struct transport_session *s = session_of(settings());

        assert_int_equal(tls->client_context(&c, &e), 0);

        struct transport_session *client = tls->session_new(c);

        assert_int_equal(tls->state(client), TRANSPORT_OPENING);
        assert_int_equal(tls->write(client, "x", 1), 0);
        while (pass(client, s, steps[i]) | pass(s, client, steps[i]))
            ;
        assert_int_equal(tls->state(client), TRANSPORT_OPEN);
        assert_int_equal(tls->state(s), TRANSPORT_OPEN);
        say(client, "GET");
        pass(client, s, steps[i]);
        assert_string_equal(hear(s), "GET");
        say(s, "200");
        pass(s, client, steps[i]);
        assert_string_equal(hear(client), "200");
        tls->session_free(client);
        tls->session_free(s);
        tls->context_unref(c);
    }
}

static void handshake_as(int version, struct tls_settings how, const char *wanted)
{
    struct transport_session *s = session_of(how);
    struct peer p = peer_make();

    SSL_CTX_set_max_proto_version(p.ctx, version);
    peer_open(&p);
    carry(s, &p);
    if (wanted) {
        assert_talk(s, &p);
        assert_string_equal(SSL_get_version(p.ssl), wanted);
    } else {
        assert_broken(s, "unsupported protocol");
    }
    peer_free(&p);
    tls->session_free(s);
}

static void versions_are_those_of_the_settings(void **state)
{
    struct tls_settings all = settings(), old = settings(), new = settings();

    (void)state;
    old.max_version = TLS_VERSION_12;
    new.min_version = TLS_VERSION_13;
    handshake_as(TLS1_3_VERSION, all, "TLSv1.3");
    handshake_as(TLS1_2_VERSION, all, "TLSv1.2");
    handshake_as(TLS1_1_VERSION, all, NULL);
    handshake_as(TLS1_VERSION, all, NULL);
    handshake_as(TLS1_3_VERSION, old, "TLSv1.2");
    handshake_as(TLS1_3_VERSION, new, "TLSv1.3");
    handshake_as(TLS1_2_VERSION, new, NULL);
}

/* suites: what the server is set to; gets the name of what was agreed on, or NULL. */
static const char *suite_agreed(struct tls_list suites, bool server_prefers,
                                const char *peers)
{
    struct tls_settings how = settings();
    struct peer p = peer_make();
    static char name[64];

    how.cipher_suites = suites;
    how.prefer_server_cipher_suites = server_prefers;
    struct transport_session *s = session_of(how);

    SSL_CTX_set_max_proto_version(p.ctx, TLS1_2_VERSION);
    SSL_CTX_set_cipher_list(p.ctx, peers);
    peer_open(&p);
    carry(s, &p);
    bool open = tls->state(s) == TRANSPORT_OPEN;

    snprintf(name, sizeof name, "%s", open ? SSL_get_cipher_name(p.ssl) : "");
    if (!open && tls->problem(s)[0] == '\0')
        fail_msg("no problem");
    peer_free(&p);
    tls->session_free(s);
    return open ? name : NULL;
}

static void cipher_suites_are_those_of_the_settings(void **state)
{
    struct tls_list two = LIST("TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
                               "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256");
    struct tls_list only13 = LIST("TLS_AES_128_GCM_SHA256");
    static const char theirs[] =
        "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES256-GCM-SHA384";

    (void)state;
    assert_string_equal(suite_agreed(two, true, theirs),
                        "ECDHE-ECDSA-AES256-GCM-SHA384");
    assert_string_equal(suite_agreed(two, false, theirs),
                        "ECDHE-ECDSA-CHACHA20-POLY1305");
    assert_null(suite_agreed(two, true, "ECDHE-ECDSA-AES128-GCM-SHA256"));
    assert_null(suite_agreed(only13, true, theirs));
    /* Not among the default ones. */
    assert_null(suite_agreed((struct tls_list){ 0 }, true, "ECDHE-ECDSA-AES128-SHA"));
}

static void curves_are_those_of_the_settings(void **state)
{
    struct tls_settings how = settings();
    struct tls_list p384 = LIST("CurveP384");

    (void)state;
    how.curve_preferences = p384;
    for (int listed = 0; listed < 2; listed++) {
        struct transport_session *s = session_of(how);
        struct peer p = peer_make();

        SSL_CTX_set1_groups_list(p.ctx, listed ? "X25519:P-384" : "X25519:P-256");
        peer_open(&p);
        carry(s, &p);
        if (listed) {
            assert_talk(s, &p);
            assert_int_equal(SSL_get_shared_group(p.ssl, 0), 0); /* a server's call */
            assert_int_equal(SSL_get_negotiated_group(p.ssl), NID_secp384r1);
        } else {
            assert_broken(s, "no suitable key share");
        }
        peer_free(&p);
        tls->session_free(s);
    }
}

/* protocols: in wire form. Returns what was agreed on: "" for none, NULL: refused. */
static const char *protocol_agreed(const char *protocols)
{
    struct transport_session *s = session_of(settings());
    struct peer p = peer_make();
    const unsigned char *name;
    static char text[32];
    unsigned n;

    if (*protocols)
        SSL_CTX_set_alpn_protos(p.ctx, (const unsigned char *)protocols,
                                (unsigned)strlen(protocols));
    peer_open(&p);
    carry(s, &p);
    SSL_get0_alpn_selected(p.ssl, &name, &n);
    snprintf(text, sizeof text, "%.*s", (int)n, (const char *)name);
    bool open = tls->state(s) == TRANSPORT_OPEN;

    if (open)
        assert_talk(s, &p);
    else
        assert_broken(s, "no application protocol");
    peer_free(&p);
    tls->session_free(s);
    return open ? text : NULL;
}

static void the_protocol_is_http_1_1(void **state)
{
    (void)state;
    assert_string_equal(protocol_agreed(""), "");
    assert_string_equal(protocol_agreed("\x08http/1.1"), "http/1.1");
    assert_string_equal(protocol_agreed("\x02h2\x08http/1.1"), "http/1.1");
    /* May speak HTTP/1.1 without a word about it. */
    assert_string_equal(protocol_agreed("\x02h2"), "");
    assert_string_equal(protocol_agreed("\x08http/1.0"), "");
    assert_null(protocol_agreed("\x04imap\x04smtp"));
}

static void the_whole_chain_is_shown(void **state)
{
    struct identity middle = identity_make(
        (struct wish){ .name = "intermediate", .issuer = &ca, .ca = true });
    struct identity leaf =
        identity_make((struct wish){ .name = "leaf", .issuer = &middle });
    char chain[8192];
    struct tls_settings how = settings();
    struct peer p = peer_make();

    (void)state;
    snprintf(chain, sizeof chain, "%s%s", leaf.certificate_pem, middle.certificate_pem);
    how.cert = chain;
    how.key = leaf.key_pem;
    struct transport_session *s = session_of(how);

    X509_STORE_add_cert(SSL_CTX_get_cert_store(p.ctx), ca.certificate);
    SSL_CTX_set_verify(p.ctx, SSL_VERIFY_PEER, NULL);
    peer_open(&p);
    carry(s, &p);
    assert_talk(s, &p);
    assert_int_equal(SSL_get_verify_result(p.ssl), X509_V_OK);
    assert_int_equal(sk_X509_num(SSL_get_peer_cert_chain(p.ssl)), 2);
    peer_free(&p);
    tls->session_free(s);
    identity_free(&leaf);
    identity_free(&middle);
}

/* ---- client certificates ---------------------------------------------------------- */

/* version: of the handshake. NULL: let in; else what the problem must say. */
static void client_shows(struct tls_settings how, const struct identity *id,
                         int version, const char *problem)
{
    struct transport_session *s = session_of(how);
    struct peer p = peer_make();

    SSL_CTX_set_max_proto_version(p.ctx, version);
    if (id)
        peer_shows(&p, id);
    peer_open(&p);
    carry(s, &p);
    if (problem)
        assert_broken(s, problem);
    else
        assert_talk(s, &p);
    peer_free(&p);
    tls->session_free(s);
}

static void each_client_auth_type_asks_for_what_its_name_says(void **state)
{
    static const char missing[] = "peer did not return a certificate";
    static const char foreign[] = "unable to get local issuer certificate";
    static const struct {
        enum tls_client_auth type;
        const char *none, *ours, *theirs, *expired; /* NULL: let in */
    } cases[] = {
        { TLS_NO_CLIENT_CERT, NULL, NULL, NULL, NULL },
        { TLS_REQUEST_CLIENT_CERT, NULL, NULL, NULL, NULL },
        { TLS_REQUIRE_ANY_CLIENT_CERT, missing, NULL, NULL, NULL },
        { TLS_VERIFY_CLIENT_CERT_IF_GIVEN, NULL, NULL, foreign, "has expired" },
        { TLS_REQUIRE_AND_VERIFY_CLIENT_CERT, missing, NULL, foreign, "has expired" },
    };
    struct identity good = identity_make(
        (struct wish){ .name = "good", .issuer = &ca, .usage = "clientAuth" });
    struct identity foreigner =
        identity_make((struct wish){ .name = "foreign", .issuer = &other_ca });
    struct identity old = identity_make((struct wish){
        .name = "old", .issuer = &ca, .starts_s = -7200, .ends_s = -3600 });

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int v = TLS1_2_VERSION; v <= TLS1_3_VERSION; v++) {
            struct tls_settings how = settings();

            how.client_auth = cases[i].type;
            how.client_ca = i > 0 ? ca.certificate_pem : NULL;
            client_shows(how, NULL, v, cases[i].none);
            client_shows(how, &good, v, cases[i].ours);
            client_shows(how, &foreigner, v, cases[i].theirs);
            client_shows(how, &old, v, cases[i].expired);
        }
    identity_free(&old);
    identity_free(&foreigner);
    identity_free(&good);
}

static void a_servers_certificate_is_no_clients(void **state)
{
    struct identity wrong = identity_make(
        (struct wish){ .name = "server", .issuer = &ca, .usage = "serverAuth" });
    struct tls_settings how = settings();

    (void)state;
    how.client_auth = TLS_REQUIRE_AND_VERIFY_CLIENT_CERT;
    how.client_ca = ca.certificate_pem;
    client_shows(how, &wrong, TLS1_3_VERSION, "purpose");
    identity_free(&wrong);
}

static void a_certificate_in_the_client_ca_is_trusted_itself(void **state)
{
    struct identity alone = identity_make((struct wish){ .name = "alone" });
    struct identity middle = identity_make(
        (struct wish){ .name = "intermediate", .issuer = &ca, .ca = true });
    struct identity leaf =
        identity_make((struct wish){ .name = "leaf", .issuer = &middle });
    char both[8192];
    struct tls_settings how = settings();

    (void)state;
    snprintf(both, sizeof both, "%s\n# a remark\n%s", alone.certificate_pem,
             middle.certificate_pem);
    how.client_auth = TLS_REQUIRE_AND_VERIFY_CLIENT_CERT;
    how.client_ca = both;
    client_shows(how, &alone, TLS1_3_VERSION, NULL);
    client_shows(how, &leaf, TLS1_3_VERSION, NULL);
    how.client_ca = ca.certificate_pem;
    client_shows(how, &alone, TLS1_3_VERSION, "self-signed certificate");
    identity_free(&leaf);
    identity_free(&middle);
    identity_free(&alone);
}

static void allowed_names_are_compared_by_kind(void **state)
{
    static const struct {
        const char *allowed, *sans;
        bool in;
    } cases[] = {
        { "scraper.example", "DNS:scraper.example", true },
        { "scraper.example", "DNS:other.example,DNS:scraper.example", true },
        { "scraper.example", "DNS:scraper.example.org", false },
        { "scraper.example", "DNS:Scraper.example", false }, /* as in Go */
        { "scraper.example", "DNS:*.example", false },
        { "scraper.example", NULL, false },
        { "ops@example.org", "email:ops@example.org", true },
        { "ops@example.org", "email:dev@example.org", false },
        { "spiffe://domain/scraper", "URI:spiffe://domain/scraper", true },
        { "spiffe://domain/scraper", "URI:spiffe://domain/scraper/2", false },
        { "10.1.2.3", "IP:10.1.2.3", true },
        { "10.1.2.3", "IP:10.1.2.4", false },
        { "2001:db8::1", "IP:2001:db8:0:0:0:0:0:1", true },
        { "2001:DB8:0::1", "IP:2001:db8::1", true },
        { "10.1.2.3", "IP:::ffff:10.1.2.3", true },
        { "", "DNS:scraper.example", false },
        { "cn", "DNS:scraper.example", false }, /* the subject's name is none */
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct identity id = identity_make(
            (struct wish){ .name = "cn", .issuer = &ca, .sans = cases[i].sans });
        struct tls_settings how = settings();
        const char *const list[] = { "one", cases[i].allowed };

        how.client_auth =
            i % 2 ? TLS_REQUIRE_AND_VERIFY_CLIENT_CERT : TLS_REQUIRE_ANY_CLIENT_CERT;
        how.client_ca = ca.certificate_pem;
        how.client_allowed_sans = (struct tls_list){ list, 2 };
        client_shows(how, &id, i % 3 ? TLS1_3_VERSION : TLS1_2_VERSION,
                     cases[i].in ? NULL : "no subject alternative name");
        identity_free(&id);
    }
}

static void an_allowed_name_does_not_replace_verification(void **state)
{
    struct identity id = identity_make((struct wish){
        .name = "foreign", .issuer = &other_ca, .sans = "DNS:scraper.example" });
    struct tls_list allowed = LIST("scraper.example");
    struct tls_settings how = settings();

    (void)state;
    how.client_auth = TLS_REQUIRE_AND_VERIFY_CLIENT_CERT;
    how.client_ca = ca.certificate_pem;
    how.client_allowed_sans = allowed;
    client_shows(how, &id, TLS1_3_VERSION, "unable to get local issuer certificate");
    client_shows(how, NULL, TLS1_3_VERSION, "peer did not return a certificate");
    identity_free(&id);
}

/* ---- tickets ---------------------------------------------------------------------- */

static SSL_SESSION *kept;

static int keep_session(SSL *ssl, SSL_SESSION *session)
{
    (void)ssl;
    SSL_SESSION_free(kept);
    kept = session;
    return 1;
}

/* One connection in context c; true if it went on from the session that was kept. */
static bool resumes(struct transport_context *c, struct peer *p)
{
    struct transport_session *s = tls->session_new(c);
    bool reused;

    peer_open(p);
    if (kept)
        SSL_set_session(p->ssl, kept);
    carry(s, p);
    assert_talk(s, p);
    reused = SSL_session_reused(p->ssl);
    /* Said properly, else OpenSSL takes the session for unfit to be resumed. */
    SSL_shutdown(p->ssl);
    peer_close(p);
    tls->session_free(s);
    return reused;
}

static struct peer resuming_peer(int version)
{
    struct peer p = peer_make();

    SSL_CTX_set_max_proto_version(p.ctx, version);
    SSL_CTX_set_session_cache_mode(p.ctx, SSL_SESS_CACHE_CLIENT);
    SSL_CTX_sess_set_new_cb(p.ctx, keep_session);
    return p;
}

static void forget(struct peer *p)
{
    SSL_SESSION_free(kept);
    kept = NULL;
    peer_free(p);
}

static void a_ticket_shortens_the_next_handshake(void **state)
{
    (void)state;
    for (int v = TLS1_2_VERSION; v <= TLS1_3_VERSION; v++) {
        struct transport_context *c = context_of(settings()), *other;
        struct peer p = resuming_peer(v);

        assert_false(resumes(c, &p));
        assert_non_null(kept);
        assert_true(resumes(c, &p));
        assert_true(resumes(c, &p));
        /* Another context has other keys: settings may have changed. */
        other = context_of(settings());
        assert_false(resumes(other, &p));
        tls->context_unref(other);
        tls->context_unref(c);
        forget(&p);
    }
}

static void a_ticket_ends_with_the_certificate_it_stands_for(void **state)
{
    (void)state;
    for (int v = TLS1_2_VERSION; v <= TLS1_3_VERSION; v++) {
        struct identity brief =
            identity_make((struct wish){ .name = "brief", .issuer = &ca, .ends_s = 3 });
        struct tls_settings how = settings();
        struct peer p = resuming_peer(v);

        how.client_auth = TLS_REQUIRE_AND_VERIFY_CLIENT_CERT;
        how.client_ca = ca.certificate_pem;
        struct transport_context *c = context_of(how);

        peer_shows(&p, &brief);
        assert_false(resumes(c, &p));
        assert_true(resumes(c, &p));
        while (X509_cmp_current_time(X509_get0_notAfter(brief.certificate)) > 0)
            usleep(20 * 1000);

        struct transport_session *s = tls->session_new(c);

        peer_open(&p);
        SSL_set_session(p.ssl, kept);
        carry(s, &p);
        assert_broken(s, "has expired");
        tls->session_free(s);
        tls->context_unref(c);
        forget(&p);
        identity_free(&brief);
    }
}

/* ---- data ------------------------------------------------------------------------- */

static struct transport_session *opened(struct peer *p)
{
    struct transport_session *s = session_of(settings());

    *p = peer_make();
    peer_open(p);
    carry(s, p);
    assert_int_equal(tls->state(s), TRANSPORT_OPEN);
    return s;
}

static void a_large_answer_waits_in_bounded_pieces(void **state)
{
    enum { BYTES = 1000 * 1000 };
    struct peer p;
    struct transport_session *s = opened(&p);
    char *said = malloc(BYTES), *got = malloc(BYTES);
    size_t sent = 0, n = 0;
    const char *wire;
    int part;

    (void)state;
    for (size_t i = 0; i < BYTES; i++)
        said[i] = (char)(i * 31 ^ i >> 8);
    while (sent < BYTES) {
        size_t more = tls->write(s, said + sent, BYTES - sent);

        assert_true(more > 0);
        sent += more;
        assert_true(tls->outgoing(s, &wire) <= TRANSPORT_PENDING_MAX);
        if (sent < BYTES) {
            assert_int_equal(tls->write(s, said + sent, BYTES - sent), 0); /* full */
            assert_true(more >= (TRANSPORT_PENDING_MAX - 20 * 1024));
        }
        to_peer(s, &p);
        while ((part = SSL_read(p.ssl, got + n, (int)(BYTES - n))) > 0)
            n += (size_t)part;
    }
    assert_int_equal(n, BYTES);
    assert_memory_equal(said, got, BYTES);
    free(said);
    free(got);
    peer_free(&p);
    tls->session_free(s);
}

static void what_is_outgoing_may_be_sent_in_parts(void **state)
{
    struct peer p;
    struct transport_session *s = opened(&p);
    const char *wire;
    size_t n;
    bool both = false;

    (void)state;
    say(s, "one");
    while ((n = tls->outgoing(s, &wire)) > 0) {
        assert_int_equal(BIO_write(p.in, wire, 1), 1);
        tls->sent(s, 1);
        if (n == 10 && !both) {
            say(s, "two"); /* goes behind what is left */
            both = true;
        }
    }
    assert_string_equal(heard(&p), "one");
    assert_string_equal(heard(&p), "two");
    peer_free(&p);
    tls->session_free(s);
}

static void both_sides_may_say_that_they_are_done(void **state)
{
    struct peer p;
    struct transport_session *s = opened(&p);
    char byte;

    (void)state;
    /* The client first: what it said before is read, and it still gets an answer. */
    SSL_write(p.ssl, "last", 4);
    SSL_shutdown(p.ssl);
    carry(s, &p);
    assert_string_equal(hear(s), "last");
    assert_string_equal(hear(s), "");
    assert_int_equal(tls->state(s), TRANSPORT_ENDED);
    say(s, "answer");
    tls->close(s);
    tls->close(s);
    carry(s, &p);
    assert_string_equal(heard(&p), "answer");
    assert_int_equal(SSL_get_error(p.ssl, SSL_read(p.ssl, &byte, 1)),
                     SSL_ERROR_ZERO_RETURN);
    assert_string_equal(tls->problem(s), "");
    peer_free(&p);
    tls->session_free(s);
}

static void a_changed_byte_ends_the_session(void **state)
{
    struct peer p;
    struct transport_session *s = opened(&p);
    char wire[64];
    int n;

    (void)state;
    SSL_write(p.ssl, "ask", 3);
    n = BIO_read(p.out, wire, sizeof wire);
    wire[n - 1] ^= 1;
    tls->receive(s, wire, (size_t)n);
    assert_string_equal(hear(s), "");
    assert_broken(s, "bad record mac");
    carry(s, &p); /* the alert */
    assert_true(SSL_read(p.ssl, wire, 1) <= 0);
    assert_non_null(
        strstr(ERR_reason_error_string(ERR_peek_error()), "bad record mac"));
    peer_free(&p);
    tls->session_free(s);
}

static void renegotiation_is_refused(void **state)
{
    struct transport_session *s = session_of(settings());
    struct peer p = peer_make();
    char byte;

    (void)state;
    SSL_CTX_set_max_proto_version(p.ctx, TLS1_2_VERSION);
    peer_open(&p);
    carry(s, &p);
    assert_talk(s, &p);
    assert_int_equal(SSL_renegotiate(p.ssl), 1);
    for (int i = 0; i < 4; i++) {
        SSL_do_handshake(p.ssl);
        carry(s, &p);
        hear(s);
    }
    ERR_clear_error();
    assert_true(SSL_read(p.ssl, &byte, 1) < 0 || SSL_renegotiate_pending(p.ssl));
    assert_true(SSL_num_renegotiations(p.ssl) <= 1); /* asked, not done */
    assert_false(SSL_is_init_finished(p.ssl));
    peer_free(&p);
    tls->session_free(s);
}

static void keys_may_change_as_often_as_the_client_likes(void **state)
{
    struct peer p;
    struct transport_session *s = opened(&p);
    const char *wire;
    char text[8];

    (void)state;
    for (int i = 0; i < 500; i++) {
        SSL_key_update(p.ssl, SSL_KEY_UPDATE_REQUESTED);
        SSL_write(p.ssl, "x", 1);
        while (to_session(&p, s))
            while (tls->read(s, text, sizeof text) > 0)
                ;
        assert_int_equal(tls->state(s), TRANSPORT_OPEN);
        assert_true(tls->outgoing(s, &wire) < 1024);
        to_peer(s, &p);
        SSL_read(p.ssl, text, 1);
    }
    assert_talk(s, &p);
    peer_free(&p);
    tls->session_free(s);
}

/* ---- what is no TLS --------------------------------------------------------------- */

static void plain_http_gets_a_plain_400(void **state)
{
    static const char ask[] = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n";

    (void)state;
    for (size_t step = 1; step <= sizeof ask; step += sizeof ask - 1) {
        struct transport_session *s = session_of(settings());
        const char *wire;
        char text[256];
        size_t n;

        for (size_t at = 0; at < sizeof ask - 1; at += step)
            bring(s, ask + at, step < sizeof ask - 1 - at ? step : sizeof ask - 1 - at);
        assert_broken(s, "client sent an HTTP request to an HTTPS server");
        n = tls->outgoing(s, &wire);
        snprintf(text, sizeof text, "%.*s", (int)n, wire);
        assert_string_equal(text, "HTTP/1.0 400 Bad Request\r\n"
                                  "Content-Type: text/plain; charset=utf-8\r\n"
                                  "Connection: close\r\n\r\n"
                                  "Client sent an HTTP request to an HTTPS server.\n");
        tls->session_free(s);
    }
}

static void garbage_ends_the_session(void **state)
{
    static const struct {
        const char *bytes;
        size_t n;
    } cases[] = {
        { "SSH-2.0-OpenSSH_9.2\r\n", 21 },
        { "\x00\x00\x00\x00\x00\x00\x00\x00", 8 },
        { "\xff\xff\xff\xff\xff\xff\xff\xff", 8 },
        { "\x16\x03\x01\xff\xff\x01\x00\x00", 8 },     /* a record that is too long */
        { "\x16\x03\x01\x00\x04\x01\xff\xff\xff", 9 }, /* a message that is */
        { "\x17\x03\x03\x00\x01x", 6 },                /* data before the handshake */
        { "\x15\x03\x03\x00\x02\x02\x28", 7 },         /* an alert */
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct transport_session *s = session_of(settings());

        for (size_t at = 0; at < cases[i].n; at++)
            bring(s, cases[i].bytes + at, 1);
        assert_broken(s, "");
        assert_true(strlen(tls->problem(s)) > 4);
        tls->session_free(s);
    }
}

static void a_session_may_go_at_any_moment(void **state)
{
    (void)state;
    /* After each number of bytes of a real ClientHello. */
    for (int cut = 0; cut < 400; cut += 13) {
        struct transport_session *s = session_of(settings());
        struct peer p = peer_make();
        char hello[2048];
        int n;

        peer_open(&p);
        SSL_do_handshake(p.ssl);
        n = BIO_read(p.out, hello, sizeof hello);
        bring(s, hello, (size_t)(cut < n ? cut : n));
        assert_int_equal(tls->state(s), TRANSPORT_OPENING);
        tls->close(s);
        peer_free(&p);
        tls->session_free(s);
    }
}

static void a_session_keeps_its_context(void **state)
{
    struct transport_context *c = context_of(settings());
    struct transport_session *a = tls->session_new(c), *b = tls->session_new(c);
    struct peer p = peer_make();

    (void)state;
    tls->context_ref(c);
    tls->context_unref(c);
    tls->context_unref(c); /* ours */
    tls->session_free(a);
    peer_open(&p);
    carry(b, &p);
    assert_talk(b, &p);
    peer_free(&p);
    tls->session_free(b);
    tls->session_free(NULL);
    tls->context_unref(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_handshake_may_arrive_cut_anywhere),
        cmocka_unit_test(versions_are_those_of_the_settings),
        cmocka_unit_test(cipher_suites_are_those_of_the_settings),
        cmocka_unit_test(curves_are_those_of_the_settings),
        cmocka_unit_test(the_protocol_is_http_1_1),
        cmocka_unit_test(the_whole_chain_is_shown),
        cmocka_unit_test(each_client_auth_type_asks_for_what_its_name_says),
        cmocka_unit_test(a_servers_certificate_is_no_clients),
        cmocka_unit_test(a_certificate_in_the_client_ca_is_trusted_itself),
        cmocka_unit_test(allowed_names_are_compared_by_kind),
        cmocka_unit_test(an_allowed_name_does_not_replace_verification),
        cmocka_unit_test(a_ticket_shortens_the_next_handshake),
        cmocka_unit_test(a_ticket_ends_with_the_certificate_it_stands_for),
        cmocka_unit_test(a_large_answer_waits_in_bounded_pieces),
        cmocka_unit_test(what_is_outgoing_may_be_sent_in_parts),
        cmocka_unit_test(both_sides_may_say_that_they_are_done),
        cmocka_unit_test(a_changed_byte_ends_the_session),
        cmocka_unit_test(renegotiation_is_refused),
        cmocka_unit_test(keys_may_change_as_often_as_the_client_likes),
        cmocka_unit_test(plain_http_gets_a_plain_400),
        cmocka_unit_test(garbage_ends_the_session),
        cmocka_unit_test(a_session_may_go_at_any_moment),
        cmocka_unit_test(a_session_keeps_its_context),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
