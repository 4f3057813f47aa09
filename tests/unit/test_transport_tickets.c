#include "server/tls/tickets.h"

#include "certificates.h"

static SSL_SESSION *kept;

static int keep_session(SSL *ssl, SSL_SESSION *session)
{
    (void)ssl;
    SSL_SESSION_free(kept);
    kept = session;
    return 1;
}

/* One handshake through a pair of BIOs; true if it went on from the session kept. */
static bool resumes(SSL_CTX *server, SSL_CTX *client)
{
    SSL *s = SSL_new(server), *c = SSL_new(client);
    BIO *ours, *theirs;
    bool reused;
    char byte;

    BIO_new_bio_pair(&ours, 0, &theirs, 0);
    SSL_set_bio(s, ours, ours);
    SSL_set_bio(c, theirs, theirs);
    SSL_set_accept_state(s);
    SSL_set_connect_state(c);
    if (kept)
        SSL_set_session(c, kept);
    for (int i = 0; i < 10; i++) {
        SSL_do_handshake(c);
        SSL_do_handshake(s);
    }
    assert_true(SSL_is_init_finished(s) && SSL_is_init_finished(c));
    SSL_read(c, &byte, 1); /* takes the ticket of TLS 1.3 */
    reused = SSL_session_reused(c);
    /* In TLS 1.2 a renewed ticket comes without a call of keep_session(). */
    if (SSL_version(c) == TLS1_2_VERSION) {
        SSL_SESSION_free(kept);
        kept = SSL_get1_session(c);
    }
    SSL_shutdown(c);
    SSL_free(s);
    SSL_free(c);
    return reused;
}

static void old_tickets_outlive_their_key_by_an_hour(void **state)
{
    struct identity id = identity_make((struct wish){ .name = "server" });

    (void)state;
    for (int v = TLS1_2_VERSION; v <= TLS1_3_VERSION; v++) {
        SSL_CTX *server = SSL_CTX_new(TLS_server_method());
        SSL_CTX *client = SSL_CTX_new(TLS_client_method());
        struct tickets t;

        tickets_init(&t, server);
        SSL_CTX_set_app_data(server, &t);
        SSL_CTX_use_certificate(server, id.certificate);
        SSL_CTX_use_PrivateKey(server, id.key);
        SSL_CTX_set_max_proto_version(client, v);
        SSL_CTX_set_session_cache_mode(client, SSL_SESS_CACHE_CLIENT);
        SSL_CTX_sess_set_new_cb(client, keep_session);

        assert_false(resumes(server, client));
        assert_true(resumes(server, client));

        struct ticket_key first = t.now;
        SSL_SESSION *of_first = SSL_SESSION_dup(kept);

        /* A day passes: the next handshake makes a key, and reads what the old sealed. */
        t.now.made_s -= TICKET_KEY_SECONDS;
        assert_true(resumes(server, client));
        assert_memory_not_equal(&t.now.name, &first.name, sizeof first.name);
        assert_memory_not_equal(&t.now.aes, &first.aes, sizeof first.aes);
        assert_memory_not_equal(&t.now.mac, &first.mac, sizeof first.mac);
        assert_memory_equal(&t.before.name, &first.name, sizeof first.name);
        /* The client got one of the new key with it. */
        assert_true(resumes(server, client));

        /* An hour more: nothing that the old one sealed can still be good. */
        t.now.made_s -= TICKET_SECONDS;
        SSL_SESSION_free(kept);
        kept = of_first;
        assert_false(resumes(server, client));

        SSL_SESSION_free(kept);
        kept = NULL;
        tickets_deinit(&t);
        SSL_CTX_free(server);
        SSL_CTX_free(client);
    }
    identity_free(&id);
}

static void a_key_is_kept_for_a_day(void **state)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    struct tickets t;
    struct ticket_key first;

    (void)state;
    tickets_init(&t, ctx);
    first = t.now;
    tickets_turn(&t, first.made_s + TICKET_KEY_SECONDS - 1);
    assert_memory_equal(&t.now.name, &first.name, sizeof first.name);
    tickets_turn(&t, first.made_s + TICKET_KEY_SECONDS);
    assert_memory_not_equal(&t.now.name, &first.name, sizeof first.name);
    assert_memory_equal(&t.before.name, &first.name, sizeof first.name);
    tickets_deinit(&t);
    for (size_t i = 0; i < sizeof t; i++)
        assert_int_equal(((unsigned char *)&t)[i], 0); /* nothing of it stays */
    SSL_CTX_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(old_tickets_outlive_their_key_by_an_hour),
        cmocka_unit_test(a_key_is_kept_for_a_day),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
