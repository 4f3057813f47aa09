/*
 * session.c - an SSL between two queues of bytes in memory.
 *
 * OpenSSL sees one BIO of ours: it reads what arrived and writes what goes out, and never
 * waits. OpenSSL's own memory BIO would do the same and never give memory back; here an
 * idle connection has none of it.
 *
 * A client that talks plain HTTP is told so in plain HTTP, as Go's server does.
 */
#include "server/tls/session.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "core/mem.h"
#include "server/tls/context.h"
#include "server/tls/problem.h"

enum {
    RECORD_BYTES = 16 * 1024, /* of plain text, at most */
    RECORD_MORE = 512,        /* than that on the wire, at most, alerts included */
    HEADER_BYTES = 5,         /* of a record */
};

/* Bytes that wait; empty it holds no memory. */
struct queue {
    char *p;
    size_t at, end, cap; /* p[at] up to p[end] */
};

struct transport_session {
    SSL *ssl;
    struct context *context;
    struct queue in, out;
    enum transport_state state;
    bool looked; /* at how the other side begins */
    char problem[160];
};

/* ---- queues ----------------------------------------------------------------------- */

static size_t queue_length(const struct queue *q)
{
    return q->end - q->at;
}

static void queue_add(struct queue *q, const char *p, size_t n)
{
    if (n == 0)
        return;
    if (q->cap - q->end < n && q->at > 0) {
        memmove(q->p, q->p + q->at, queue_length(q));
        q->end -= q->at;
        q->at = 0;
    }
    if (q->cap - q->end < n) {
        size_t need = q->end + n, twice = 2 * q->cap;

        /* What waits to be sent stops at this size: twice as much would lie idle. */
        if (twice > TRANSPORT_PENDING_MAX)
            twice = TRANSPORT_PENDING_MAX;
        q->cap = need > twice ? need : twice;
        q->p = mem_resize(q->p, q->cap, 1);
    }
    memcpy(q->p + q->end, p, n);
    q->end += n;
}

static void queue_release(struct queue *q)
{
    free(q->p);
    *q = (struct queue){ 0 };
}

static void queue_drop(struct queue *q, size_t n)
{
    assert(n <= queue_length(q));
    q->at += n;
    if (q->at == q->end)
        queue_release(q);
}

/* ---- the BIO ---------------------------------------------------------------------- */

static int on_bio_read(BIO *bio, char *to, size_t n, size_t *got)
{
    struct transport_session *s = BIO_get_data(bio);
    size_t has = queue_length(&s->in);

    BIO_clear_retry_flags(bio);
    *got = has < n ? has : n;
    if (*got == 0) {
        BIO_set_retry_read(bio);
        return 0;
    }
    memcpy(to, s->in.p + s->in.at, *got);
    queue_drop(&s->in, *got);
    return 1;
}

static int on_bio_write(BIO *bio, const char *p, size_t n, size_t *taken)
{
    struct transport_session *s = BIO_get_data(bio);

    BIO_clear_retry_flags(bio);
    queue_add(&s->out, p, n);
    *taken = n;
    return 1;
}

static long on_bio_ctrl(BIO *bio, int what, long n, void *p)
{
    (void)bio;
    (void)n;
    (void)p;
    return what == BIO_CTRL_FLUSH;
}

static BIO_METHOD *bio_method(void)
{
    BIO_METHOD *m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "queues");

    if (!m || BIO_meth_set_read_ex(m, on_bio_read) != 1 ||
        BIO_meth_set_write_ex(m, on_bio_write) != 1 ||
        BIO_meth_set_ctrl(m, on_bio_ctrl) != 1)
        mem_exhausted(0);
    return m;
}

static BIO *bio_new(struct transport_session *s)
{
    static BIO_METHOD *method; /* the loop thread's */

    if (!method)
        method = bio_method();

    BIO *bio = BIO_new(method);

    if (!bio)
        mem_exhausted(0);
    BIO_set_data(bio, s);
    BIO_set_init(bio, 1);
    return bio;
}

/* ---- life ------------------------------------------------------------------------- */

static void shake_hands(struct transport_session *s);

struct transport_session *session_new(struct transport_context *base)
{
    struct transport_session *s = mem_zalloc(sizeof(*s));
    BIO *bio = bio_new(s);

    s->context = (struct context *)base;
    context_ref(base);
    s->ssl = SSL_new(s->context->ssl);
    if (!s->ssl)
        mem_exhausted(0);
    SSL_set_bio(s->ssl, bio, bio); /* takes it */
    if (s->context->client) {
        SSL_set_connect_state(s->ssl);
        s->looked = true;
        shake_hands(s);
    } else {
        SSL_set_accept_state(s->ssl);
    }
    return s;
}

void session_free(struct transport_session *s)
{
    if (!s)
        return;
    SSL_free(s->ssl);
    context_unref(&s->context->base);
    queue_release(&s->in);
    queue_release(&s->out);
    free(s);
}

