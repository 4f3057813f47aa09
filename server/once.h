/*
 * once.h - one look at the results directory, for cron and textfile collectors.
 */
#ifndef SERVER_ONCE_H
#define SERVER_ONCE_H

#include "server/config.h"

/*
 * Scans, prints the exposition of --once to stdout. What files leave open is asked of the
 * upstream, if there is one, and waited for as long as one request may take. 0; 1 if the
 * directory or the newest run cannot be read, or nothing could be printed; 2 if a flag or
 * variable is wrong.
 */
int once_print(const struct config *c);

#endif
