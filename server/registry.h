/*
 * registry.h - the modules this program has.
 */
#ifndef SERVER_REGISTRY_H
#define SERVER_REGISTRY_H

#include "core/module.h"

enum { MODULES_MAX = 8 };

/* In the order of their ports and of /metrics/all. The index of a module is the index
 * of its endpoint. */
extern const struct module *const registry[];
extern const size_t registry_count;

/* Index of a module by name, or -1. */
int registry_find(struct view name);

#endif
