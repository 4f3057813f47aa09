/*
 * option.h - one table of flags; from it come parsing, the environment and --help.
 */
#ifndef CORE_OPTION_H
#define CORE_OPTION_H

#include "core/err.h"
#include "core/view.h"

enum option_type {
    OPT_STRING,   /* const char *  (NULL: not given) */
    OPT_BOOL,     /* bool; the flag takes no value */
    OPT_DOUBLE,   /* double, finite; NaN: not given */
    OPT_U32,      /* uint32_t */
    OPT_SIZE,     /* uint64_t bytes: 512, 64KiB, 64MiB, 1GiB */
    OPT_DURATION, /* uint64_t milliseconds: 500ms, 2s, 1m, 1h */
    OPT_PORT,     /* as OPT_STRING; but its environment variable holds a port number
                        alone, which the caller turns into ":N" */
    OPT_FILE,     /* struct option_file: the host reads it and watches it */
};

struct option_file {
    const char *path;    /* NULL: not given */
    struct view text;    /* content, owned by the host while the options live */
    bool by_environment; /* a missing file is a warning then, else an error */
};

struct option {
    const char *name; /* without "--"; NULL ends the table */
    enum option_type type;
    size_t offset;       /* of the field in the struct the table fills */
    const char *env;     /* variables, first set wins: "A|B"; NULL: none */
    const char *preset;  /* default as text; NULL: not given */
    const char *value;   /* placeholder in --help: "DIR"; NULL for OPT_BOOL */
    const char *help;    /* one line */
    const char *topic;   /* of --help: "inputs", "web", "prices" … */
    double min, max;     /* numbers; both 0: any */
    const char *choices; /* "auto|inotify|poll"; NULL: any text */
    bool env_zero_unset; /* the variable's value 0 means not given */
};

/* Sets every field of the table to its default. */
void option_defaults(const struct option *table, void *fields);

/*
 * Sets one field from text, which must live as long as fields do. from names the place
 * for the error: "--port" or "environment variable CPU_COST". The error says what is
 * allowed. -EINVAL; the field is untouched then.
 */
int option_set(const struct option *o, void *fields, const char *text, const char *from,
               bool by_environment, struct err *e);

#endif
