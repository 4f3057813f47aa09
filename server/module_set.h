/*
 * module_set.h - the modules' settings, as one thing that is replaced whole.
 *
 * A reload makes a new set; whoever still renders with the old one keeps it alive.
 */
#ifndef SERVER_MODULE_SET_H
#define SERVER_MODULE_SET_H

#include "server/config.h"

struct module_set {
    unsigned refs;                /* loop thread */
    uint64_t version;             /* differs between any two sets */
    void *config[MODULES_MAX];    /* NULL: the module is off (--only) */
    char *texts[MODULES_MAX * 4]; /* contents of files that options name */
    size_t text_count;
};

/*
 * Reads the files that module options name and configures every module that is on. On
 * failure *out is untouched and e names file, key and reason. first: at start, when a
 * missing file that only a variable names is logged and passed over.
 */
int module_set_new(const struct config *c, bool first, struct module_set **out,
                   struct err *e);
/* What modules are told of the grid, in sets that are made from now on. */
void module_set_carbon(struct carbon_now now);

struct module_set *module_set_ref(struct module_set *s);
void module_set_unref(struct module_set *s);

/* Calls f with the path of every file that a module option names. */
void module_set_files(const struct config *c, void (*f)(void *ctx, const char *path),
                      void *ctx);

#endif
