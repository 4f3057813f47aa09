/*
 * log.c - lines on stderr.
 *
 * Each line is put together first and written with one write(), so that lines of
 * several processes on one terminal or pipe do not mix. A full pipe may lose a line;
 * it never stops the loop for longer than stderr itself does.
 */
#include "server/log.h"

#include "core/buf.h"
#include "core/utf8.h"

#include <errno.h>
#include <stdarg.h>
#include <time.h>
#include <unistd.h>

static enum log_level least = LOG_INFO;
static bool as_json;

static const char *const level_names[] = { "debug", "info", "warn", "error" };

void log_configure(enum log_level level, bool json)
{
    least = level;
    as_json = json;
}

/*
 * What a terminal or a reader would act on instead of showing it: control characters
 * (also U+0080 to U+009F: some terminals take U+009B for ESC [), other ends of lines, and
 * those that turn the direction of the text around them, so that a name could pass for
 * another one.
 */
static bool acts(unsigned long code)
{
    return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x61c ||
           code == 0x200e || code == 0x200f || (code >= 0x2028 && code <= 0x202e) ||
           (code >= 0x2066 && code <= 0x2069);
}

/* v: UTF-8. */
static void add_quoted(struct buf *b, struct view v)
{
    buf_char(b, '"');
    while (v.n > 0) {
        size_t n;
        unsigned long code = utf8_get(v, &n);

        if (code == '"' || code == '\\')
            buf_fmt(b, "\\%c", (int)code);
        else if (code == '\n')
            buf_str(b, "\\n");
        else if (code == '\t')
            buf_str(b, "\\t");
        else if (acts(code))
            buf_fmt(b, "\\u%04lx", code);
        else
            buf_add(b, v.p, n);
        v = view_skip(v, n);
    }
    buf_char(b, '"');
}

static bool plain(struct view v)
{
    for (size_t i = 0; i < v.n; i++) {
        unsigned char c = (unsigned char)v.p[i];

        if (c <= ' ' || c == '"' || c == '=' || c == '\\' || c >= 0x7f)
            return false;
    }
    return v.n > 0;
}

static void add_pair(struct buf *b, const char *key, const char *value)
{
    struct buf good = { 0 };

    utf8_repair(view_of(value), &good);
    if (as_json) {
        buf_char(b, b->n ? ',' : '{');
        add_quoted(b, view_of(key));
        buf_char(b, ':');
        add_quoted(b, buf_as_view(&good));
    } else {
        if (b->n)
            buf_char(b, ' ');
        buf_str(b, key);
        buf_char(b, '=');
        if (plain(buf_as_view(&good)))
            buf_view(b, buf_as_view(&good));
        else
            add_quoted(b, buf_as_view(&good));
    }
    buf_deinit(&good);
}

static void timestamp(char text[40])
{
    struct timespec now;
    struct tm utc;
    char day[24];

    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", &utc);

    struct buf b = { .limit = 39 };

    buf_fmt(&b, "%s.%03ldZ", day, now.tv_nsec / 1000000);
    memcpy(text, b.p, b.n);
    text[b.n] = '\0';
    buf_deinit(&b);
}

/* Nobody can be told that telling failed. A line that was begun is ended if it can be, so
 * that the next one does not run into it. */
static void put(const struct buf *line)
{
    for (size_t at = 0; at < line->n;) {
        ssize_t n = write(STDERR_FILENO, line->p + at, line->n - at);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return;
        at += (size_t)n;
    }
}

void log_line(enum log_level level, const char *msg, ...)
{
    struct buf line = { 0 };
    char ts[40];
    va_list pairs;

    if (level < least)
        return;
    timestamp(ts);
    add_pair(&line, "ts", ts);
    add_pair(&line, "level", level_names[level]);
    add_pair(&line, "msg", msg);
    va_start(pairs, msg);
    for (const char *key; (key = va_arg(pairs, const char *));)
        add_pair(&line, key, va_arg(pairs, const char *));
    va_end(pairs);
    buf_str(&line, as_json ? "}\n" : "\n");

    put(&line);
    buf_deinit(&line);
}
