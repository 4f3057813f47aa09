/*
 * splice.h - one scenario in the text of a results file, all else left as it stands.
 *
 * A file that several write to is changed at one place: nothing is parsed and printed again,
 * so the scenarios of others keep their bytes, and the exporter takes them over unread.
 */
#ifndef SERVER_RECORD_SPLICE_H
#define SERVER_RECORD_SPLICE_H

#include "core/buf.h"
#include "core/err.h"

/*
 * Appends to out the results file text with entry, a JSON object, in the place of the
 * scenario that holds the bytes mark, or behind the last one. Members of the scenario that
 * was there and that entry lacks are kept, but for the one named drop. text is empty for a
 * file that is yet to be.
 *
 * -EINVAL: text is not JSON; -EPROTO: it is, but no results file; then out is untouched.
 */
int splice_entry(struct view text, struct view entry, struct view mark,
                 struct view drop, struct buf *out, struct err *e);

#endif
