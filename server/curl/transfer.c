/*
 * transfer.c - one request: what is told to libcurl about it, where redirects lead, and
 * what came back.
 *
 * Redirects are followed here and not by libcurl: it would send headers of ours, which
 * may hold a token, and the body to whatever host an answer names.
 */
#include "server/curl/transfer.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

enum {
    REDIRECTS_MAX = 5,
    HEAD_MAX = 64 * 1024,    /* heads of an answer and what trails its chunks */
    BUFFER_BYTES = 8 * 1024, /* inflated at once: 8 MiB of zeros at worst */
};

/* ---- telling libcurl --------------------------------------------------------------- */

static void set_long(struct fetch_transfer *t, CURLoption o, long v)
{
    t->refused |= curl_easy_setopt(t->easy, o, v) != CURLE_OK;
}

static void set_text(struct fetch_transfer *t, CURLoption o, const char *v)
{
    t->refused |= curl_easy_setopt(t->easy, o, v) != CURLE_OK;
}

static void set_pointer(struct fetch_transfer *t, CURLoption o, void *v)
{
    t->refused |= curl_easy_setopt(t->easy, o, v) != CURLE_OK;
}

/* ---- what arrives and what is sent --------------------------------------------------- */

static void room(struct fetch_transfer *t, size_t n)
{
    size_t need = t->answer_n + n;

    if (need <= t->answer_cap)
        return;
    t->answer_cap = need > 4096 ? need + need / 2 : 4096;
    t->answer = mem_resize(t->answer, t->answer_cap, 1);
}

static size_t on_bytes(char *p, size_t size, size_t count, void *ctx)
{
    struct fetch_transfer *t = ctx;
    size_t n = size * count;

    if (n > t->answer_max - t->answer_n) {
        t->too_large = true;
        return 0; /* ends the transfer */
    }
    room(t, n);
    memcpy(t->answer + t->answer_n, p, n);
    t->answer_n += n;
    return n;
}

/* A compressed answer may be endless and yet tell nothing. */
static int on_progress(void *ctx, curl_off_t total, curl_off_t now, curl_off_t up_total,
                       curl_off_t up_now)
{
    struct fetch_transfer *t = ctx;

    (void)total;
    (void)up_total;
    (void)up_now;
    t->too_large = t->too_large || (uint64_t)now > t->answer_max + HEAD_MAX;
    return t->too_large;
}

/* Of heads and trailers, each of whose lines libcurl keeps as long as the transfer is: its
 * own limit counts heads alone. */
static size_t on_header(const char *p, size_t size, size_t count, void *ctx)
{
    struct fetch_transfer *t = ctx;
    size_t n = size * count;

    (void)p;
    t->head_n += n;
    t->long_head = t->head_n > HEAD_MAX;
    return t->long_head ? 0 : n;
}

/* Bodies as they arrive, with what chunks have besides: libcurl counts the rest alone, and
 * reads on for as long as something is there. */
static int on_debug(CURL *easy, curl_infotype type, const char *p, size_t n, void *ctx)
{
    struct fetch_transfer *t = ctx;

    (void)easy;
    (void)p;
    if (type == CURLINFO_DATA_IN)
        t->arrived_n += n;
    t->too_large = t->too_large || t->arrived_n > t->answer_max + HEAD_MAX;
    return 0;
}

static size_t on_wanted(char *to, size_t size, size_t count, void *ctx)
{
    struct fetch_transfer *t = ctx;
    uint64_t left = t->upload.n - t->sent;
    size_t n = size * count;

    if (n > left)
        n = (size_t)left;
    if (n)
        n = t->upload.read(t->upload.ctx, t->sent, to, n);
    t->sent += n;
    return n;
}

static int on_seek(void *ctx, curl_off_t offset, int origin)
{
    struct fetch_transfer *t = ctx;

    if (origin != SEEK_SET || offset < 0 || (uint64_t)offset > t->upload.n)
        return CURL_SEEKFUNC_FAIL;
    t->sent = (uint64_t)offset;
    return CURL_SEEKFUNC_OK;
}

/* ---- setting one up -------------------------------------------------------------------- */

static bool is_scheme(CURLU *u, const char *wanted)
{
    char *scheme = NULL;
    bool is = curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
              strcmp(scheme, wanted) == 0;

    curl_free(scheme);
    return is;
}

