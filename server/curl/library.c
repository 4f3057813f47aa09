#include "server/curl/library.h"

#include <curl/curl.h>

#include "server/curl/client.h"

static const char *version(void)
{
    return curl_version_info(CURLVERSION_NOW)->version;
}

__attribute__((visibility("default"))) const struct fetch_library encode_upstream = {
    .abi = FETCH_ABI,
    .client_new = client_new,
    .client_free = client_free,
    .begin = client_begin,
    .cancel = client_cancel,
    .client_socket = client_socket,
    .client_timeout = client_timeout,
    .version = version,
};
