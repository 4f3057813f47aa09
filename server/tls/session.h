/*
 * session.h - one connection: bytes on the wire ↔ what is said.
 */
#ifndef SERVER_TLS_SESSION_H
#define SERVER_TLS_SESSION_H

#include "server/web/transport.h"

/* As transport.h says of the functions of these names. */
struct transport_session *session_new(struct transport_context *base);
void session_free(struct transport_session *s);
void session_receive(struct transport_session *s, const char *p, size_t n);
enum transport_state session_state(const struct transport_session *s);
size_t session_read(struct transport_session *s, char *to, size_t n);
size_t session_write(struct transport_session *s, const char *p, size_t n);
size_t session_outgoing(const struct transport_session *s, const char **p);
void session_sent(struct transport_session *s, size_t n);
void session_close(struct transport_session *s);
const char *session_problem(const struct transport_session *s);

#endif
