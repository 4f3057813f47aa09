/*
 * transport.h - what turns plain bytes into those on the wire and back: the functions of
 * transport_tls.so, and how it is opened.
 *
 * No socket is touched here. Whoever has one passes in what arrived and sends what is
 * outgoing.
 *
 * Contexts: made on any thread, the pool included (server_context reads files). After
 * that context and sessions belong to the loop thread alone. A context never changes: a
 * new configuration or certificate is a new context, and a session keeps its own by
 * reference, so connections that run are not disturbed.
 *
 * Errors: a context that cannot be made says why in e, and nothing of it remains. A
 * session that fails becomes TRANSPORT_BROKEN and says why in problem(). Memory does not
 * run out: the process ends as core/mem.h says.
 */
#ifndef SERVER_WEB_TRANSPORT_H
#define SERVER_WEB_TRANSPORT_H

#include <stdint.h>
#include <sys/types.h>

#include "core/err.h"
#include "server/web/tls_settings.h"

/* Raised whenever anything below or in tls_settings.h or err.h changes. */
enum { TRANSPORT_ABI = 2 };

/* The one symbol that the library exports: a const struct transport. */
#define TRANSPORT_SYMBOL "encode_transport"

/* So much of a session waits to be sent at most: write() takes no more then. */
enum { TRANSPORT_PENDING_MAX = 64 * 1024 };

enum transport_state {
    TRANSPORT_OPENING, /* the handshake is under way; write() takes nothing */
    TRANSPORT_OPEN,
    TRANSPORT_ENDED, /* the other side says that nothing more comes; write() still works */
    TRANSPORT_BROKEN, /* nothing more can be read or written; problem() says why */
};

/* The part that callers may see; more follows in the library. */
struct transport_context {
    const struct transport *transport; /* its functions */
};

struct transport_session; /* one connection's */

struct transport {
    uint32_t abi; /* TRANSPORT_ABI; first for ever, and looked at before all else */

    /*
     * *out gets one reference. On failure it is untouched, and e's text begins with the
     * key at fault: "cert_file: /etc/x.pem: No such file or directory". settings is not
     * needed afterwards. Files are read here: not for the loop thread once it serves.
     */
    int (*server_context)(const struct tls_settings *settings,
                          struct transport_context **out, struct err *e);
    /* For asking ourselves: believes every certificate and shows none. */
    int (*client_context)(struct transport_context **out, struct err *e);
    void (*context_ref)(struct transport_context *c);
    void (*context_unref)(struct transport_context *c); /* NULL is accepted */

    /* Takes a reference of its own. A client's has its first bytes outgoing at once. */
    struct transport_session *(*session_new)(struct transport_context *c);
    void (*session_free)(struct transport_session *s); /* NULL is accepted */

    /*
     * What arrived. It is copied, and nothing is done with it yet, so this costs next to
     * nothing. The caller reads all of it with read() before it brings more: then at most
     * one record (16 KiB) is kept. Ignored when broken.
     */
    void (*receive)(struct transport_session *s, const char *p, size_t n);
    enum transport_state (*state)(const struct transport_session *s);

    /*
     * Up to n bytes of what was said, as they come next. 0: nothing more for now, or for
     * ever: see state(). May make something outgoing. While it is opening the handshake
     * goes on first, which takes a millisecond or so of computing; with n = 0 only that.
     */
    size_t (*read)(struct transport_session *s, char *to, size_t n);

    /*
     * Takes up to n bytes to be said and returns how many; fewer when as much is outgoing
     * as may be. 0 while opening and when broken.
     */
    size_t (*write)(struct transport_session *s, const char *p, size_t n);

    /*
     * The bytes to send next: returns their number (0: none) and points *p at them. They
     * stay where they are until sent(), as long as neither receive(), read(), write() nor
     * close() is called. sent() drops the first n of them.
     *
     * A broken session may have outgoing bytes, too: what tells the other side why.
     */
    size_t (*outgoing)(const struct transport_session *s, const char **p);
    void (*sent)(struct transport_session *s, size_t n);

    /* Nothing more will be written: makes the sign of it outgoing. Any number of times. */
    void (*close)(struct transport_session *s);

    /*
     * One sentence without newline on why it is broken, for the log; "" while it is not.
     * What the other side sent is in it only as printable text. Lives as long as s.
     */
    const char *(*problem)(const struct transport_session *s);
};

/*
 * The functions of transport_tls.so, which is looked for beside the executable and then
 * in the library directory it was installed with, and nowhere else. It is opened once and
 * stays. NULL, and e names file and reason: it is missing, cannot be loaded (a library
 * that it needs is missing), or was built for another version of this program.
 */
const struct transport *transport_load(struct err *e);

#endif
