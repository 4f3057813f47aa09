/*
 * client.h - the functions of fetch_client.h, on libcurl's multi interface.
 */
#ifndef SERVER_CURL_CLIENT_H
#define SERVER_CURL_CLIENT_H

#include "server/fetch/fetch_client.h"

struct fetch_client *client_new(const struct fetch_host *host, unsigned max_connections,
                                struct err *e);
void client_free(struct fetch_client *c);
struct fetch_transfer *client_begin(struct fetch_client *c,
                                    const struct fetch_request *r, fetch_done *done,
                                    void *ctx, struct err *e);
void client_cancel(struct fetch_transfer *t);
void client_socket(struct fetch_client *c, int fd, int events);
void client_timeout(struct fetch_client *c);

#endif
