#include "server/page/assets.h"

#include <assert.h>

#include <zlib.h>

#define HEADERS                                                                        \
    "Cache-Control: no-cache\r\n" /* asked for again, and mostly not sent again */     \
    "X-Content-Type-Options: nosniff\r\n"

const struct asset *asset_find(struct view path)
{
    for (size_t i = 0; i < page_asset_count; i++)
        if (view_eq(path, view_of(page_assets[i].path)))
            return &page_assets[i];
    return NULL;
}

/* For the few who take no gzip. */
static void inflate_to(const struct asset *a, struct buf *out)
{
    enum { GZIP_WINDOW = 15 + 16 };
    z_stream z = { .next_in = (Bytef *)(uintptr_t)a->z,
                   .avail_in = (uInt)a->z_n,
                   .next_out = (Bytef *)buf_room(out, a->n),
                   .avail_out = (uInt)a->n };
    int rc = inflateInit2(&z, GZIP_WINDOW);

    if (rc == Z_OK)
        rc = inflate(&z, Z_FINISH);
    assert(rc == Z_STREAM_END && z.avail_out == 0); /* the build made it */
    inflateEnd(&z);
    if (rc == Z_STREAM_END)
        buf_commit(out, a->n);
}

void asset_answer(const struct asset *a, const struct request *rq, struct reply *out)
{
    static const struct format format = { 0 };
    bool gzip = negotiate_gzip(rq->accept_encoding);

    out->status = 200;
    out->content_type = a->type;
    out->headers = HEADERS;
    /* The same in every process that has this asset. */
    etag_make(out->etag, 0, a->hash, 2, format, gzip);
    if (etag_listed(rq->if_none_match, view_of(out->etag))) {
        out->status = 304;
    } else if (gzip) {
        out->headers = "Content-Encoding: gzip\r\n" HEADERS;
        out->fixed = (struct view){ (const char *)a->z, a->z_n };
    } else {
        inflate_to(a, &out->text);
    }
}
