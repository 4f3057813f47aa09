/*
 * presets.h - queries in the names that widespread exporters use. docs/upstream.md says
 * where each name and unit comes from.
 */
#ifndef SERVER_UPSTREAM_PRESETS_H
#define SERVER_UPSTREAM_PRESETS_H

#include "server/upstream/upstream_config.h"

#define PRESET_NAMES "rapl|kubernetes|kepler|scaphandre|dcgm"

/* The query of a preset; "": it has none. preset is one of PRESET_NAMES. */
const char *preset_query(const char *preset, enum upstream_quantity q);

#endif
