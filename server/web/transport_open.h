/*
 * transport_open.h - one certain file as the transport. For transport.c and its test.
 */
#ifndef SERVER_WEB_TRANSPORT_OPEN_H
#define SERVER_WEB_TRANSPORT_OPEN_H

#include "server/web/transport.h"

/* path has a '/'. On failure e names path and reason, and nothing stays open. */
int transport_open(const char *path, const struct transport **out, struct err *e);

#endif
