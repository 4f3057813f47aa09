/*
 * health.h - asks a running exporter how it is, for container health checks.
 */
#ifndef SERVER_HEALTH_H
#define SERVER_HEALTH_H

#include <stdbool.h>

#include "core/err.h"

/*
 * GET /health at a listen address of the flags (":9502" is asked on loopback, a unix
 * socket at its path), within 5 s. 0: it answered 200. Else negative, and e tells why.
 *
 * tls: the exporter has TLS, which counts for all but unix sockets. Its certificate is
 * not verified: it has the name that others use, and whoever answers on an address of
 * this process's own is asked for nothing but how it is. No certificate is shown, so
 * where clients need one the health check needs a unix socket.
 */
int health_ask(const char *listen_address, bool tls, struct err *e);

#endif
