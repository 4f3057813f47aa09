/*
 * encode_json.h - how an encode stands, as members of a JSON object (docs/page.md).
 */
#ifndef MODULES_LIVE_ENCODE_JSON_H
#define MODULES_LIVE_ENCODE_JSON_H

#include "core/buf.h"
#include "modules/live/encode.h"

/* Appends a member for everything that is known, a comma before each. The text is the same
 * until encode->version is another. */
void encode_json(const struct encode *e, struct buf *out);

#endif
