/*
 * negotiate.h - which representation a client gets, and whether it has it already.
 *
 * Pure functions of header texts. Accept: RFC 9110, section 12.5.1; Accept-Encoding:
 * 12.5.3; ETag and If-None-Match: 8.8.3 and 13.1.2. What scrapers say and expect:
 * https://prometheus.io/docs/instrumenting/content_negotiation/
 */
#ifndef SERVER_HTTP_NEGOTIATE_H
#define SERVER_HTTP_NEGOTIATE_H

#include <stdint.h>

#include "core/view.h"

/*
 * How a client wants names written that the old rules forbid. We have none, so every
 * scheme gives the same bytes and is only confirmed in the Content-Type.
 */
enum escaping {
    ESCAPING_UNSAID,
    ESCAPING_ALLOW_UTF_8,
    ESCAPING_UNDERSCORES,
    ESCAPING_DOTS,
    ESCAPING_VALUES,
    ESCAPINGS,
};

struct format {
    bool openmetrics; /* version 1.0.0; else text 0.0.4 */
    enum escaping escaping;
};

/*
 * The format for a value of Accept (empty: there was none). There always is one: what
 * accepts neither format gets text.
 */
struct format negotiate_format(struct view accept);

/* True: gzip; false: identity. For a value of Accept-Encoding. */
bool negotiate_gzip(struct view accept_encoding);

/* Value of Content-Type. */
const char *format_content_type(struct format f);

enum { ETAG_MAX = 64 };

/*
 * A strong entity tag with its quotes, NUL-terminated: the same for the same arguments,
 * another one for others. seed: of this process, so that numbers which begin anew with
 * it are no old ones. content: numbers that tell one content from another.
 */
void etag_make(char to[ETAG_MAX], uint64_t seed, const uint64_t content[], size_t count,
               struct format f, bool gzip);

/* True if a value of If-None-Match names this tag (weak comparison) or is "*". */
bool etag_listed(struct view if_none_match, struct view etag);

#endif
