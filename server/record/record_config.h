/*
 * record_config.h - flags of `encode_exporter record`.
 */
#ifndef SERVER_RECORD_RECORD_CONFIG_H
#define SERVER_RECORD_RECORD_CONFIG_H

#include "core/err.h"
#include "core/option.h"

enum { RECORD_PAIRS_MAX = 64 };

struct record_pair { /* K=V of a flag that may be repeated */
    struct view key, value;
};

struct record_config {
    const char *results_dir;
    const char *name; /* NULL: from the command */
    const char *run;  /* NULL: a file of its own */
    bool no_progress, no_probe, strict;

    const char *pair; /* of --param or --set, while flags are read */
    struct record_pair params[RECORD_PAIRS_MAX], fields[RECORD_PAIRS_MAX];
    size_t param_count, field_count;

    char **command; /* NULL ends it */
    bool help;
};

extern const struct option record_options[];

/* What a field of --set may hold. */
enum record_field { RECORD_UNKNOWN, RECORD_TEXT, RECORD_NUMBER };

enum record_field record_field_kind(struct view key);

/*
 * Reads argv[1 … argc-1]: flags up to "--" or the first word that is none; the command
 * begins there. Texts are borrowed. With --help all else is as it was then. -EINVAL: e is
 * one line that names the flag and what is allowed.
 */
int record_config_read(struct record_config *c, int argc, char **argv,
                       const char *(*variable)(const char *name), struct err *e);

#endif
