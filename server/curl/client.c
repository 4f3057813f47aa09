/*
 * client.c - the functions of fetch_client.h, on libcurl's multi interface.
 *
 * libcurl tells by callbacks which sockets and which time it waits for, and the host
 * tells when that came. done is called from here, outside of libcurl's own functions, so
 * that it may begin and cancel.
 */
#include "server/fetch/fetch_client.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "server/curl/transfer.h"

struct fetch_client {
    CURLM *multi;
    struct fetch_host host;
    struct fetch_transfer *transfers;
    struct authorities system;
};

/* ---- memory ---------------------------------------------------------------------------- */

/* libcurl gets its memory from us: where there is none left, the process ends. */
static void *grab_zeroed(size_t count, size_t size)
{
    if (size && count > SIZE_MAX / size)
        mem_exhausted(0);
    return mem_zalloc(count * size);
}

static void *resize(void *p, size_t n)
{
    return mem_resize(p, n, 1);
}

static int start_libcurl(struct err *e)
{
    static bool started; /* the loop thread's; stays until the process ends */

    if (started)
        return 0;

    CURLcode rc = curl_global_init_mem(CURL_GLOBAL_ALL, mem_alloc, free, resize,
                                       mem_strdup, grab_zeroed);

    if (rc != CURLE_OK)
        return err_set(e, -ENOTSUP, "libcurl does not start: %s",
                       curl_easy_strerror(rc));
    started = true;
    return 0;
}

/* ---- the system's certificates --------------------------------------------------------- */

/* "5443e9e3.0": named by a hash, as OpenSSL looks for it. */
static bool is_hashed(const char *name)
{
    return strspn(name, "0123456789abcdef") == 8 && name[8] == '.' &&
           isdigit((unsigned char)name[9]);
}

static bool has_hashed(const char *path)
{
    DIR *d = path ? opendir(path) : NULL;
    const struct dirent *entry;
    bool found = false;

    while (d && !found && (entry = readdir(d)))
        found = is_hashed(entry->d_name);
    if (d)
        closedir(d);
    return found;
}

static struct authorities find_authorities(void)
{
    const curl_version_info_data *v = curl_version_info(CURLVERSION_NOW);

    return (struct authorities){ .path = has_hashed(v->capath) ? v->capath : NULL,
                                 .file = v->cainfo };
}

/* ---- what libcurl waits for -------------------------------------------------------------- */

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *ctx, void *mine)
{
    struct fetch_client *c = ctx;
    const void *was = mine;
    int events = what == CURL_POLL_IN      ? FETCH_READABLE
                 : what == CURL_POLL_OUT   ? FETCH_WRITABLE
                 : what == CURL_POLL_INOUT ? FETCH_READABLE | FETCH_WRITABLE
                                           : 0;

    (void)easy;
    c->host.watch(c->host.ctx, fd, events, &mine);
    if (mine != was && events)
        curl_multi_assign(c->multi, fd, mine);
    return 0;
}

static int on_timer(CURLM *multi, long ms, void *ctx)
{
    struct fetch_client *c = ctx;

    (void)multi;
    c->host.timer(c->host.ctx, ms);
    return 0;
}

struct fetch_client *client_new(const struct fetch_host *host, unsigned max_connections,
                                struct err *e)
{
    if (start_libcurl(e) < 0)
        return NULL;

    struct fetch_client *c = mem_zalloc(sizeof *c);
    long max = (long)max_connections;

    c->host = *host;
    c->system = find_authorities();
    c->multi = curl_multi_init();
    if (!c->multi)
        mem_exhausted(0);
    if (curl_multi_setopt(c->multi, CURLMOPT_SOCKETFUNCTION, on_socket) == CURLM_OK &&
        curl_multi_setopt(c->multi, CURLMOPT_SOCKETDATA, c) == CURLM_OK &&
        curl_multi_setopt(c->multi, CURLMOPT_TIMERFUNCTION, on_timer) == CURLM_OK &&
        curl_multi_setopt(c->multi, CURLMOPT_TIMERDATA, c) == CURLM_OK &&
        curl_multi_setopt(c->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, max) == CURLM_OK &&
        curl_multi_setopt(c->multi, CURLMOPT_MAXCONNECTS, max) == CURLM_OK)
        return c;
    err_set(e, -ENOTSUP, "libcurl does not take what is needed");
    client_free(c);
    return NULL;
}

void client_free(struct fetch_client *c)
{
    for (struct fetch_transfer *t = c->transfers, *next; t; t = next) {
        next = t->next;
        client_cancel(t);
    }
    curl_multi_cleanup(c->multi);
    free(c);
}

/* ---- transfers --------------------------------------------------------------------------- */

static void unlink_transfer(struct fetch_transfer *t)
{
    *t->from = t->next;
    if (t->next)
        t->next->from = t->from;
}

struct fetch_transfer *client_begin(struct fetch_client *c,
                                    const struct fetch_request *r, fetch_done *done,
                                    void *ctx, struct err *e)
{
    struct fetch_transfer *t = transfer_new(r, &c->system, e);

    if (!t)
        return NULL;
    t->client = c;
    t->done = done;
    t->ctx = ctx;

    CURLMcode rc = curl_multi_add_handle(c->multi, t->easy);

    if (rc != CURLM_OK) {
        err_set(e, -ENOTSUP, "%s", curl_multi_strerror(rc));
        transfer_free(t);
        return NULL;
    }
    t->from = &c->transfers;
    t->next = c->transfers;
    if (t->next)
        t->next->from = &t->next;
    c->transfers = t;
    return t;
}

void client_cancel(struct fetch_transfer *t)
{
    unlink_transfer(t);
    curl_multi_remove_handle(t->client->multi, t->easy);
    transfer_free(t);
}

static void finish(struct fetch_client *c, struct fetch_transfer *t, CURLcode code)
{
    bool on = transfer_goes_on(t, code);

    curl_multi_remove_handle(c->multi, t->easy);
    if (on && curl_multi_add_handle(c->multi, t->easy) == CURLM_OK)
        return;
    unlink_transfer(t);

    const struct fetch_answer a = transfer_answer(t);

    t->done(t->ctx, &a);
    transfer_free(t);
}

static void step(struct fetch_client *c, curl_socket_t fd, int events)
{
    CURLMsg *m;
    int left;

    curl_multi_socket_action(c->multi, fd, events, &left);
    while ((m = curl_multi_info_read(c->multi, &left))) {
        struct fetch_transfer *t = NULL;

        if (m->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &t);
        finish(c, t, m->data.result);
    }
}

void client_socket(struct fetch_client *c, int fd, int events)
{
    step(c, fd,
         (events & FETCH_READABLE ? CURL_CSELECT_IN : 0) |
             (events & FETCH_WRITABLE ? CURL_CSELECT_OUT : 0) |
             (events & FETCH_FAILED ? CURL_CSELECT_ERR : 0));
}

void client_timeout(struct fetch_client *c)
{
    step(c, CURL_SOCKET_TIMEOUT, 0);
}

const char *client_version(void)
{
    return curl_version_info(CURLVERSION_NOW)->version;
}
