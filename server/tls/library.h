/*
 * library.h - the one symbol that transport_tls.so shows; see server/web/transport.h.
 */
#ifndef SERVER_TLS_LIBRARY_H
#define SERVER_TLS_LIBRARY_H

#include "server/web/transport.h"

extern const struct transport encode_transport;

#endif
