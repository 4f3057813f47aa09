/*
 * vmaf_xml.c - XML; the one file that knows expat.
 *
 * A document type is refused, so no entity but the five of XML itself is ever replaced.
 */
#include "core/vmaf_inner.h"
#include "core/mem.h"

#include <expat.h>
#include <stdlib.h>

struct vmaf_xml {
    struct vmaf_log *log;
    XML_Parser parser;
    uint64_t added;   /* bytes */
    uint64_t element; /* how many were there when the last element began */
    unsigned depth;
};

static void *on_alloc(size_t n)
{
    return mem_alloc(n);
}

static void *on_resize(void *p, size_t n)
{
    return mem_resize(p, n, 1);
}

static uint64_t line_of(const struct vmaf_xml *x)
{
    return XML_GetCurrentLineNumber(x->parser);
}

static void stop(struct vmaf_xml *x, const char *reason)
{
    vmaf_fatal(x->log, line_of(x), reason);
    XML_StopParser(x->parser, XML_FALSE);
}

static void on_frame(struct vmaf_xml *x, const char *const *attributes)
{
    struct vmaf_log *l = x->log;

    for (; *attributes; attributes += 2) {
        struct view name = view_of(attributes[0]), text = view_of(attributes[1]);

        if (view_eq(name, VIEW("frameNum"))) {
            if (!vmaf_number(l, text))
                vmaf_fault(l, line_of(x), "no number of a frame");
        } else if (!vmaf_value(l, name, text)) {
            vmaf_fault(l, line_of(x), "no number");
        }
    }
    vmaf_row(l, line_of(x));
}

static void on_begin(void *data, const char *element, const char **attributes)
{
    struct vmaf_xml *x = data;
    struct view name = view_of(element);

    x->element = x->added;
    if (++x->depth > VMAF_DEPTH_MAX) {
        stop(x, "nested too deep");
        return;
    }
    if (x->depth == 1 && !view_eq(name, VIEW("VMAF"))) {
        stop(x, "not a document of libvmaf");
        return;
    }
    if (view_eq(name, VIEW("frame"))) {
        on_frame(x, attributes);
        return;
    }
    for (; *attributes; attributes += 2) {
        if (x->depth == 1 && view_eq(view_of(attributes[0]), VIEW("version")))
            vmaf_version(x->log, view_of(attributes[1]));
        else if (view_eq(name, VIEW("params")))
            vmaf_param(x->log, view_of(attributes[0]), view_of(attributes[1]));
    }
}

static void on_end(void *data, const char *element)
{
    struct vmaf_xml *x = data;

    (void)element;
    if (--x->depth == 0)
        x->log->complete = true;
}

static void on_document_type(void *data, const char *name, const char *system,
                             const char *public, int internal)
{
    (void)name, (void)system, (void)public, (void)internal;
    stop(data, "a document type, which libvmaf never writes");
}

struct vmaf_xml *vmaf_xml_new(struct vmaf_log *l)
{
    const XML_Memory_Handling_Suite memory = { on_alloc, on_resize, free };
    struct vmaf_xml *x = mem_zalloc(sizeof *x);

    x->log = l;
    x->parser = XML_ParserCreate_MM(NULL, &memory, NULL);
    if (!x->parser)
        mem_exhausted(0);
    XML_SetUserData(x->parser, x);
    XML_SetElementHandler(x->parser, on_begin, on_end);
    XML_SetStartDoctypeDeclHandler(x->parser, on_document_type);
    return x;
}

void vmaf_xml_add(struct vmaf_xml *x, struct view bytes)
{
    const size_t most = 1 << 16; /* at once, for expat counts in int */

    while (bytes.n && !x->log->broken) {
        size_t n = bytes.n < most ? bytes.n : most;

        x->added += n;
        if (XML_Parse(x->parser, bytes.p, (int)n, 0) == XML_STATUS_ERROR) {
            if (!x->log->broken)
                vmaf_fatal(x->log, line_of(x),
                           XML_ErrorString(XML_GetErrorCode(x->parser)));
        } else if (x->added - x->element > VMAF_ELEMENT_MAX) {
            stop(x, "an element longer than may be");
        }
        bytes = view_skip(bytes, n);
    }
}

void vmaf_xml_end(struct vmaf_xml *x)
{
    enum XML_Error why;

    if (XML_Parse(x->parser, NULL, 0, 1) != XML_STATUS_ERROR || x->log->broken)
        return;
    why = XML_GetErrorCode(x->parser);
    if (x->log->complete)
        vmaf_fatal(x->log, line_of(x), XML_ErrorString(why));
    /* Else the document is cut off, which the caller tells. */
}

void vmaf_xml_free(struct vmaf_xml *x)
{
    if (!x)
        return;
    XML_ParserFree(x->parser);
    free(x);
}
