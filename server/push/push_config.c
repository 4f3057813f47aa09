#include "server/push/push_config.h"

#include <errno.h>

#include "server/push/push_path.h"

#define AT(field) offsetof(struct push_config, field)

const struct option push_options[] = {
    { "push.url", OPT_STRING, AT(url), NULL, NULL, "URL",
      "send the last state there before the process ends: VictoriaMetrics, or a "
      "Pushgateway's /metrics/job/NAME; see docs/push.md",
      "push" },
    { "push.interval", OPT_DURATION, AT(interval_ms), NULL, "0s", "D",
      "send it so often as well; 0s: at the end only", "push", .max = 8.64e7 },
    { "push.label", OPT_STRING, AT(labels), NULL, NULL, "LIST",
      "labels of what is sent: k=v,k=v", "push" },
    { "push.username", OPT_STRING, AT(username), NULL, NULL, "NAME",
      "user that it is sent as", "push" },
    { "push.password-file", OPT_STRING, AT(password_file), NULL, NULL, "FILE",
      "holds the user's password", "push" },
    { "push.bearer-token-file", OPT_STRING, AT(bearer_token_file), NULL, NULL, "FILE",
      "holds a token, in place of user and password", "push" },
    { "push.ca-file", OPT_STRING, AT(ca_file), NULL, NULL, "FILE",
      "certificates to believe, in place of the system's", "push" },
    { 0 },
};

int push_config_complete(struct push_config *c, struct err *e)
{
    struct buf path = { 0 };
    struct err why = { 0 };

    if (!c->url || !*c->url) {
        c->url = NULL;
        return c->labels || c->interval_ms || c->username || c->bearer_token_file
                   ? err_set(e, -EINVAL, "--push.…: there is no --push.url")
                   : 0;
    }

    int rc = push_path(c->url, c->labels, &path, &why);

    buf_deinit(&path);
    return rc < 0 ? err_set(e, -EINVAL, "%s", why.text) : 0;
}
