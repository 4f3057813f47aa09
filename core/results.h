/*
 * results.h - bytes of a results file → run.
 *
 * Reads what both predecessors wrote (schema in docs/inputs.md). Any thread; a parser
 * is used by one thread at a time.
 */
#ifndef CORE_RESULTS_H
#define CORE_RESULTS_H

#include "core/buf.h"
#include "core/err.h"
#include "core/run.h"

/* Bytes that must be readable behind the text given to results_parse(). */
enum { RESULTS_PADDING = 64 };

struct results_parser;
struct results_parser *results_parser_new(void);
void results_parser_free(struct results_parser *p);

enum results_verdict {
    RESULTS_OK,
    RESULTS_INVALID_JSON, /* not JSON, cut off, nested too deeply */
    RESULTS_WRONG_SHAPE,  /* neither an object with scenarios nor an array */
    RESULTS_TOO_LARGE,    /* more scenarios than the limit */
};

/* What was wrong with parts of a file that is served all the same. */
struct results_notes {
    uint64_t invalid_values; /* fields that are absent now */
    uint64_t wrong_shapes;   /* scenarios that are left out */
    char first[400];         /* the first of them: scenario, field, reason; "" */
    char warning[200];       /* schema_version above ours; "" */
};

/*
 * text: the whole file, RESULTS_PADDING readable bytes behind it. id: of the run.
 * before: the run that was parsed from this file last, or NULL; scenarios whose bytes
 * are the same are taken from it and neither parsed nor noted again. max_scenarios: 0
 * is no limit. On RESULTS_OK *out has one reference, for the caller; else *out is
 * untouched and e says where (byte offset) and why.
 */
enum results_verdict results_parse(struct results_parser *p, struct view text,
                                   struct view id, const struct run *before,
                                   uint64_t max_scenarios, const struct run **out,
                                   struct results_notes *notes, struct err *e);

#endif
