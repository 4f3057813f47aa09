/*
 * vmaf_json.c - JSON as it comes, byte by byte.
 *
 * Nothing is kept but the brackets that are open, the key that was read last and the token
 * that is being read. Commas and colons are passed over: where a bracket is, whether a text
 * is a key or a value, and what the key is tell enough.
 */
#include "core/vmaf_inner.h"

enum state {
    BETWEEN, /* tokens */
    TEXT,
    ESCAPE, /* behind the backslash */
    HEX,    /* the digits of \u */
    WORD,   /* a number, null, nan … */
};

enum place { /* what a bracket opened */
             TOP,
             FRAMES, /* the list at the top */
             FRAME,  /* in it */
             METRICS,
             PARAMS,
             OBJECT, /* others */
             ARRAY,
};

static bool is_array(enum place p)
{
    return p == FRAMES || p == ARRAY;
}

static bool key_is(const struct vmaf_json *j, struct view key)
{
    return j->keyed && view_eq((struct view){ j->key, j->key_n }, key);
}

static enum place opened(const struct vmaf_json *j, bool array)
{
    enum place outer = j->depth ? j->places[j->depth - 1] : OBJECT;

    if (!j->depth && !array)
        return TOP;
    if (outer == TOP && array && key_is(j, VIEW("frames")))
        return FRAMES;
    if (outer == TOP && !array && key_is(j, VIEW("params")))
        return PARAMS;
    if (outer == FRAMES && !array)
        return FRAME;
    if (outer == FRAME && !array && key_is(j, VIEW("metrics")))
        return METRICS;
    return array ? ARRAY : OBJECT;
}

static void on_open(struct vmaf_log *l, bool array)
{
    struct vmaf_json *j = &l->json;

    if (j->depth == VMAF_DEPTH_MAX) {
        vmaf_fatal(l, l->line, "nested too deep");
        return;
    }
    if (j->depth && !j->keyed && !is_array(j->places[j->depth - 1])) {
        vmaf_fatal(l, l->line, "a bracket without a name");
        return;
    }
    j->places[j->depth] = (unsigned char)opened(j, array);
    j->depth++;
    j->keyed = false;
}

static void on_close(struct vmaf_log *l, bool array)
{
    struct vmaf_json *j = &l->json;
    enum place p = j->places[j->depth - 1];

    if (is_array(p) != array) {
        vmaf_fatal(l, l->line, "a bracket that closes another");
        return;
    }
    j->depth--;
    j->keyed = false;
    if (p == FRAME)
        vmaf_row(l, l->line);
    l->complete = j->depth == 0;
}

/* A value that is no bracket: its text, without quotes. */
static void on_value(struct vmaf_log *l, struct view text, bool quoted)
{
    struct vmaf_json *j = &l->json;
    enum place p = j->places[j->depth - 1];
    struct view key = { j->key, j->key_n };

    if (!is_array(p) && !j->keyed) {
        vmaf_fatal(l, l->line, "a value without a name");
        return;
    }
    if (j->over)
        vmaf_fault(l, l->line, "longer than a text may be");
    else if (p == TOP && key_is(j, VIEW("version")))
        vmaf_version(l, text);
    else if (p == PARAMS)
        vmaf_param(l, key, text);
    else if (p == FRAME && key_is(j, VIEW("frameNum")) && !vmaf_number(l, text))
        vmaf_fault(l, l->line, "no number of a frame");
    else if (p == METRICS && (quoted || !vmaf_value(l, key, text)))
        vmaf_fault(l, l->line, "no number");
    j->keyed = false;
}

static void on_text(struct vmaf_log *l)
{
    struct vmaf_json *j = &l->json;
    struct view text = { j->token, j->token_n };

    if (j->keyed || is_array(j->places[j->depth - 1])) {
        on_value(l, text, true);
        return;
    }
    memcpy(j->key, text.p, text.n);
    j->key_n = j->over ? 0 : text.n; /* no name that is looked for */
    j->keyed = true;
}

static void begin(struct vmaf_json *j, enum state state)
{
    j->state = (unsigned char)state;
    j->token_n = 0;
    j->over = false;
}

static void add(struct vmaf_json *j, char c)
{
    if (j->token_n < sizeof j->token)
        j->token[j->token_n++] = c;
    else
        j->over = true;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\0';
}

static void on_between(struct vmaf_log *l, char c)
{
    struct vmaf_json *j = &l->json;

    if (is_blank(c))
        return;
    if (l->complete || (!j->depth && c != '{' && c != '[')) {
        vmaf_fatal(l, l->line, "something before or behind the document");
        return;
    }
    switch (c) {
    case '{':
    case '[':
        on_open(l, c == '[');
        break;
    case '}':
    case ']':
        on_close(l, c == ']');
        break;
    case '"':
        begin(j, TEXT);
        break;
    case ',':
        j->keyed = false;
        break;
    case ':':
        break;
    default:
        begin(j, WORD);
        add(j, c);
    }
}

/* Whether c ends a word; then it is looked at again. */
static bool ends_word(char c)
{
    return is_blank(c) || strchr(",:[]{}\"", c);
}

static void on_byte(struct vmaf_log *l, char c)
{
    struct vmaf_json *j = &l->json;

    switch ((enum state)j->state) {
    case BETWEEN:
        on_between(l, c);
        break;
    case TEXT:
        if (c == '"') {
            j->state = BETWEEN;
            on_text(l);
        } else if (c == '\\') {
            j->state = ESCAPE;
        } else {
            add(j, c);
        }
        break;
    case ESCAPE: /* libvmaf writes none: what stands for a control character is a blank */
        j->state = c == 'u' ? HEX : TEXT;
        j->hex = 4;
        add(j, strchr("bfnrtu", c) ? ' ' : c);
        break;
    case HEX:
        j->state = --j->hex ? HEX : TEXT;
        break;
    case WORD:
        if (!ends_word(c)) {
            add(j, c);
            break;
        }
        j->state = BETWEEN;
        on_value(l, (struct view){ j->token, j->token_n }, false);
        if (!l->broken)
            on_between(l, c);
        break;
    }
}

void vmaf_json_add(struct vmaf_log *l, struct view bytes)
{
    for (size_t i = 0; i < bytes.n && !l->broken; i++) {
        on_byte(l, bytes.p[i]);
        l->line += bytes.p[i] == '\n';
    }
}
