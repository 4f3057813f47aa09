/*
 * library.h - the one symbol of upstream.so.
 */
#ifndef SERVER_CURL_LIBRARY_H
#define SERVER_CURL_LIBRARY_H

#include "server/fetch/fetch_client.h"

extern const struct fetch_library encode_upstream;

#endif
