#include "server/carbon/carbon_config.h"

#include <errno.h>

#include "server/fetch/url.h"

#define AT(field) offsetof(struct carbon_config, field)

const struct option carbon_options[] = {
    { "electricity-maps-token-file", OPT_STRING, AT(token_file), NULL, NULL, "FILE",
      "holds the token of Electricity Maps, which is asked for the grid's CO2 "
      "intensity "
      "once an hour",
      "prices" },
    { "electricity-maps-zone", OPT_STRING, AT(zone), NULL, NULL, "ZONE",
      "its name for the grid of --region: DE, SE-SE3", "prices" },
    { "electricity-maps-url", OPT_STRING, AT(url), NULL,
      "https://api.electricitymaps.com", "URL", "where it answers", "prices" },
    { 0 },
};

/* Zones are two letters of a country, and parts of it behind '-'. */
static bool is_zone(const char *text)
{
    size_t n = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                            "abcdefghijklmnopqrstuvwxyz0123456789-_");

    return n > 0 && n <= 32 && !text[n];
}

int carbon_config_complete(struct carbon_config *c, struct err *e)
{
    struct arena mem = { 0 };
    struct fetch_url u;
    struct err why = { 0 };
    int rc;

    if (c->token_file && !*c->token_file)
        c->token_file = NULL;
    if (c->zone && !*c->zone)
        c->zone = NULL;
    if (!c->token_file != !c->zone)
        return err_set(e, -EINVAL,
                       "--electricity-maps-token-file and --electricity-maps-zone go "
                       "together: one is missing");
    if (c->zone && !is_zone(c->zone))
        return err_set(e, -EINVAL,
                       "--electricity-maps-zone: \"%s\" is no zone: DE, SE-SE3",
                       c->zone);
    rc = fetch_url_parse(c->url, &mem, &u, &why);
    arena_wipe(&mem);
    return rc < 0 ? err_set(e, rc, "--electricity-maps-url: %s", why.text) : 0;
}
