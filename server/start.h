/*
 * start.h - what every way of running begins with.
 */
#ifndef SERVER_START_H
#define SERVER_START_H

#include "server/config.h"
#include "server/sources/source_results.h"

/* What the configuration has to say, in the log. */
void start_say_notices(const struct config *c);

/* Exit status: a wrong flag or variable is 2, a file that one names is 1. */
int start_status(const struct err *e);

/* How the results directory is read. mode: in place of that of c. */
struct source_results_options start_source_options(const struct config *c,
                                                   enum watch_mode mode);

/*
 * A directory that is not there yet will come, and one whose permissions change while
 * we run is waited for; but one that may not be read at start is a mistake that its
 * user should see at once: a negative errno, and e says why.
 */
int start_check_directory(const struct config *c, struct err *e);

#endif
