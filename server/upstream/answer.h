/*
 * answer.h - what Prometheus or VictoriaMetrics answers to a query → cells or a number.
 * Judges the answer: one that cannot be trusted gives no values at all.
 *
 * https://prometheus.io/docs/prometheus/latest/querying/api/
 */
#ifndef SERVER_UPSTREAM_ANSWER_H
#define SERVER_UPSTREAM_ANSWER_H

#include "core/err.h"
#include "core/json.h"
#include "core/timeline.h"
#include "server/upstream/ranges.h"

/* What goes wrong: label values of encode_exporter_upstream_problems_total. */
enum upstream_problem {
    PROBLEM_NONE,
    /* The server, or what stands before it, is not well. */
    PROBLEM_UNREACHED, /* no answer */
    PROBLEM_STATUS,    /* an HTTP status that is none of the API's */
    PROBLEM_HTML,      /* a page, as a login or a proxy shows it */
    PROBLEM_JSON,      /* not JSON, or cut off */
    PROBLEM_SHAPE,     /* JSON, and no answer to a query */
    PROBLEM_ERROR,     /* it could not answer now, it says */
    PROBLEM_PARTIAL,   /* some of the servers behind it did not answer */
    /* The query is not good. */
    PROBLEM_REFUSED, /* it says so */
    PROBLEM_TYPE,    /* another kind of result than one number, or numbers over time */
    PROBLEM_LARGE,
    PROBLEM_SERIES, /* several, where one is due */
    /* With these the answer is used. */
    PROBLEM_VALUE, /* some are NaN, infinite or negative */
    PROBLEM_TIME,  /* some times are none that were asked for */
    PROBLEM_WARNING,
    /* Nothing is asked. */
    PROBLEM_NAMES,    /* nobody gives a name that a query needs */
    PROBLEM_INTERVAL, /* no interval that anything could be measured in */
    PROBLEM_MANY,     /* more names than anybody could ask for */
    PROBLEM_COUNT
};
const char *upstream_problem_name(enum upstream_problem p);

enum { ANSWER_BYTES_MAX = 1 << 20 }; /* one series of 11 000 points has half of it */

struct answer_reader; /* memory that is kept from one answer to the next */
struct answer_reader *answer_reader_new(void);
void answer_reader_free(struct answer_reader *r);

/*
 * What came: its HTTP status and its body → *data, the member "data" of it. *data lives
 * until the next answer; NULL where it is not to be used. why says what is wrong, for the
 * log. A warning (PROBLEM_WARNING) does not spoil the data.
 */
enum upstream_problem answer_read(struct answer_reader *r, int status, struct view body,
                                  const struct json_value **data, struct err *why);

/*
 * A range query's data → cells (of which there are 1 + last - first), NaN where the answer
 * has none; several series give none at all. step_s: of the grid.
 */
enum upstream_problem answer_cells(const struct json_value *data, struct range cells,
                                   double step_s, double values[], struct err *why);

/* An instant query's data → a number; NaN: there is none. */
enum upstream_problem answer_number(const struct json_value *data, double *value,
                                    struct err *why);

#endif
