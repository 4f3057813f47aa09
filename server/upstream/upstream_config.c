#include "server/upstream/upstream_config.h"

#include <errno.h>
#include <string.h>

#include "server/config.h"
#include "server/upstream/presets.h"
#include "server/upstream/template.h"

#define AT(field) offsetof(struct upstream_config, field)
#define TEXT(name, at, value, help)                                                    \
    {                                                                                  \
        name, OPT_STRING, AT(at), NULL, NULL, value, help, "upstream"                  \
    }

const struct option upstream_options[] = {
    { "prometheus-url", OPT_STRING, AT(url), "PROMETHEUS_URL", NULL, "URL",
      "Prometheus or VictoriaMetrics that knows power and CPU use; user:password@ may "
      "stand in it",
      "upstream" },
    { "upstream.preset", OPT_STRING, AT(preset), NULL, "rapl", "NAME",
      "whose names the queries use; see docs/upstream.md", "upstream",
      .choices = PRESET_NAMES },
    TEXT("upstream.power-query", queries[UPSTREAM_POWER], "PROMQL",
         "watts, in place of the preset's query; \"\": not asked"),
    TEXT("upstream.cpu-query", queries[UPSTREAM_CORES], "PROMQL",
         "cores in use; $window in it is 30s, and 2m where that is empty"),
    TEXT("upstream.container-query", queries[UPSTREAM_CONTAINERS], "PROMQL",
         "CPU use of containers, % of one core"),
    TEXT("upstream.energy-query", queries[UPSTREAM_ENERGY], "PROMQL",
         "joules of an interval, asked at its end; $range is its length"),
    TEXT("upstream.username", username, "NAME", "basic authentication"),
    TEXT("upstream.password-file", password_file, "FILE", "its password, on one line"),
    TEXT("upstream.bearer-token-file", bearer_token_file, "FILE",
         "token, in place of name and password"),
    TEXT("upstream.ca-file", ca_file, "FILE",
         "PEM: who may sign its certificate; unset: the system's"),
    TEXT("upstream.cert-file", cert_file, "FILE", "PEM: certificate to show"),
    TEXT("upstream.key-file", key_file, "FILE", "PEM: its key"),
    { "upstream.insecure-skip-verify", OPT_BOOL, AT(insecure), NULL, NULL, NULL,
      "believe every certificate", "upstream" },
    TEXT("upstream.proxy", proxy, "URL",
         "unset: as http_proxy, https_proxy, no_proxy say; \"\": none"),
    { "upstream.timeout", OPT_DURATION, AT(timeout_ms), NULL, "10s", "D",
      "for one query", "upstream", .min = 100, .max = 6e5 },
    { "upstream.max-concurrent", OPT_U32, AT(max_concurrent), NULL, "4", "N",
      "queries at a time", "upstream", .min = 1, .max = 64 },
    { 0 },
};

static const char *const query_flags[UPSTREAM_QUANTITIES] = { "power", "cpu",
                                                              "container", "energy" };

static int check_queries(struct upstream_config *c, struct err *e)
{
    for (int q = 0; q < UPSTREAM_QUANTITIES; q++) {
        struct err why;
        unsigned uses;

        if (!c->queries[q])
            c->queries[q] = preset_query(c->preset, (enum upstream_quantity)q);
        if (template_check(c->queries[q], &why) < 0)
            return err_set(e, -EINVAL, "--upstream.%s-query: %s", query_flags[q],
                           why.text);
        uses = template_uses(c->queries[q]);
        if (q != UPSTREAM_ENERGY && uses & 1U << TEMPLATE_RANGE)
            return err_set(e, -EINVAL,
                           "--upstream.%s-query: $range is known to the energy query "
                           "alone",
                           query_flags[q]);
        if (q == UPSTREAM_ENERGY && *c->queries[q] && !(uses & 1U << TEMPLATE_RANGE))
            return err_set(e, -EINVAL,
                           "--upstream.energy-query: $range, the length of the "
                           "interval, is not in it");
        if (q == UPSTREAM_ENERGY && uses & 1U << TEMPLATE_WINDOW)
            return err_set(e, -EINVAL,
                           "--upstream.energy-query: $window means nothing here; the "
                           "interval is $range");
    }
    return 0;
}

/* The URL may hold a password and is not repeated. */
static int check_url(const char *url, struct err *e)
{
    struct view v = view_of(url);
    struct view rest = { 0 };

    if (view_starts(v, VIEW("http://")))
        rest = view_skip(v, 7);
    else if (view_starts(v, VIEW("https://")))
        rest = view_skip(v, 8);
    if (rest.n == 0 || *rest.p == '/')
        return err_set(e, -EINVAL,
                       "--prometheus-url: is neither http://HOST… nor https://HOST…");
    return 0;
}

/* NULL: all is well; else what is wrong with who we say we are. */
static const char *wrong_identity(const struct upstream_config *c)
{
    if (c->username && !c->password_file)
        return "--upstream.username: needs --upstream.password-file";
    if (c->password_file && !c->username)
        return "--upstream.password-file: needs --upstream.username";
    if (c->bearer_token_file && c->username)
        return "--upstream.bearer-token-file: not together with --upstream.username";
    if (!c->cert_file != !c->key_file)
        return "--upstream.cert-file and --upstream.key-file: one needs the other";
    return NULL;
}

int upstream_config_complete(struct upstream_config *c, struct err *e)
{
    const char *wrong = wrong_identity(c);

    if (c->url && !*c->url)
        c->url = NULL;
    if (wrong)
        return err_set(e, -EINVAL, "%s", wrong);
    if (c->url && check_url(c->url, e) < 0)
        return -EINVAL;
    return check_queries(c, e);
}

bool upstream_wanted(const struct config *c)
{
    bool off = !c->upstream.url;

    for (size_t i = 0; i < c->setting_count; i++) {
        const struct setting *s = &c->settings[i];
        struct option o = *s->option;

        o.offset = 0;
        if (strcmp(o.name, "disable-load-aware") == 0 && c->upstream.url)
            option_set(&o, &off, s->text, s->from, s->by_environment, NULL);
    }
    return !off;
}
