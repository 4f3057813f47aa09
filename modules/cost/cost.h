/*
 * cost.h - what an encode cost in money and CO2.
 */
#ifndef MODULES_COST_COST_H
#define MODULES_COST_COST_H

#include "core/module.h"

extern const struct module module_cost;

#endif