/* ---- what goes wrong -------------------------------------------------------------- */

static void break_off(struct transport_session *s, const char *problem)
{
    s->state = TRANSPORT_BROKEN;
    snprintf(s->problem, sizeof s->problem, "%s", problem);
    queue_release(&s->in);
}

/* After a call of OpenSSL's that failed for good. */
static void break_ssl(struct transport_session *s)
{
    bool unverified =
        ERR_GET_REASON(ERR_peek_error()) == SSL_R_CERTIFICATE_VERIFY_FAILED;
    long why = SSL_get_verify_result(s->ssl);
    const char *reason = problem_reason();

    if (unverified && why == X509_V_ERR_APPLICATION_VERIFICATION)
        reason = "no subject alternative name of the certificate is allowed";
    else if (unverified)
        reason = X509_verify_cert_error_string(why);
    break_off(s, reason);
}

/* ---- the handshake ---------------------------------------------------------------- */

static bool begins_with_http(const char *p)
{
    static const char starts[][HEADER_BYTES + 1] = { "GET /", "HEAD ", "POST ", "PUT /",
                                                     "OPTIO", "DELET", "PATCH" };

    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
        if (memcmp(p, starts[i], HEADER_BYTES) == 0)
            return true;
    return false;
}

/* False: nothing may be handled yet, or ever. */
static bool look(struct transport_session *s)
{
    static const char answer[] =
        "HTTP/1.0 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n"
        "Connection: close\r\n\r\nClient sent an HTTP request to an HTTPS server.\n";

    if (s->looked)
        return true;
    if (queue_length(&s->in) < HEADER_BYTES)
        return false;
    s->looked = true;
    if (!begins_with_http(s->in.p + s->in.at))
        return true;
    queue_add(&s->out, answer, sizeof answer - 1);
    break_off(s, "client sent an HTTP request to an HTTPS server");
    return false;
}

static void shake_hands(struct transport_session *s)
{
    int rc;

    ERR_clear_error();
    rc = SSL_do_handshake(s->ssl);
    if (rc == 1)
        s->state = TRANSPORT_OPEN;
    else if (SSL_get_error(s->ssl, rc) != SSL_ERROR_WANT_READ)
        break_ssl(s);
}

void session_receive(struct transport_session *s, const char *p, size_t n)
{
    if (s->state == TRANSPORT_BROKEN || n == 0)
        return;
    queue_add(&s->in, p, n);
}

enum transport_state session_state(const struct transport_session *s)
{
    return s->state;
}

/* ---- what is said ----------------------------------------------------------------- */

size_t session_read(struct transport_session *s, char *to, size_t n)
{
    size_t got;

    if (s->state == TRANSPORT_OPENING && look(s))
        shake_hands(s);
    if (s->state != TRANSPORT_OPEN || n == 0)
        return 0;
    ERR_clear_error();
    if (SSL_read_ex(s->ssl, to, n, &got) == 1)
        return got;
    switch (SSL_get_error(s->ssl, 0)) {
    case SSL_ERROR_WANT_READ:
        break;
    case SSL_ERROR_ZERO_RETURN:
        s->state = TRANSPORT_ENDED;
        queue_release(&s->in);
        break;
    default:
        break_ssl(s);
    }
    return 0;
}

/* One record; false when there is room for none, or it failed. */
static bool write_record(struct transport_session *s, const char *p, size_t n)
{
    size_t taken;

    if (queue_length(&s->out) + n + RECORD_MORE > TRANSPORT_PENDING_MAX)
        return false;
    ERR_clear_error();
    if (SSL_write_ex(s->ssl, p, n, &taken) == 1)
        return true;
    break_ssl(s);
    return false;
}

size_t session_write(struct transport_session *s, const char *p, size_t n)
{
    size_t done = 0;

    if (s->state != TRANSPORT_OPEN && s->state != TRANSPORT_ENDED)
        return 0;
    while (done < n) {
        size_t left = n - done;
        size_t part = left < RECORD_BYTES ? left : RECORD_BYTES;

        if (!write_record(s, p + done, part))
            break;
        done += part;
    }
    return done;
}

size_t session_outgoing(const struct transport_session *s, const char **p)
{
    *p = s->out.p ? s->out.p + s->out.at : "";
    return queue_length(&s->out);
}

void session_sent(struct transport_session *s, size_t n)
{
    queue_drop(&s->out, n);
}

void session_close(struct transport_session *s)
{
    if (s->state != TRANSPORT_OPEN && s->state != TRANSPORT_ENDED)
        return;
    ERR_clear_error();
    SSL_shutdown(s->ssl); /* a second call finds that it was said */
    ERR_clear_error();
}

const char *session_problem(const struct transport_session *s)
{
    return s->problem;
}
