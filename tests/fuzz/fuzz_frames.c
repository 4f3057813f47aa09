/*
 * fuzz_frames.c - what stands before the first line end as the query of /frames, what follows
 * as a log of ffmpeg's filters, or of libvmaf where it begins with "{" or "<": an answer that
 * is JSON, with no more points and frames than were asked for, or a line that says why not.
 */
#include <assert.h>
#include <stdlib.h>

#include "core/frame_log.h"
#include "core/json.h"
#include "core/mem.h"
#include "core/vmaf_log.h"
#include "modules/live/encode_json.h"
#include "modules/live/frames.h"
#include "server/live/live_inner.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void on_gone(void *ctx, struct roll_entry *e)
{
    (void)ctx;
    (void)e;
}

/* text, which is JSON; the caller wipes mem. */
static const struct json_value *parsed(struct buf *text, struct arena *mem)
{
    static struct json_parser *parser;
    static const char zeros[JSON_PADDING];
    const struct json_value *root;
    struct err e;

    if (!parser)
        parser = json_parser_new();
    buf_add(text, zeros, sizeof zeros);
    text->n -= sizeof zeros;
    require(json_parse(parser, buf_as_view(text), mem, &root, &e) == 0);
    return root;
}

static void check_answer(struct reply *r)
{
    struct arena mem = { 0 };
    const struct json_value *root, *points, *worst;

    require(r->status == 200 || r->status == 400 || r->status == 404);
    if (r->status != 200) {
        require(r->text.n > 1 && !memchr(r->text.p, '\n', r->text.n - 1));
        return;
    }
    root = parsed(&r->text, &mem);
    points = json_member(root, VIEW("points"));
    worst = json_member(root, VIEW("worst"));
    require(points && points->n <= FRAMES_POINTS_MAX);
    require(worst && worst->n <= FRAME_WORST_MAX);
    require((points->n > 0) || worst->n == 0);
    for (uint32_t i = 1; i < points->n; i++)
        require(points->items[i - 1].items[0].number <
                points->items[i].items[0].number);
    arena_deinit(&mem);
}

static void check_record(const struct encode *e)
{
    struct buf text = { 0 };
    struct arena mem = { 0 };

    buf_str(&text, "{\"a\":1");
    encode_json(e, &text);
    buf_char(&text, '}');
    parsed(&text, &mem);
    arena_deinit(&mem);
    buf_deinit(&text);
}

static void ask(struct live *l, struct view query)
{
    const struct request rq = { .method = METHOD_GET, .query = query };
    struct reply r = { 0 };

    live_frames(l, &rq, &r);
    check_answer(&r);
    reply_deinit(&r);
}

/* The whole of what a query may ask for besides, of the encode that is there. */
static void ask_of_it(struct live *l, struct view query)
{
    struct buf whole = { 0 };

    buf_str(&whole, "encode=a&");
    buf_view(&whole, query);
    ask(l, buf_as_view(&whole));
    buf_deinit(&whole);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct view query = { (const char *)data, size }, log = { NULL, 0 };
    const char *end = size ? memchr(data, '\n', size) : NULL;
    struct live l = { .roll = roll_new(2, on_gone, NULL) };
    struct encode *e = roll_open(l.roll, VIEW("a"), 1, 1)->encode;
    struct vmaf_log *vmaf = mem_alloc(sizeof *vmaf);
    struct frame_log filter;

    if (end) {
        query.n = (size_t)(end - query.p);
        log = (struct view){ end + 1, size - query.n - 1 };
    }
    frame_log_init(&filter, (struct frame_limits){ .scores_only = true });
    vmaf_log_init(vmaf, (struct frame_limits){ .scores_only = true });
    if (log.n && (*log.p == '{' || *log.p == '<')) {
        vmaf_log_add(vmaf, log);
        vmaf_log_end(vmaf);
        encode_set_log(e, ENCODE_LOG_VMAF, &vmaf->table);
    } else {
        frame_log_add(&filter, log);
        frame_log_end(&filter);
        encode_set_log(e, ENCODE_LOG_PSNR, &filter.table);
    }
    ask(&l, query);
    ask_of_it(&l, query);
    check_record(e);
    roll_free(l.roll);
    frame_log_deinit(&filter);
    vmaf_log_deinit(vmaf);
    free(vmaf);
    return 0;
}
