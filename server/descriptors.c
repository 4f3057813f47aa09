#include "server/descriptors.h"

#include <stdio.h>
#include <sys/resource.h>

#include "server/log.h"

enum { FILES_KEPT = 128 }; /* 64 for files, refused connections, our own */

/*
 * libuv closes connections silently at the descriptor limit, and files could not be read
 * there: it must never get that far. Raises the limit to what is allowed and returns how
 * many connections leave FILES_KEPT for everything else.
 */
unsigned descriptors_for(unsigned wanted)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return wanted;
    if (limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
            getrlimit(RLIMIT_NOFILE, &limit);
    }

    rlim_t room = limit.rlim_cur > FILES_KEPT ? limit.rlim_cur - FILES_KEPT : 1;

    if (room >= wanted)
        return wanted;

    char text[24];

    snprintf(text, sizeof text, "%u", (unsigned)room);
    log_line(LOG_WARN, "fewer connections than --web.max-connections", "connections",
             text, "reason", "limit of open files", "remedy",
             "ulimit -n, LimitNOFILE=", NULL);
    return (unsigned)room;
}
