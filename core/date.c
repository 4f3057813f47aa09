/*
 * date.c - the proleptic Gregorian calendar in UTC, without the C library's time zones.
 *
 * Days are counted in eras of 400 years (146 097 days) that begin on 1 March, so that
 * the leap day is the last of its year and month lengths follow (153 m + 2) / 5.
 */
#include "core/date.h"

#include "core/decimal.h"

#include <math.h>
#include <stdio.h>

#define SECONDS_PER_DAY 86400

enum { DAYS_TO_UNIX = 719468 }; /* from 0000-03-01 to 1970-01-01 */

static long days_from_civil(long y, unsigned m, unsigned d)
{
    y -= m <= 2;

    long era = (y >= 0 ? y : y - 399) / 400;
    long year_of_era = y - era * 400;
    long day_of_year = (153 * ((long)m + (m > 2 ? -3 : 9)) + 2) / 5 + (long)d - 1;

    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 +
           day_of_year - DAYS_TO_UNIX;
}

static unsigned days_in_month(unsigned y, unsigned m)
{
    static const unsigned char days[] = {
        31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31
    };
    bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;

    return days[m - 1] + (m == 2 && leap);
}

/* Exactly `count` digits from the front of *v. */
static bool digits(struct view *v, unsigned count, unsigned *out)
{
    unsigned n = 0;

    if (v->n < count)
        return false;
    for (unsigned i = 0; i < count; i++) {
        if (v->p[i] < '0' || v->p[i] > '9')
            return false;
        n = n * 10 + (unsigned)(v->p[i] - '0');
    }
    *v = view_skip(*v, count);
    *out = n;
    return true;
}

static bool literal(struct view *v, const char *any)
{
    if (v->n == 0 || v->p[0] == '\0' || !strchr(any, v->p[0]))
        return false;
    *v = view_skip(*v, 1);
    return true;
}

/* "12:00:00.5+02:00" → seconds after midnight (UTC) of the day it is written for. */
static bool time_of_day(struct view v, double *seconds)
{
    unsigned h, m, s, off_h = 0, off_m = 0;
    double fraction = 0;

    if (!digits(&v, 2, &h) || !literal(&v, ":") || !digits(&v, 2, &m) ||
        !literal(&v, ":") || !digits(&v, 2, &s))
        return false;
    if (h > 23 || m > 59 || s > 60) /* 60: a leap second */
        return false;
    if (v.n > 0 && v.p[0] == '.') {
        size_t n = 1;

        while (n < v.n && v.p[n] >= '0' && v.p[n] <= '9')
            n++;
        if (n == 1 || !decimal_read((struct view){ v.p, n }, &fraction))
            return false;
        v = view_skip(v, n);
    }

    char zone = v.n ? v.p[0] : '\0';

    if (!literal(&v, "Zz+-"))
        return false;
    if ((zone == '+' || zone == '-') &&
        (!digits(&v, 2, &off_h) || !literal(&v, ":") || !digits(&v, 2, &off_m) ||
         off_h > 23 || off_m > 59))
        return false;
    if (v.n > 0)
        return false;

    double offset = off_h * 3600.0 + off_m * 60.0;

    *seconds = h * 3600.0 + m * 60.0 + s + fraction - (zone == '-' ? -offset : offset);
    return true;
}

bool date_read(struct view v, double *unix_s)
{
    unsigned y, m, d;
    double seconds = 0;

    if (!digits(&v, 4, &y) || !literal(&v, "-") || !digits(&v, 2, &m) ||
        !literal(&v, "-") || !digits(&v, 2, &d))
        return false;
    if (m < 1 || m > 12 || d < 1 || d > days_in_month(y, m))
        return false;
    if (v.n > 0 && (!literal(&v, "Tt ") || !time_of_day(v, &seconds)))
        return false;
    *unix_s = (double)days_from_civil((long)y, m, d) * SECONDS_PER_DAY + seconds;
    return true;
}

void date_write(double unix_s, char to[DATE_TEXT_MAX])
{
    long z = (long)floor(unix_s / SECONDS_PER_DAY) + DAYS_TO_UNIX;
    long era = (z >= 0 ? z : z - 146096) / 146097;
    long day = z - era * 146097;
    long year = (day - day / 1460 + day / 36524 - day / 146096) / 365;

    day -= 365 * year + year / 4 - year / 100;

    long shifted = (5 * day + 2) / 153; /* months since March */
    long month = shifted < 10 ? shifted + 3 : shifted - 9;

    snprintf(to, DATE_TEXT_MAX, "%04ld-%02ld-%02ld", era * 400 + year + (month <= 2),
             month, day - (153 * shifted + 2) / 5 + 1);
}
