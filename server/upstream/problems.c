/*
 * problems.c - what goes wrong upstream: each kind is said once of a query, and counted.
 */
#include <math.h>

#include "server/log.h"
#include "server/upstream/inner.h"

enum {
    UP,
    REQUESTS,
    BREAKER_STATE_FAMILY,
    OPENED,
    SECONDS,
    LAST_SUCCESS,
    PROBLEMS,
    FAMILIES
};

#define NAME(rest) "encode_exporter_upstream_" rest

static const struct family families[FAMILIES] = {
    [UP] = { NAME("up"),
             "1 if the last query was answered by --prometheus-url, 0 if not.", GAUGE },
    [REQUESTS] = { NAME("requests_total"),
                   "Queries by result: good; refused (the query is at fault); bad (the "
                   "server is); skipped (the breaker was open).",
                   COUNTER },
    [BREAKER_STATE_FAMILY] = { NAME("breaker_state"),
                               "1 for the state that the breaker is in.", GAUGE },
    [OPENED] = { NAME("breaker_opened_total"), "Times that the breaker opened.",
                 COUNTER },
    [SECONDS] = { NAME("request_seconds_total"), "Time spent in queries, in seconds.",
                  COUNTER },
    [LAST_SUCCESS] = { NAME("last_success_timestamp_seconds"),
                       "When a query was last answered well, Unix time in seconds.",
                       GAUGE },
    [PROBLEMS] = { NAME("problems_total"),
                   "What was wrong with queries and answers, by kind; see "
                   "docs/upstream.md.",
                   COUNTER },
};

const struct family *upstream_families(size_t *count)
{
    *count = FAMILIES;
    return families;
}

static const char *message(enum upstream_problem p)
{
    switch (p) {
    case PROBLEM_WARNING:
        return "upstream warns";
    case PROBLEM_NAMES:
    case PROBLEM_INTERVAL:
    case PROBLEM_MANY:
        return "upstream is not asked";
    default:
        return "upstream answer has holes";
    }
}

void problem_note(struct upstream *u, struct query *q, enum upstream_problem p,
                  const char *text, struct buf *reason)
{
    u->problems[p]++;
    if (p < PROBLEM_VALUE) {
        if (q && reason)
            buf_fmt(reason, "%s query%s: %s", query_name(q),
                    p < PROBLEM_REFUSED  ? ""
                    : p < PROBLEM_SERIES ? ", not asked for 10 min"
                                         : ", answer not used",
                    text);
        return;
    }
    if (q && q->said & 1U << p)
        return;
    if (q)
        q->said |= 1U << p;
    log_line(LOG_WARN, message(p), "query", q ? query_name(q) : "all", "problem",
             upstream_problem_name(p), "reason", *text ? text : "none given", "url",
             fetcher_shown(u->fetcher), NULL);
}

static void add_labelled(struct series *out, uint16_t family, const char *name,
                         const char *value, double v)
{
    struct labels l = labels_open(out);

    labels_add(out, &l, name, view_of(value));
    series_add(out, family, l, v);
}

static void collect(void *ctx, struct series *out)
{
    static const struct labels none;
    const struct upstream *u = ctx;
    const struct fetch_counts c = fetcher_counts(u->fetcher);

    series_add(out, UP, none, u->up);
    add_labelled(out, REQUESTS, "result", "good", (double)c.good);
    add_labelled(out, REQUESTS, "result", "refused", (double)c.refused);
    add_labelled(out, REQUESTS, "result", "bad", (double)c.bad);
    add_labelled(out, REQUESTS, "result", "skipped",
                 (double)(c.skipped + u->kept_back));
    for (int s = BREAKER_CLOSED; s <= BREAKER_HALF_OPEN; s++)
        add_labelled(out, BREAKER_STATE_FAMILY, "state",
                     breaker_state_name((enum breaker_state)s), (int)c.state == s);
    series_add(out, OPENED, none, (double)c.opened);
    series_add(out, SECONDS, none, c.seconds);
    series_add(out, LAST_SUCCESS, none, c.last_good_unix_s);
    for (int p = PROBLEM_NONE + 1; p < PROBLEM_COUNT; p++)
        add_labelled(out, PROBLEMS, "kind",
                     upstream_problem_name((enum upstream_problem)p),
                     (double)u->problems[p]);
}

void problems_add(struct upstream *u, struct self *self)
{
    const struct self_part part = { families, FAMILIES, collect, u };

    self_add(self, &part);
}
