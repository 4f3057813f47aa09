#include "server/tls/library.h"

#include <stdlib.h>

#include <openssl/crypto.h>

#include "core/mem.h"
#include "server/tls/context.h"
#include "server/tls/session.h"

/* ---- memory ----------------------------------------------------------------------- */

/*
 * OpenSSL gets its memory from us, so that what holds for the rest of the program holds
 * for it: where there is none left the process ends with one line. No memory for no
 * bytes, as its own functions have it.
 */
static void *grab(size_t n, const char *file, int line)
{
    (void)file;
    (void)line;
    return n ? mem_alloc(n) : NULL;
}

static void give_back(void *p, const char *file, int line)
{
    (void)file;
    (void)line;
    free(p);
}

static void *resize(void *p, size_t n, const char *file, int line)
{
    if (n)
        return mem_resize(p, n, 1);
    give_back(p, file, line);
    return NULL;
}

/* When the library is opened, before OpenSSL has asked for anything. A program that has
 * used OpenSSL before keeps what it had. */
__attribute__((constructor)) static void lend_memory(void)
{
    CRYPTO_set_mem_functions(grab, resize, give_back);
}

/* ---- functions -------------------------------------------------------------------- */

__attribute__((visibility("default"))) const struct transport encode_transport = {
    .abi = TRANSPORT_ABI,
    .server_context = context_new_server,
    .client_context = context_new_client,
    .context_ref = context_ref,
    .context_unref = context_unref,
    .session_new = session_new,
    .session_free = session_free,
    .receive = session_receive,
    .state = session_state,
    .read = session_read,
    .write = session_write,
    .outgoing = session_outgoing,
    .sent = session_sent,
    .close = session_close,
    .problem = session_problem,
};
