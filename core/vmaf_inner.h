/*
 * vmaf_inner.h - what the files behind core/vmaf_log.h share.
 */
#ifndef CORE_VMAF_INNER_H
#define CORE_VMAF_INNER_H

#include "core/vmaf_log.h"

/* reason: constant text. The rest of the document is not read where it is fatal. */
void vmaf_fault(struct vmaf_log *l, uint64_t line, const char *reason);
void vmaf_fatal(struct vmaf_log *l, uint64_t line, const char *reason);

/* A score as text: a number, inf, nan, null. False: it is none of these. */
bool vmaf_value(struct vmaf_log *l, struct view name, struct view text);

/* "frameNum" of the frame being read. False: it is no such number. */
bool vmaf_number(struct vmaf_log *l, struct view text);

/* The frame is whole. */
void vmaf_row(struct vmaf_log *l, uint64_t line);

/* What the head of a log tells: version, model, size. */
void vmaf_version(struct vmaf_log *l, struct view text);
void vmaf_param(struct vmaf_log *l, struct view name, struct view text);

void vmaf_json_add(struct vmaf_log *l, struct view bytes);

struct vmaf_xml *vmaf_xml_new(struct vmaf_log *l);
void vmaf_xml_add(struct vmaf_xml *x, struct view bytes);
void vmaf_xml_end(
    struct vmaf_xml *x); /* nothing follows: what expat holds back is read */
void vmaf_xml_free(struct vmaf_xml *x); /* NULL is accepted */

#endif