/* NULL: text is no URL that may be asked. */
static CURLU *parse_url(const char *text, struct err *e)
{
    CURLU *u = curl_url();

    if (!u)
        mem_exhausted(0);

    CURLUcode rc = curl_url_set(u, CURLUPART_URL, text, CURLU_DISALLOW_USER);

    if (rc == CURLUE_OK && !is_scheme(u, "http") && !is_scheme(u, "https"))
        rc = CURLUE_UNSUPPORTED_SCHEME;
    if (rc == CURLUE_OK)
        return u;
    err_set(e, -EINVAL, "%s", curl_url_strerror(rc));
    curl_url_cleanup(u);
    return NULL;
}

static bool same_part(CURLU *a, CURLU *b, CURLUPart part)
{
    char *x = NULL, *y = NULL;
    bool same = curl_url_get(a, part, &x, CURLU_DEFAULT_PORT) == CURLUE_OK &&
                curl_url_get(b, part, &y, CURLU_DEFAULT_PORT) == CURLUE_OK &&
                curl_strequal(x, y);

    curl_free(x);
    curl_free(y);
    return same;
}

static void add_header(struct curl_slist **list, const char *line)
{
    struct curl_slist *longer = curl_slist_append(*list, line);

    if (!longer)
        mem_exhausted(0);
    *list = longer;
}

static void set_headers(struct fetch_transfer *t, const struct fetch_request *r)
{
    char line[256];

    add_header(&t->foreign, "Expect:"); /* would cost a second where it is not known */
    if (r->content_type) {
        snprintf(line, sizeof line, "Content-Type: %s", r->content_type);
        add_header(&t->foreign, line);
    }
    if (r->upload && r->upload->gzip)
        add_header(&t->foreign, "Content-Encoding: gzip");
    for (const struct curl_slist *h = t->foreign; h; h = h->next)
        add_header(&t->headers, h->data);
    for (const char *const *h = r->headers; h && *h; h++)
        add_header(&t->headers, *h);
    set_pointer(t, CURLOPT_HTTPHEADER, t->headers);
}

static void set_body(struct fetch_transfer *t, const struct fetch_request *r)
{
    uint64_t n = r->upload ? r->upload->n : r->body.n;

    if (!r->upload && !r->body.p)
        return;
    set_long(t, CURLOPT_POST, 1);
    t->refused |= curl_easy_setopt(t->easy, CURLOPT_POSTFIELDSIZE_LARGE,
                                   (curl_off_t)n) != CURLE_OK;
    if (r->upload) {
        t->upload = *r->upload;
        set_pointer(t, CURLOPT_READDATA, t);
        set_pointer(t, CURLOPT_SEEKDATA, t);
        t->refused |=
            curl_easy_setopt(t->easy, CURLOPT_READFUNCTION, on_wanted) != CURLE_OK ||
            curl_easy_setopt(t->easy, CURLOPT_SEEKFUNCTION, on_seek) != CURLE_OK;
    } else {
        t->body = mem_alloc(n);
        memcpy(t->body, r->body.p, n);
        set_pointer(t, CURLOPT_POSTFIELDS, t->body);
    }
}

