/*
 * date.h - dates as people write them in files → Unix time.
 */
#ifndef CORE_DATE_H
#define CORE_DATE_H

#include "core/view.h"

/*
 * "2026-11-01" (its first second, UTC) or RFC 3339 ("2026-11-01T12:00:00Z",
 * "2026-11-01T12:00:00.5+02:00") → Unix time in seconds. False: neither, or a day that
 * no calendar has; *unix_s is untouched.
 */
bool date_read(struct view text, double *unix_s);

/* The day of a Unix time, UTC: "2026-11-01". Years 0 to 9999. */
enum { DATE_TEXT_MAX = 80 };
void date_write(double unix_s, char to[DATE_TEXT_MAX]);

#endif
