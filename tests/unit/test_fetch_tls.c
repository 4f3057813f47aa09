#include "certificates.h"
#include "fetch_host.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include "server/fetch/fetch.h"
#include "server/log.h"

/* ---- a TLS server on a thread of its own ------------------------------------------------ */

static struct {
    pthread_t thread;
    SSL_CTX *ctx;
    int fd, port;
    atomic_bool verify; /* asks for a certificate */
    atomic_int shown;   /* certificates of clients that were good */
    char redirect[64];
    char seen[4096]; /* the last request; read when its answer is there */
} server;

static struct identity ca, other_ca, site, strange, me;

static void serve_one(SSL *ssl)
{
    char *request = server.seen, answer[256];
    size_t n = 0;
    int got;

    if (SSL_accept(ssl) <= 0)
        return;
    if (SSL_get0_peer_certificate(ssl) && SSL_get_verify_result(ssl) == X509_V_OK)
        server.shown++;
    while (n < sizeof server.seen - 1 &&
           (got = SSL_read(ssl, request + n, (int)(sizeof server.seen - 1 - n))) > 0) {
        n += (size_t)got;
        request[n] = '\0';
        if (strstr(request, "\r\n\r\n"))
            break;
    }
    request[n] = '\0';
    if (strncmp(request, "GET /away ", 10) == 0)
        snprintf(answer, sizeof answer,
                 "HTTP/1.1 302 Found\r\nLocation: %s\r\nContent-Length: 0\r\n"
                 "Connection: close\r\n\r\n",
                 server.redirect);
    else
        snprintf(answer, sizeof answer,
                 "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
    SSL_write(ssl, answer, (int)strlen(answer));
    SSL_shutdown(ssl);
}

static void *serve(void *unused)
{
    int fd;

    while ((fd = accept(server.fd, NULL, NULL)) >= 0) {
        SSL *ssl = SSL_new(server.ctx);

        SSL_set_verify(ssl,
                       server.verify ? SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT
                                     : SSL_VERIFY_NONE,
                       NULL);
        SSL_set_fd(ssl, fd);
        serve_one(ssl);
        SSL_free(ssl);
        close(fd);
    }
    return unused;
}

static void server_start(void)
{
    struct sockaddr_in a = { .sin_family = AF_INET };
    socklen_t n = sizeof a;

    server.ctx = SSL_CTX_new(TLS_server_method());
    SSL_CTX_use_certificate(server.ctx, site.certificate);
    SSL_CTX_use_PrivateKey(server.ctx, site.key);
    X509_STORE_add_cert(SSL_CTX_get_cert_store(server.ctx), ca.certificate);
    SSL_CTX_set_session_id_context(server.ctx, (const unsigned char *)"t", 1);
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    server.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(server.fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(server.fd, 16), 0);
    getsockname(server.fd, (struct sockaddr *)&a, &n);
    server.port = ntohs(a.sin_port);
    pthread_create(&server.thread, NULL, serve, NULL);
}

/* ---- the client ---------------------------------------------------------------------------- */

static uv_loop_t loop;
static struct fetcher *f;
static char dir[] = "/tmp/fetch-tls-XXXXXX", url[64], ca_file[64], cert_file[64],
            key_file[64];

struct got {
    bool over;
    int status;
    char problem[400];
};

static enum fetch_verdict on_answer(void *ctx, const struct fetch_answer *a,
                                    struct buf *reason)
{
    struct got *g = ctx;

    (void)reason;
    g->over = true;
    g->status = a->status;
    snprintf(g->problem, sizeof g->problem, "%s", a->problem ? a->problem : "");
    return FETCH_GOOD;
}

static struct got get(const char *path)
{
    struct got g = { 0 };
    struct err e = { 0 };

    assert_non_null(fetcher_ask(f, path, (struct view){ 0 }, NULL, on_answer, &g, &e));
    while (!g.over)
        uv_run(&loop, UV_RUN_ONCE);
    return g;
}

static void good(const char *path)
{
    struct got g = get(path);

    if (g.status != 200)
        fail_msg("%s: status %d, \"%s\"", path, g.status, g.problem);
}

static void bad(const char *path, const char *part)
{
    struct got g = get(path);

    if (g.status != 0 || !strstr(g.problem, part))
        fail_msg("%s: status %d, \"%s\"", path, g.status, g.problem);
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static struct fetch_peer usual(void)
{
    return (struct fetch_peer){ .name = "peer",
                                .url = url,
                                .timeout_ms = 10000,
                                .concurrency = 2,
                                .max_bytes = 1 << 20 };
}

static void with(struct fetch_peer p)
{
    struct err e = { 0 };

    if (fetcher_new(&loop, &p, &f, &e) < 0)
        fail_msg("%s", e.text);
}

static struct site front; /* without TLS, where a test has one */
static bool front_runs;

static int setup(void **state)
{
    (void)state;
    front_runs = false;
    uv_loop_init(&loop);
    snprintf(url, sizeof url, "https://127.0.0.1:%d", server.port);
    write_file(ca_file, ca.certificate_pem);
    server.verify = false;
    f = NULL;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fetcher_stop(f);
    if (front_runs) /* also after a check that failed: the loop has to run dry */
        site_stop(&front);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    return 0;
}

/* ---- tests ----------------------------------------------------------------------------------- */

static void only_known_authorities_are_believed(void **state)
{
    struct fetch_peer p = usual();

    (void)state;
    with(p); /* the system's authorities have not signed it */
    bad("/", "certificate");
    fetcher_stop(f);
    p.ca_file = ca_file;
    with(p);
    good("/");
    fetcher_stop(f);
    p.ca_file = NULL;
    p.insecure = true;
    with(p);
    good("/");
}

static void the_name_has_to_be_right(void **state)
{
    struct fetch_peer p = usual();

    (void)state;
    snprintf(url, sizeof url, "https://localhost:%d", server.port);
    p.ca_file = ca_file; /* good for 127.0.0.1 alone */
    with(p);
    bad("/", "localhost");
}

static void a_new_authority_is_taken_up(void **state)
{
    struct fetch_peer p = usual();

    (void)state;
    p.ca_file = ca_file;
    with(p);
    good("/");
    write_file(ca_file, other_ca.certificate_pem);
    bad("/", "certificate");
    write_file(ca_file, ca.certificate_pem);
    good("/");
}

static void a_client_shows_who_it_is(void **state)
{
    struct fetch_peer p = usual();
    int before = server.shown;

    (void)state;
    server.verify = true;
    p.ca_file = ca_file;
    with(p);
    assert_int_equal(get("/").status, 0);
    fetcher_stop(f);
    p.cert_file = cert_file;
    p.key_file = key_file;
    with(p);
    good("/");
    assert_int_equal(server.shown, before + 1);

    write_file(cert_file,
               strange.certificate_pem); /* and its key: refused over there */
    write_file(key_file, strange.key_pem);
    assert_int_equal(get("/").status, 0);
    assert_int_equal(server.shown, before + 1);
    write_file(cert_file, me.certificate_pem);
    write_file(key_file, me.key_pem);
}

static void nothing_leads_from_https_to_http(void **state)
{
    struct fetch_peer p = usual();

    (void)state;
    snprintf(server.redirect, sizeof server.redirect, "http://127.0.0.1:1/");
    p.ca_file = ca_file;
    with(p);
    bad("/away", "from https to http");
    snprintf(server.redirect, sizeof server.redirect, "https://127.0.0.1:%d/x",
             server.port);
    good("/away");
}

static void from_http_to_https_who_we_are_stays_behind(void **state)
{
    struct fetch_peer p = usual();
    char plain[64], away[64], token[64];

    (void)state;
    site_start(&front, &loop);
    front_runs = true;
    snprintf(plain, sizeof plain, "http://127.0.0.1:%d", front.port);
    snprintf(away, sizeof away, "https://127.0.0.1:%d/there", server.port);
    snprintf(token, sizeof token, "%s/token", dir);
    write_file(token, "geheim");
    front.away = away;
    p.url = plain;
    p.ca_file = ca_file;
    p.bearer_token_file = token;
    with(p);
    good("/away");
    assert_true(site_saw(&front, "Authorization: Bearer geheim\r\n"));
    assert_non_null(strstr(server.seen, "GET /there HTTP/1.1\r\n"));
    assert_null(strstr(server.seen, "geheim"));
    fetcher_stop(f);

    /* The same for a header of its own, which is not known to be a secret. */
    p.token_header = "auth-token";
    with(p);
    good("/away");
    assert_true(site_saw(&front, "auth-token: geheim\r\n"));
    assert_null(strstr(server.seen, "geheim"));

    snprintf(away, sizeof away, "https://localhost:%d/there", server.port);
    bad("/away", "another host");
    unlink(token);
}

static void make_identities(void)
{
    ca = identity_make((struct wish){ .name = "CA", .ca = true });
    other_ca = identity_make((struct wish){ .name = "other CA", .ca = true });
    site = identity_make(
        (struct wish){ .name = "site", .issuer = &ca, .sans = "IP:127.0.0.1" });
    me = identity_make((struct wish){ .name = "me", .issuer = &ca });
    strange = identity_make((struct wish){ .name = "me", .issuer = &other_ca });
    assert_non_null(mkdtemp(dir));
    snprintf(ca_file, sizeof ca_file, "%s/ca.pem", dir);
    snprintf(cert_file, sizeof cert_file, "%s/cert.pem", dir);
    snprintf(key_file, sizeof key_file, "%s/key.pem", dir);
    write_file(cert_file, me.certificate_pem);
    write_file(key_file, me.key_pem);
}

int main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(only_known_authorities_are_believed),
        TEST(the_name_has_to_be_right),
        TEST(a_new_authority_is_taken_up),
        TEST(a_client_shows_who_it_is),
        TEST(nothing_leads_from_https_to_http),
        TEST(from_http_to_https_who_we_are_stays_behind),
    };
    int rc;

    signal(SIGPIPE, SIG_IGN);
    log_configure(LOG_ERROR, false);
    make_identities();
    server_start();
    rc = cmocka_run_group_tests(tests, NULL, NULL);
    shutdown(server.fd, SHUT_RDWR);
    pthread_join(server.thread, NULL);
    close(server.fd);
    SSL_CTX_free(server.ctx);
    unlink(ca_file);
    unlink(cert_file);
    unlink(key_file);
    rmdir(dir);
    identity_free(&ca);
    identity_free(&other_ca);
    identity_free(&site);
    identity_free(&me);
    identity_free(&strange);
    return rc;
}
