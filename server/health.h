/*
 * health.h - asks a running exporter how it is, for container health checks.
 */
#ifndef SERVER_HEALTH_H
#define SERVER_HEALTH_H

#include "core/err.h"

/*
 * GET /health at a listen address of the flags (":9502" is asked on loopback), within
 * 5 s. 0: it answered 200. Else negative, and e tells why.
 */
int health_ask(const char *listen_address, struct err *e);

#endif
