/*
 * assets.h - what the document loads: script, style sheet, charts. Compressed when the
 * library was built (embed.cmake), and sent as they are to who takes gzip.
 */
#ifndef SERVER_PAGE_ASSETS_H
#define SERVER_PAGE_ASSETS_H

#include "server/http/route.h"

struct asset {
    const char *path;       /* "/page.js" */
    const char *type;       /* Content-Type */
    const unsigned char *z; /* a whole gzip file */
    size_t z_n, n;          /* bytes of it, and of the text in it */
    uint64_t hash[2];       /* of z */
};

/* Made by the build. */
extern const struct asset page_assets[];
extern const size_t page_asset_count;

/* NULL: there is none of this path. */
const struct asset *asset_find(struct view path);

void asset_answer(const struct asset *a, const struct request *rq, struct reply *out);

#endif
