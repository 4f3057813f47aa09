#include "server/compare/compare_config.h"

#include <errno.h>

const struct option compare_options[] = {
    { "qoe.bd-anchor", OPT_STRING, offsetof(struct compare_config, anchor), NULL, "",
      "\"ENCODER PRESET\"",
      "what bit rates of other encoders are compared with; empty: of each source and "
      "resolution the encoder and preset with the most encodes; see docs/comparison.md",
      "quality" },
    { 0 },
};

int compare_config_check(const struct compare_config *c, struct err *e)
{
    const char *blank = strchr(c->anchor, ' ');

    if (!*c->anchor || (blank && blank > c->anchor && blank[1]))
        return 0;
    return err_set(e, -EINVAL,
                   "--qoe.bd-anchor: \"%s\" is no encoder and preset with a blank "
                   "between them, as \"libx264 veryfast\" is",
                   c->anchor);
}
