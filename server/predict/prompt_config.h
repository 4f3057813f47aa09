/*
 * prompt_config.h - flags of `encode_exporter predict`.
 *
 * All other flags that are given with them are those of the program: which directory, which
 * prices.
 */
#ifndef SERVER_PREDICT_PROMPT_CONFIG_H
#define SERVER_PREDICT_PROMPT_CONFIG_H

#include "core/err.h"
#include "core/option.h"

struct prompt_config {
    const char *resolution, *bitrate;
    const char *encoder, *preset; /* NULL: the pair that most encodes have */
    double fps;
    double target_vmaf; /* NaN: --predict.target-vmaf */
    bool json;

    double width, height, bitrate_kbps; /* from the texts */
};

extern const struct option prompt_options[];

/*
 * Takes its flags out of argv[1 … argc-1] and leaves the others there, in their order;
 * *argc becomes what is left. Texts are borrowed from argv. help: --help is asked for; all
 * else is as it was then. -EINVAL: e is one line that names the flag and what is allowed.
 */
int prompt_config_take(struct prompt_config *p, int *argc, char **argv, bool *help,
                       struct err *e);

#endif
