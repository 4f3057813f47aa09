/*
 * report.h - what a part says of its fetcher, as two families.
 */
#ifndef SERVER_FETCH_REPORT_H
#define SERVER_FETCH_REPORT_H

#include "core/series.h"
#include "server/fetch/fetch.h"

enum { REPORT_REQUESTS, REPORT_LAST_SUCCESS, REPORT_FAMILIES };

/* The table of a part, whose names begin with encode_exporter_ and prefix. */
#define REPORT_TABLE(prefix, what)                                                     \
    {                                                                                  \
        [REPORT_REQUESTS] = { "encode_exporter_" prefix "_requests_total",             \
                              what                                                     \
                              " by result: good, refused, bad, skipped (left out "     \
                              "while the other side keeps failing).",                  \
                              COUNTER },                                               \
        [REPORT_LAST_SUCCESS] = { "encode_exporter_" prefix                            \
                                  "_last_success_timestamp_seconds",                   \
                                  "When one was good last, Unix time in seconds.",     \
                                  GAUGE },                                             \
    }

/* Samples of that table. For struct self_part: ctx is a const struct fetcher. */
void report_collect(void *fetcher, struct series *out);

#endif
