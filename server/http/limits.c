#include "server/http/limits.h"

#include <stddef.h>

static const char *const names[HTTP_LIMIT_COUNT] = {
    [HTTP_LIMIT_CONNECTIONS] = "connections",
    [HTTP_LIMIT_PEER_CONNECTIONS] = "peer_connections",
    [HTTP_LIMIT_FIRST_BYTE] = "first_byte",
    [HTTP_LIMIT_READ_TIMEOUT] = "read_timeout",
    [HTTP_LIMIT_IDLE] = "idle",
    [HTTP_LIMIT_WRITE_TIMEOUT] = "write_timeout",
    [HTTP_LIMIT_SLOW_MEMORY] = "slow_memory",
    [HTTP_LIMIT_LINE] = "request_line",
    [HTTP_LIMIT_HEAD] = "header_bytes",
    [HTTP_LIMIT_BODY] = "body_bytes",
    [HTTP_LIMIT_MALFORMED] = "malformed",
    [HTTP_LIMIT_PASSWORD] = "password",
    [HTTP_LIMIT_BUSY] = "busy",
    [HTTP_LIMIT_FOREIGN] = "foreign",
    [HTTP_LIMIT_TLS] = "tls",
};

const char *http_limit_name(enum http_limit which)
{
    return names[which];
}

enum http_limit http_limit_of(int status)
{
    switch (status) {
    case 401:
        return HTTP_LIMIT_PASSWORD;
    case 403:
        return HTTP_LIMIT_FOREIGN;
    case 408:
        return HTTP_LIMIT_READ_TIMEOUT;
    case 413:
        return HTTP_LIMIT_BODY;
    case 414:
        return HTTP_LIMIT_LINE;
    case 429:
        return HTTP_LIMIT_BUSY;
    case 431:
        return HTTP_LIMIT_HEAD;
    default:
        return HTTP_LIMIT_MALFORMED;
    }
}

void http_limits_init(struct http_limits *l)
{
    *l = (struct http_limits){
        .max_connections = 1024,
        .read_timeout_ms = 10 * 1000,
        .idle_timeout_ms = 5 * 60 * 1000,
        .write_timeout_ms = 30 * 1000,
        .linger_timeout_ms = 2 * 1000,
        .head_bytes = 16 * 1024,
        .body_bytes = 64 * 1024,
        .slow_bytes = 64ULL * 1024 * 1024,
    };
}
