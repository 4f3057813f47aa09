/*
 * push_path.h - where a push goes, from the URL and the labels that were given.
 */
#ifndef SERVER_PUSH_PUSH_PATH_H
#define SERVER_PUSH_PUSH_PATH_H

#include "core/buf.h"
#include "core/err.h"

/*
 * What is put behind the URL, with a NUL at its end: for VictoriaMetrics its import path,
 * where the URL does not have it, with the labels as extra_label; for a Pushgateway,
 * which a URL with /metrics/job is, the labels as further parts of the grouping key.
 * 0: VictoriaMetrics. 1: a Pushgateway. -EINVAL: e names the flag and what is wrong.
 */
int push_path(const char *url, const char *labels, struct buf *to, struct err *e);

#endif