static void set_identity(struct fetch_transfer *t, const struct fetch_identity *i)
{
    if (i->user_agent)
        set_text(t, CURLOPT_USERAGENT, i->user_agent);
    if (i->bearer_token) {
        set_long(t, CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER);
        set_text(t, CURLOPT_XOAUTH2_BEARER, i->bearer_token);
    } else if (i->username) {
        set_long(t, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
        set_text(t, CURLOPT_USERNAME, i->username);
        set_text(t, CURLOPT_PASSWORD, i->password ? i->password : "");
    }
    if (i->cert_file) {
        set_text(t, CURLOPT_SSLCERT, i->cert_file);
        set_text(t, CURLOPT_SSLKEY, i->key_file ? i->key_file : i->cert_file);
    }
    if (i->proxy)
        set_text(t, CURLOPT_PROXY, i->proxy);
}

/* Who we are is for the first scheme and port alone. */
static void forget_identity(struct fetch_transfer *t)
{
    set_text(t, CURLOPT_XOAUTH2_BEARER, NULL);
    set_text(t, CURLOPT_USERNAME, NULL);
    set_text(t, CURLOPT_PASSWORD, NULL);
    set_text(t, CURLOPT_SSLCERT, NULL);
    set_text(t, CURLOPT_SSLKEY, NULL);
    set_pointer(t, CURLOPT_HTTPHEADER, t->foreign);
}

/* Whom we believe. The system's own bundle, given as ca_file, is the system. */
static void set_authorities(struct fetch_transfer *t, const struct fetch_identity *i,
                            const struct authorities *system)
{
    const char *all = system->path ? NULL : system->file;
    const char *file = i->ca_file;

    if (file && system->file && strcmp(file, system->file) == 0)
        file = NULL;
    set_text(t, CURLOPT_CAPATH, file ? NULL : system->path);
    set_text(t, CURLOPT_CAINFO, file ? file : all);
    set_text(t, CURLOPT_PROXY_CAPATH, system->path);
    set_text(t, CURLOPT_PROXY_CAINFO, all);
    if (file)
        set_long(t, CURLOPT_CA_CACHE_TIMEOUT, i->ca_age_s);
    if (i->insecure) {
        set_long(t, CURLOPT_SSL_VERIFYPEER, 0);
        set_long(t, CURLOPT_SSL_VERIFYHOST, 0);
    }
    set_long(t, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);
}

static void set_rest(struct fetch_transfer *t, const struct fetch_request *r)
{
    set_text(t, CURLOPT_URL, r->url);
    set_text(t, CURLOPT_PROTOCOLS_STR, "http,https");
    set_long(t, CURLOPT_DISALLOW_USERNAME_IN_URL, 1);
    set_long(t, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
    set_long(t, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1);
    set_long(t, CURLOPT_NOSIGNAL, 1);
    /* A transfer that ends must not wait for the thread that resolves its name. */
    set_long(t, CURLOPT_QUICK_EXIT, 1);
    set_long(t, CURLOPT_BUFFERSIZE, BUFFER_BYTES);
    set_long(t, CURLOPT_TIMEOUT_MS, (long)r->timeout_ms);
    set_long(t, CURLOPT_CONNECTTIMEOUT_MS, (long)r->timeout_ms);
    set_long(t, CURLOPT_NOPROGRESS, 0);
    set_text(t, CURLOPT_ACCEPT_ENCODING, "gzip");
    set_pointer(t, CURLOPT_ERRORBUFFER, t->told);
    set_pointer(t, CURLOPT_PRIVATE, t);
    set_pointer(t, CURLOPT_WRITEDATA, t);
    set_pointer(t, CURLOPT_HEADERDATA, t);
    set_pointer(t, CURLOPT_DEBUGDATA, t);
    set_long(t, CURLOPT_VERBOSE, 1); /* else on_debug() is not called */
    set_pointer(t, CURLOPT_XFERINFODATA, t);
    t->refused |=
        curl_easy_setopt(t->easy, CURLOPT_WRITEFUNCTION, on_bytes) != CURLE_OK ||
        curl_easy_setopt(t->easy, CURLOPT_HEADERFUNCTION, on_header) != CURLE_OK ||
        curl_easy_setopt(t->easy, CURLOPT_DEBUGFUNCTION, on_debug) != CURLE_OK ||
        curl_easy_setopt(t->easy, CURLOPT_XFERINFOFUNCTION, on_progress) != CURLE_OK;
}

struct fetch_transfer *transfer_new(const struct fetch_request *r,
                                    const struct authorities *system, struct err *e)
{
    CURLU *home = parse_url(r->url, e);

    if (!home)
        return NULL;

    struct fetch_transfer *t = mem_zalloc(sizeof *t);

    t->home = home;
    t->secure = is_scheme(home, "https");
    t->left_ms = r->timeout_ms;
    t->answer_max = r->max_bytes;
    t->easy = curl_easy_init();
    if (!t->easy)
        mem_exhausted(0);
    set_rest(t, r);
    set_headers(t, r);
    set_body(t, r);
    set_identity(t, r->identity);
    set_authorities(t, r->identity, system);
    if (!t->refused)
        return t;
    err_set(e, -ENOTSUP, "libcurl %s does not take what this request needs",
            curl_version_info(CURLVERSION_NOW)->version);
    transfer_free(t);
    return NULL;
}

void transfer_free(struct fetch_transfer *t)
{
    curl_easy_cleanup(t->easy);
    curl_url_cleanup(t->home);
    curl_slist_free_all(t->headers);
    curl_slist_free_all(t->foreign);
    free(t->body);
    free(t->answer);
    free(t);
}

/* ---- when it is over ------------------------------------------------------------------- */

/* For a log: libcurl quotes what others sent. Returns false. */
static bool fail(struct fetch_transfer *t, const char *text)
{
    size_t n = 0;

    for (; n < sizeof t->problem - 1 && text[n]; n++)
        t->problem[n] = (char)(text[n] >= ' ' && text[n] <= '~' ? text[n] : '?');
    t->problem[n] = '\0';
    return false;
}

static bool fail_with(struct fetch_transfer *t, CURLcode code)
{
    char text[80];

    if (t->long_head)
        return fail(t, "the answer's head or trailers are larger than 65536 bytes");
    if (!t->too_large)
        return fail(t, *t->told ? t->told : curl_easy_strerror(code));
    snprintf(text, sizeof text, "the answer is larger than %llu bytes",
             (unsigned long long)t->answer_max);
    return fail(t, text);
}

static bool go_to(struct fetch_transfer *t, const char *url, long status)
{
    curl_off_t spent_us = 0;
    struct err why = { 0 };
    CURLU *u = parse_url(url, &why);

    if (!u)
        return fail(t, "redirected to a URL that is not followed");

    bool secure = is_scheme(u, "https"),
         upgraded = secure && !is_scheme(t->home, "https");
    bool same_host = same_part(t->home, u, CURLUPART_HOST);
    bool same_port = same_part(t->home, u, CURLUPART_PORT);

    curl_url_cleanup(u);
    if (t->secure && !secure)
        return fail(t, "redirected from https to http, which is not followed");
    if (!same_host || (!same_port && !upgraded))
        return fail(t, "redirected to another host or port, which is not followed");
    curl_easy_getinfo(t->easy, CURLINFO_TOTAL_TIME_T, &spent_us);
    if ((uint64_t)spent_us / 1000 >= t->left_ms)
        return fail(t, "timed out after a redirect");
    t->left_ms -= (uint64_t)spent_us / 1000;
    t->secure = secure;
    if (upgraded)
        forget_identity(t);
    if (status == 303)
        set_long(t, CURLOPT_HTTPGET, 1);
    set_text(t, CURLOPT_URL, url);
    set_long(t, CURLOPT_TIMEOUT_MS, (long)t->left_ms);
    t->sent = 0;
    t->answer_n = 0;
    t->head_n = 0;
    t->arrived_n = 0;
    return !t->refused || fail(t, "redirected to a URL that is not followed");
}

bool transfer_goes_on(struct fetch_transfer *t, CURLcode code)
{
    const char *url = NULL;
    long status = 0;

    if (code != CURLE_OK)
        return fail_with(t, code);
    curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(t->easy, CURLINFO_REDIRECT_URL, &url);
    if (!url || (status != 301 && status != 302 && status != 303 && status != 307 &&
                 status != 308))
        return false;
    if (t->redirects++ == REDIRECTS_MAX)
        return fail(t, "redirected too often");

    char *kept = mem_strdup(url); /* libcurl's changes with the option */
    bool on = go_to(t, kept, status);

    free(kept);
    return on;
}

struct fetch_answer transfer_answer(struct fetch_transfer *t)
{
    struct fetch_answer a = { .content_type = "", .retry_after_s = NAN };
    const char *type = NULL;
    long status = 0;
    curl_off_t wait_s = 0;

    if (*t->problem) {
        a.problem = t->problem;
        return a;
    }
    curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(t->easy, CURLINFO_CONTENT_TYPE, &type);
    curl_easy_getinfo(t->easy, CURLINFO_RETRY_AFTER, &wait_s);
    a.status = (int)status;
    a.body = (struct view){ t->answer, t->answer_n };
    if (type)
        a.content_type = type;
    if (wait_s > 0)
        a.retry_after_s = (double)wait_s;
    return a;
}
