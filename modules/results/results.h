/*
 * results.h - what an encode took: time, power, energy, throughput, scores as given.
 */
#ifndef MODULES_RESULTS_RESULTS_H
#define MODULES_RESULTS_RESULTS_H

#include "core/module.h"

extern const struct module module_results;

#endif
