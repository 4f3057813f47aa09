#include "server/push/push_config.h"

const struct option push_options[] = {
    { 0 },
};

int push_config_complete(struct push_config *c, struct err *e)
{
    (void)c;
    (void)e;
    return 0;
}
