#include "server/manual/manual.h"

#include "server/config_help.h"
#include "server/version.h"

#include <ctype.h>

/* What roff would take for something else; a hyphen is one that may be copied. */
static void add_char(struct buf *out, char c)
{
    static const struct {
        char c;
        const char *roff;
    } names[] = { { '-', "\\-" },   { '\\', "\\e" },  { '\'', "\\(aq" },
                  { '`', "\\(ga" }, { '^', "\\(ha" }, { '~', "\\(ti" } };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].c == c) {
            buf_str(out, names[i].roff);
            return;
        }
    buf_char(out, c);
}

static void add_literal(struct buf *out, struct view text)
{
    if (text.n && text.p[0] == '.')
        buf_str(out, "\\&"); /* no request, if it begins a line */
    for (size_t i = 0; i < text.n; i++)
        add_char(out, text.p[i]);
}

/* Lines of text that end with a newline. */
static void add_text(struct buf *out, struct view text)
{
    enum { WIDTH = 72 };
    struct view word;
    size_t column = 0;

    while (view_split(&text, ' ', &word)) {
        if (column) {
            buf_char(out, column + word.n > WIDTH ? '\n' : ' ');
            column = column + word.n > WIDTH ? 0 : column;
        }
        add_literal(out, word);
        column += word.n + 1;
    }
    buf_char(out, '\n');
}

static void add_option(const struct option *o, void *ctx)
{
    struct buf *out = ctx, text = { 0 };

    buf_str(out, ".TP\n\\fB\\-\\-");
    add_literal(out, view_of(o->name));
    buf_str(out, "\\fR");
    if (o->choices) {
        buf_str(out, " \\fB");
        add_literal(out, view_of(o->choices));
        buf_str(out, "\\fR");
    } else if (o->value) {
        buf_str(out, " \\fI");
        add_literal(out, view_of(o->value));
        buf_str(out, "\\fR");
    }
    buf_char(out, '\n');
    help_describe(o, &text);
    add_text(out, buf_as_view(&text));
    buf_deinit(&text);
}

static void add_variables(const struct option *o, void *ctx)
{
    struct buf *out = ctx;
    struct view names = view_of(o->env), name;

    for (size_t i = 0; view_split(&names, '|', &name); i++) {
        buf_str(out, ".TP\n\\fB");
        add_literal(out, name);
        buf_str(out, "\\fR\n\\fB\\-\\-");
        add_literal(out, view_of(o->name));
        buf_fmt(out, "\\fR%s%s\n", o->type == OPT_PORT ? ", a port alone" : "",
                i ? "; the variable before goes first" : "");
    }
}

/* ---- what stands for a line that begins with '@' ------------------------------------ */

static void about(struct buf *out)
{
    buf_str(out, "encode_exporter \\-\n");
    add_text(out, view_of(help_about));
}

static void topics(struct buf *out)
{
    for (const struct help_row *t = help_topics; t->name; t++) {
        const struct help_command *c = help_command_of(t->name);

        if (c && c->alone)
            continue; /* it has a section of its own */
        buf_fmt(out, ".SS %s\n", t->name);
        buf_char(out, (char)toupper((unsigned char)t->what[0]));
        add_text(out, view_of(t->what + 1));
        help_each(t->name, add_option, out);
    }
}

static void commands(struct buf *out)
{
    for (const struct help_command *c = help_commands; c->name; c++) {
        buf_str(out, ".SH ENCODE_EXPORTER ");
        for (const char *p = c->name; *p; p++)
            buf_char(out, (char)toupper((unsigned char)*p));
        buf_char(out, '\n');
        add_text(out, view_of(c->what));
        for (const struct option *o = c->options; o->name; o++)
            add_option(o, out);
    }
}

static void variables(struct buf *out)
{
    help_each(NULL, add_variables, out);
}

static void examples(struct buf *out)
{
    for (const struct help_row *e = help_examples; e->name; e++) {
        buf_str(out, ".TP\n\\fB");
        add_literal(out, view_of(e->name));
        buf_str(out, "\\fR\n");
        add_text(out, view_of(e->what));
    }
}

static void order(struct buf *out)
{
    add_text(out, view_of(help_order));
}

static const struct {
    const char *name;
    void (*add)(struct buf *out);
} parts[] = {
    { "@about", about },         { "@topics", topics },     { "@commands", commands },
    { "@variables", variables }, { "@examples", examples }, { "@order", order },
};

static bool add_part(struct view name, struct buf *out)
{
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (view_eq(name, view_of(parts[i].name))) {
            parts[i].add(out);
            return true;
        }
    return false;
}

bool manual_page(struct view text, const char *date, struct buf *out, struct view *bad)
{
    struct view line;

    buf_fmt(out,
            ".TH ENCODE_EXPORTER 1 \"%s\" \"encode_exporter %s\" \"User Commands\"\n",
            date, version_text);
    while (view_split(&text, '\n', &line)) {
        if (!line.n)
            continue;
        if (line.p[0] != '@') {
            buf_view(out, line);
            buf_char(out, '\n');
        } else if (!add_part(line, out)) {
            *bad = line;
            return false;
        }
    }
    return true;
}
