#include "server/power/power_config.h"

#include <string.h>

#define AT(field) offsetof(struct power_config, field)

const struct option power_options[] = {
    { "power.share", OPT_STRING, AT(share_text), NULL, "on", "on|off",
      "split a machine's power among the encodes that run at the same time; off: each "
      "is "
      "charged in full",
      "power", .choices = "on|off" },
    { "live.max-idle", OPT_DURATION, AT(live_max_idle_ms), NULL, "10m", "D",
      "an encode without end time, of the newest run, is taken to run until its file "
      "has "
      "not changed for D",
      "power", .min = 1, .max = 8.64e7 },
    { 0 },
};

int power_config_complete(struct power_config *c, struct err *e)
{
    (void)e;
    c->share = strcmp(c->share_text, "on") == 0;
    return 0;
}
