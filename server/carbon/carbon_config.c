#include "server/carbon/carbon_config.h"

const struct option carbon_options[] = {
    { 0 },
};

int carbon_config_complete(struct carbon_config *c, struct err *e)
{
    (void)c;
    (void)e;
    return 0;
}
