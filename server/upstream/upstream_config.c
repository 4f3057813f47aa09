#include "server/upstream/upstream_config.h"

const struct option upstream_options[] = {
    { 0 },
};

int upstream_config_complete(struct upstream_config *c, struct err *e)
{
    (void)c;
    (void)e;
    return 0;
}
