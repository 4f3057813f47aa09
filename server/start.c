#include "server/start.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

void start_say_notices(const struct config *c)
{
    for (size_t i = 0; i < c->notice_count; i++)
        log_line(LOG_WARN, c->notices[i], NULL);
}

int start_status(const struct err *e)
{
    return e->code == -EINVAL ? 2 : 1;
}

struct source_results_options start_source_options(const struct config *c,
                                                   enum watch_mode mode)
{
    return (struct source_results_options){
        .dir = c->results_dir,
        .watch = mode,
        .poll_interval_ms = c->poll_interval_ms,
        .max_file_size = c->max_file_size,
        .max_scenarios = c->max_scenarios,
        .runs_end = c->rules.ttl_ms > 0,
    };
}

int start_check_directory(const struct config *c, struct err *e)
{
    int fd = open(c->results_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0 && (errno == EACCES || (errno == ENOTDIR && c->action == CONFIG_ONCE)))
        return err_set(e, -errno, "results directory %s: %s", c->results_dir,
                       strerror(errno));
    if (fd >= 0)
        close(fd);
    return 0;
}
