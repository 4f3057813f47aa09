/*
 * log.h - one line on stderr for each thing worth telling, logfmt or JSON.
 */
#ifndef SERVER_LOG_H
#define SERVER_LOG_H

#include <stdbool.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

void log_configure(enum log_level level, bool json);

/*
 * msg is a short fixed sentence; the rest are pairs of key and value, both
 * const char *, ended by NULL:
 *   log_line(LOG_WARN, "results file is not served", "file", name, "reason", e.text, NULL);
 * Values may hold any bytes; they are escaped. Loop thread and, before the loop
 * starts, the main thread.
 */
void log_line(enum log_level level, const char *msg, ...) __attribute__((sentinel));

#endif
