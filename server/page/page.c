#include "server/page/page.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "core/mem.h"
#include "server/page/assets.h"
#include "server/page/rows.h"
#include "server/page/stream.h"

struct page {
    struct page_host h;
    struct stream *stream;
};

/* The page loads what this server has, and nothing else; it cannot be framed. */
#define HEADERS                                                                        \
    "Content-Security-Policy: default-src 'none'; script-src 'self'; "                 \
    "style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; "    \
    "form-action 'none'; frame-ancestors 'none'\r\n"                                   \
    "X-Content-Type-Options: nosniff\r\n"                                              \
    "Referrer-Policy: no-referrer\r\n"

static void fill_scenarios(const struct page *p, struct page_data *d)
{
    const struct served *served = store_served(p->h.store);
    const struct module_set *set = pipeline_set(p->h.pipeline);
    const struct run *run =
        served->run_count ? served->runs[served->run_count - 1] : NULL;

    if (!run)
        return;
    d->scenario_total = run->count;
    for (uint32_t i = 0; i < run->count && i < PAGE_SCENARIOS_MAX; i++) {
        const struct scenario *x = run->scenarios[i];
        const struct place at = { run, x, run_baseline(run), run->ordinals[i] };
        struct page_scenario *row = &d->scenarios[d->scenario_count++];

        *row = (struct page_scenario){ x->name,           x->bitrate,
                                       x->resolution,     x->facts.duration_s,
                                       x->facts.energy_j, NAN,
                                       x->facts.vmaf };
        row->cost = rows_cost(set, &at, &d->currency);
    }
}

static void document(const struct page *p, int endpoint, const struct request *rq,
                     struct reply *out)
{
    struct page_data *d = mem_zalloc(sizeof *d);
    struct about about = { 0 };

    out->status = 200;
    out->content_type = "text/html; charset=utf-8";
    out->headers = HEADERS;
    p->h.facts(p->h.ctx, endpoint, d, &about);
    d->host = rq->host;
    d->about = &about;
    fill_scenarios(p, d);
    document_render(d, &out->text);
    about_deinit(&about);
    free(d);
}

void page_answer(struct page *p, int endpoint, const struct request *rq,
                 struct reply *out)
{
    const struct asset *asset = asset_find(rq->path);

    if (asset) {
        asset_answer(asset, rq, out);
        return;
    }
    if (view_eq(rq->path, VIEW("/"))) {
        document(p, endpoint, rq, out);
        return;
    }
    if (view_eq(rq->path, VIEW("/events")))
        stream_answer(p->stream, rq, out);
    else if (view_eq(rq->path, VIEW("/frames")))
        live_frames(p->h.live, rq, out);
    else
        route_refused(404, "not found", NULL, out);
}

int page_new(const struct page_host *h, struct page **out, struct err *e)
{
    struct page *p = mem_zalloc(sizeof *p);

    (void)e; /* says why there is no library */
    p->h = *h;
    p->stream = stream_new(&p->h);
    *out = p;
    return 0;
}

void page_stop(struct page *p)
{
    stream_stop(p->stream);
}

void page_free(struct page *p)
{
    stream_free(p->stream);
    free(p);
}
