#include "server/predict/predict_config.h"

#include <errno.h>

#include "server/http/address.h"
#include "server/sources/opener.h"

#define AT(field) offsetof(struct predict_config, field)

enum { FILE_LIMIT = 1024 * 1024 /* bytes */ };

const struct option predict_options[] = {
    { "predict", OPT_STRING, AT(on_text), NULL, "on", "on|off",
      "learn from all runs of the directory, and predict power, cost and quality",
      "predict", .choices = "on|off" },
    { "predict.configs", OPT_FILE, AT(configs), NULL, NULL, "FILE",
      "encodes to predict, in place of the built-in four; see docs/predictions.md",
      "predict" },
    { "predict.target-vmaf", OPT_DOUBLE, AT(target_vmaf), NULL, "93", "VMAF",
      "quality that recommended bit rates are to reach", "predict", .min = 1,
      .max = 100 },
    { "predict.scenarios", OPT_U32, AT(scenarios), NULL, "10000", "N",
      "the newest N scenarios are learned from, whether or not they are served",
      "predict", .min = 1, .max = 1000000 },
    { "ml.listen-address", OPT_PORT, AT(listen), "ML_EXPORTER_PORT", "", "ADDR",
      "a port for predictions alone, with the families and paths of the predecessor's "
      "fourth exporter; as the other addresses, off by default",
      "predict" },
    { 0 },
};

int predict_config_complete(struct predict_config *c, struct err *e)
{
    struct address a;
    struct err why = { 0 };

    c->on = c->on_text[1] == 'n';
    if (!*c->listen)
        return 0;
    if (address_parse(view_of(c->listen), &a, &why) < 0)
        return err_set(e, -EINVAL, "--ml.listen-address: %s", why.text);
    if (!c->on)
        return err_set(e, -EINVAL,
                       "--ml.listen-address: with --predict off there is nothing to "
                       "serve there");
    return 0;
}

int predict_config_read(const struct predict_config *c, struct buf *text, struct err *e)
{
    struct stamp stamp;
    struct err why = { 0 };
    int rc;

    if (!c->configs.path)
        return 0;
    rc = opener_read_trusted(c->configs.path, FILE_LIMIT, 0, text, &stamp, &why);
    if (rc < 0)
        return err_set(e, opener_passes(rc) ? rc : -EINVAL, "--predict.configs: %s: %s",
                       c->configs.path, why.text);
    return 0;
}
