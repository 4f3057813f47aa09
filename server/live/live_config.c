#include "server/live/live_config.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>

#include "core/decimal.h"

#define AT(field) offsetof(struct live_config, field)

const struct option live_options[] = {
    { "live", OPT_STRING, AT(on_text), NULL, "on", "on|off",
      "watch encodes while they run: progress files, logs of frames, requests to "
      "/progress/NAME",
      "live", .choices = "on|off" },
    { "live.max-encodes", OPT_U32, AT(max_encodes), NULL, "1000", "N",
      "so many encodes are watched at a time; those that ended longest ago go first",
      "live", .min = 1, .max = 100000 },
    { "stalled-after", OPT_DURATION, AT(stalled_after_ms), NULL, "10s", "D",
      "an encode that tells nothing for D is stalled", "live", .min = 100,
      .max = 8.64e7 },
    { "ingest", OPT_STRING, AT(ingest_text), NULL, "loopback", "loopback|all|off",
      "who may send progress to /progress/NAME: this machine, everybody with a "
      "password "
      "of the web config, or nobody",
      "live", .choices = "loopback|all|off" },
    { "qoe.frame-thresholds", OPT_STRING, AT(thresholds_text), NULL,
      "vmaf=70,vmaf=85,psnr=30,psnr=40", "LIST",
      "frames with a lower score are counted: METRIC=SCORE,METRIC=SCORE", "live" },
    { 0 },
};

static int bad_thresholds(struct err *e, const char *why)
{
    return err_set(e, -EINVAL, "--qoe.frame-thresholds: %s (METRIC=SCORE,METRIC=SCORE)",
                   why);
}

/* Two samples of one series are none. */
static bool is_there(const struct live_config *c, struct view metric, double score)
{
    for (uint32_t i = 0; i < c->threshold_count; i++)
        if (c->thresholds[i].score == score && view_eq(view_of(c->metrics[i]), metric))
            return true;
    return false;
}

static int add_threshold(struct live_config *c, struct view item, struct err *e)
{
    const char *sign = memchr(item.p, '=', item.n);
    size_t n = sign ? (size_t)(sign - item.p) : 0;
    struct view number = { item.p + n + 1, item.n - n - 1 };
    struct live_threshold *t = &c->thresholds[c->threshold_count];

    if (n == 0 || n >= LIVE_METRIC_MAX)
        return bad_thresholds(e, "a metric has no name, or a long one");
    if (c->threshold_count == LIVE_THRESHOLDS_MAX)
        return bad_thresholds(e, "more than 32");
    if (!decimal_read(number, &t->score) || !isfinite(t->score))
        return bad_thresholds(e, "a score is no number");
    if (is_there(c, (struct view){ item.p, n }, t->score))
        return bad_thresholds(e, "one is there twice");
    snprintf(c->metrics[c->threshold_count], LIVE_METRIC_MAX, "%.*s", (int)n, item.p);
    t->metric = c->metrics[c->threshold_count++];
    return 0;
}

static int read_thresholds(struct live_config *c, struct err *e)
{
    struct view rest = view_of(c->thresholds_text);
    int rc = 0;

    c->threshold_count = 0;
    while (rest.n > 0 && rc == 0) {
        const char *comma = memchr(rest.p, ',', rest.n);
        size_t n = comma ? (size_t)(comma - rest.p) : rest.n;

        rc = add_threshold(c, (struct view){ rest.p, n }, e);
        n += comma != NULL;
        rest = (struct view){ rest.p + n, rest.n - n };
    }
    return rc;
}

int live_config_complete(struct live_config *c, bool web_config, struct err *e)
{
    c->on = c->on_text[1] == 'n';
    c->ingest = c->ingest_text[0] == 'l'   ? INGEST_LOOPBACK
                : c->ingest_text[0] == 'a' ? INGEST_ALL
                                           : INGEST_OFF;
    if (c->ingest == INGEST_ALL && !web_config)
        return err_set(e, -EINVAL,
                       "--ingest all: only with passwords, which --web.config.file "
                       "brings");
    return read_thresholds(c, e);
}
