/*
 * vmaf_log.h - libvmaf's log, in any of its formats: JSON, XML, CSV and subtitles.
 *
 * The first bytes tell the format, whatever the name of the file says. Releases 1.3.7 to 3
 * are known: names of features differ, frames may be left out (n_subsample), and what is
 * not a number, or infinite, is null in JSON and inf or nan elsewhere. null is taken for
 * +Inf in metrics that identical frames have it in (dB), else for not known. Pooled values
 * are not read: they follow from the frames, and older releases have none.
 *
 * libvmaf writes its log at the very end, within milliseconds, so half a document is what
 * a reader sees who comes too early: vmaf_log_end() tells. Frames of a document that is cut
 * off, or is wrong further on, stay. Memory does not grow with the text but for the scores.
 *
 * How the bytes are cut makes no difference, but for the words about XML that is wrong:
 * line and reason are expat's, which may name another of several faults.
 *
 * JSON is read more leniently than by core/json.h: libvmaf leaves a comma too many where
 * frame 0 has no scores, and early releases print nan and inf as they are.
 */
#ifndef CORE_VMAF_LOG_H
#define CORE_VMAF_LOG_H

#include "core/frame_table.h"
#include "core/lines.h"

enum {
    VMAF_LINE_MAX = 16384,      /* bytes of a line in CSV and subtitles */
    VMAF_FIELDS_MAX = 256,      /* columns of a CSV file */
    VMAF_TEXT_MAX = 128,        /* bytes of a name or a number */
    VMAF_DEPTH_MAX = 64,        /* brackets or elements open at one place */
    VMAF_ELEMENT_MAX = 1 << 20, /* bytes of XML without an element beginning */
};

enum vmaf_format {
    VMAF_UNDECIDED, /* nothing but blanks came */
    VMAF_JSON,
    VMAF_XML,
    VMAF_CSV,
    VMAF_SUB,
};

/* How far JSON is read; vmaf_json.c. */
struct vmaf_json {
    unsigned char state, hex; /* digits of \u that are missing */
    unsigned char places[VMAF_DEPTH_MAX];
    unsigned depth;
    bool keyed; /* the value of key comes next */
    bool over;  /* token is longer than may be */
    char token[VMAF_TEXT_MAX], key[VMAF_TEXT_MAX];
    size_t token_n, key_n;
};

struct vmaf_xml; /* vmaf_xml.c */

struct
    vmaf_log { /* to the caller: the first group. It stays where it was initialised */
    struct frame_table table;
    struct text_faults faults;
    enum vmaf_format format;
    char version[32]; /* of libvmaf; empty: not told */
    char
        model[VMAF_TEXT_MAX]; /* "vmaf_float_v0.6.1", where the log tells; else empty */
    double width, height;     /* at which it was scored; NaN: not told */

    bool brace;    /* "{" came, which begins two formats */
    bool broken;   /* the rest cannot be read */
    bool complete; /* the document came to its end */
    bool numbered; /* number is that of the frame being read */
    uint32_t number;
    uint64_t line; /* of JSON */
    struct vmaf_json json;
    struct vmaf_xml *xml;
    struct lines lines;                   /* of CSV and subtitles */
    int16_t csv_columns[VMAF_FIELDS_MAX]; /* of the table; -1: not kept */
    size_t csv_count;                     /* 0: no header came */
};

void vmaf_log_init(struct vmaf_log *l, struct frame_limits limits);

/* The bytes that follow those of the calls before, cut anywhere. */
void vmaf_log_add(struct vmaf_log *l, struct view bytes);

/*
 * Nothing will follow. False: the document is not whole, which is told as a fault, or
 * nothing came at all, which is none.
 */
bool vmaf_log_end(struct vmaf_log *l);

/* The next byte is the first of another text. Faults stay counted. */
void vmaf_log_restart(struct vmaf_log *l);

void vmaf_log_deinit(struct vmaf_log *l);

#endif
