/*
 * results_scenario.h - one JSON object of a results file → struct scenario.
 */
#ifndef CORE_RESULTS_SCENARIO_H
#define CORE_RESULTS_SCENARIO_H

#include "core/json.h"
#include "core/results.h"

/*
 * One reference, for the caller. NULL: it is no scenario, because it is no object or
 * has no name; *why says so then. region: of the file. What is invalid is noted. mem
 * is scratch that the caller releases afterwards.
 */
struct scenario *results_scenario(const struct json_value *v, struct view region,
                                  struct arena *mem, struct results_notes *notes,
                                  const char **why);

#endif
