/*
 * frames.c - GET /frames?encode=NAME… → the scores by frame of that encode.
 */
#include "modules/live/frames.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/mem.h"
#include "server/live/live_inner.h"

#define HEADERS "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"

enum { POINTS = 1000, WORST = 10 }; /* unless told */

struct asked {
    struct view encode;
    struct frames_query q;
    char wrong[96]; /* "" or why it cannot be answered */
};

struct limits {
    const char *name;
    uint32_t least, most;
    uint32_t *out;
};

/* Digits alone; false: another text, or beyond the limits. */
static bool read_number(struct view v, const struct limits *l)
{
    uint64_t n = 0;

    if (v.n == 0 || v.n > 10)
        return false;
    for (size_t i = 0; i < v.n; i++) {
        if (v.p[i] < '0' || v.p[i] > '9')
            return false;
        n = n * 10 + (uint64_t)(v.p[i] - '0');
    }
    if (n < l->least || n > l->most)
        return false;
    *l->out = (uint32_t)n;
    return true;
}

static void take(struct asked *a, struct view key, struct view value)
{
    const struct limits numbers[] = {
        { "from", 0, UINT32_MAX, &a->q.from },
        { "to", 0, UINT32_MAX, &a->q.to },
        { "points", 1, FRAMES_POINTS_MAX, &a->q.points },
        { "worst", 0, FRAME_WORST_MAX, &a->q.worst },
    };

    if (view_eq(key, VIEW("encode")))
        a->encode = value;
    if (view_eq(key, VIEW("metric")))
        a->q.metric = value;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        const struct limits *l = &numbers[i];

        if (view_eq(key, view_of(l->name)) && !read_number(value, l))
            snprintf(a->wrong, sizeof a->wrong,
                     "%s: a whole number from %" PRIu32 " to %" PRIu32, l->name,
                     l->least, l->most);
    }
}

/* Texts stand at the place at `to`, which has as many bytes as the query. */
static void read_query(struct view query, char *to, struct asked *out)
{
    struct view pair;

    *out =
        (struct asked){ .q = { .to = UINT32_MAX, .points = POINTS, .worst = WORST } };
    while (view_split(&query, '&', &pair)) {
        struct view value = pair, key;

        view_split(&value, '=', &key);
        key = route_decode(key, true, to);
        to += key.n;
        value = route_decode(value, true, to);
        to += value.n;
        take(out, key, value);
    }
    if (out->wrong[0])
        return;
    if (out->encode.n == 0)
        snprintf(out->wrong, sizeof out->wrong,
                 "encode: the name of an encode that is watched");
    else if (out->q.from > out->q.to)
        snprintf(out->wrong, sizeof out->wrong, "from: no more than to");
}

static void no_metric(const struct encode *e, struct reply *out)
{
    struct buf text = { 0 };

    buf_str(&text, "metric: this encode has ");
    frames_metrics(e, &text);
    buf_char(&text, '\0');
    route_refused(404, text.p, HEADERS, out);
    buf_deinit(&text);
}

static void answer(const struct live *l, const struct asked *a, struct reply *out)
{
    struct roll_entry *e = roll_get(l->roll, a->encode);

    if (a->wrong[0]) {
        route_refused(400, a->wrong, HEADERS, out);
        return;
    }
    if (!e) {
        route_refused(404, "no encode of this name is watched", HEADERS, out);
        return;
    }
    switch (frames_json(e->encode, &a->q, live_now_s(), &out->text)) {
    case FRAMES_NO_SCORES:
        route_refused(404, "no scores of frames are known of this encode", HEADERS,
                      out);
        return;
    case FRAMES_NO_METRIC:
        no_metric(e->encode, out);
        return;
    case FRAMES_TOLD:
        break;
    }
    buf_char(&out->text, '\n');
    out->status = 200;
    out->content_type = "application/json";
    out->headers = HEADERS;
}

void live_frames(struct live *l, const struct request *rq, struct reply *out)
{
    char *room = mem_alloc(rq->query.n + 1);
    struct asked a;

    read_query(rq->query, room, &a);
    answer(l, &a, out);
    free(room);
}
