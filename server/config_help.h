/*
 * config_help.h - what --help, the man page and the completion of shells are made of.
 */
#ifndef SERVER_CONFIG_HELP_H
#define SERVER_CONFIG_HELP_H

#include "core/buf.h"
#include "core/option.h"

/* What the program is, in one line without its name. */
extern const char help_about[];

/* Both tables end with a row of NULL. */
struct help_row {
    const char *name, *what;
};
extern const struct help_row help_topics[];
extern const struct help_row help_examples[]; /* command lines */

/* Other forms of the command, `encode_exporter NAME`; ends with a row of NULL. */
struct help_command {
    const char *name;
    const char *brief, *what; /* a line, and some sentences */
    const struct option *options;
    bool alone; /* it takes no other flags than these */
};
extern const struct help_command help_commands[];

/* The command that has the name of a topic; NULL: none. */
const struct help_command *help_command_of(const char *topic);

/* Which flag wins: for the end of an overview. */
extern const char help_order[];

/* What is said of a flag: its help, default in brackets, variables in parentheses. */
void help_describe(const struct option *o, struct buf *out);

typedef void help_option(const struct option *o, void *ctx);

/* Every flag of a topic (NULL: of all), the server's own first. */
void help_each(const char *topic, help_option *f, void *ctx);

#endif
