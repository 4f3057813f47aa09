/*
 * shells.c - scripts that complete command lines in bash, zsh and fish.
 *
 * A flag is completed with the words it allows, with files or with directories, by what
 * its row in the table names as its value; what is neither is left to the user.
 */
#include "server/manual/manual.h"

#include "server/config_help.h"
#include "server/registry.h"

#include <stdio.h>

static const struct option general[] = {
    { .name = "help",
      .value = "TOPIC",
      .help = "show the flags of a topic, or of all" },
    { .name = "version", .type = OPT_BOOL, .help = "print the version" },
    { 0 },
};

static bool value_is(const struct option *o, const char *placeholder)
{
    return o->value && strcmp(o->value, placeholder) == 0;
}

/* What the flag allows, with blanks between; nothing: any text. */
static void add_words(const struct option *o, struct buf *out)
{
    struct view rest = view_of(o->choices), word;

    while (view_split(&rest, '|', &word))
        buf_fmt(out, "%s%.*s", out->n ? " " : "", VIEW_ARG(word));
    if (value_is(o, "MODULE"))
        for (size_t i = 0; i < registry_count; i++)
            buf_fmt(out, "%s%s", out->n ? " " : "", registry[i]->name);
    if (value_is(o, "TOPIC"))
        for (const struct help_row *t = help_topics; t->name; t++)
            buf_fmt(out, "%s%s", out->n ? " " : "", t->name);
    if (strcmp(o->name, "once") == 0 || strcmp(o->name, "help") == 0)
        buf_str(out, " all");
}

/* text with a backslash before each of these characters, as it may stand between '…'. */
static void add_quoted(struct buf *out, const char *text, const char *escaped)
{
    for (; *text; text++) {
        if (*text == '\'') {
            buf_str(out, "'\\''");
            continue;
        }
        if (strchr(escaped, *text))
            buf_char(out, '\\');
        buf_char(out, *text);
    }
}

static void each_general(help_option *f, void *ctx)
{
    for (const struct option *o = general; o->name; o++)
        f(o, ctx);
    help_each(NULL, f, ctx);
}

static void each_of(const struct help_command *c, help_option *f, void *ctx)
{
    for (const struct option *o = c->options; o->name; o++)
        f(o, ctx);
}

/* ---- bash --------------------------------------------------------------------------- */

static void bash_flag(const struct option *o, void *ctx)
{
    buf_fmt(ctx, " --%s", o->name);
}

static void bash_value(const struct option *o, void *ctx)
{
    struct buf *out = ctx, words = { 0 };

    if (o->type == OPT_BOOL)
        return;
    add_words(o, &words);
    buf_fmt(out, "    --%s)", o->name);
    if (words.n)
        buf_fmt(out, " words='%.*s'", VIEW_ARG(words));
    else if (value_is(o, "FILE"))
        buf_str(out, " of=-f");
    else if (value_is(o, "DIR"))
        buf_str(out, " of=-d");
    else
        buf_str(out, " return");
    buf_str(out, " ;;\n");
    buf_deinit(&words);
}

void manual_bash(struct buf *out)
{
    buf_str(
        out,
        "# Completion of encode_exporter, for bash; made from its tables of flags.\n"
        "_encode_exporter()\n{\n"
        "    local cur=${COMP_WORDS[COMP_CWORD]}\n"
        "    local flag=${COMP_WORDS[COMP_CWORD-1]} words='' of=''\n\n"
        "    COMPREPLY=()\n"
        "    # --flag=value: three words here.\n"
        "    if [[ $cur == = ]]; then\n"
        "        cur=''\n"
        "    elif [[ $flag == = && $COMP_CWORD -gt 1 ]]; then\n"
        "        flag=${COMP_WORDS[COMP_CWORD-2]}\n"
        "    fi\n"
        "    case $flag in\n");
    each_general(bash_value, out);
    for (const struct help_command *c = help_commands; c->name; c++)
        each_of(c, bash_value, out);
    buf_str(out, "    *)\n        words='");
    each_general(bash_flag, out);
    buf_str(out, "'\n");
    for (const struct help_command *c = help_commands; c->name; c++) {
        buf_fmt(out,
                "        [[ $COMP_CWORD -gt 1 ]] || words+=' %s'\n"
                "        [[ ${COMP_WORDS[1]} != %s ]] || words%s='",
                c->name, c->name, c->alone ? "" : "+");
        each_of(c, bash_flag, out);
        buf_str(out, "'\n");
    }
    buf_str(out, "        ;;\n    esac\n"
                 "    if [[ $of ]]; then\n"
                 "        compopt -o filenames 2>/dev/null\n"
                 "        mapfile -t COMPREPLY < <(compgen \"$of\" -- \"$cur\")\n"
                 "    else\n"
                 "        mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n"
                 "    fi\n}\n"
                 "complete -F _encode_exporter encode_exporter\n");
}

/* ---- zsh ---------------------------------------------------------------------------- */

static void zsh_flag(const struct option *o, void *ctx)
{
    struct buf *out = ctx, words = { 0 };

    buf_fmt(out, "    '--%s%s[", o->name, o->type == OPT_BOOL ? "" : "=");
    add_quoted(out, o->help, "[]:\\");
    buf_char(out, ']');
    if (o->type != OPT_BOOL) {
        add_words(o, &words);
        buf_fmt(out, ":%s:", o->choices ? "value" : o->value);
        if (words.n)
            buf_fmt(out, "(%.*s)", VIEW_ARG(words));
        else if (value_is(o, "FILE"))
            buf_str(out, "_files");
        else if (value_is(o, "DIR"))
            buf_str(out, "_files -/");
    }
    buf_str(out, "'\n");
    buf_deinit(&words);
}

void manual_zsh(struct buf *out)
{
    buf_str(out,
            "#compdef encode_exporter\n"
            "# Completion of encode_exporter, for zsh; made from its tables of flags.\n"
            "local -a flags=(\n");
    each_general(zsh_flag, out);
    buf_str(out, ")\n");
    for (const struct help_command *c = help_commands; c->name; c++) {
        buf_fmt(out, "if [[ ${words[2]} == %s ]]; then\n  flags%s=(\n", c->name,
                c->alone ? "" : "+");
        each_of(c, zsh_flag, out);
        buf_str(out, "  )\nfi\n");
    }
    buf_str(out, "_arguments \"${flags[@]}\" '1::command:(");
    for (const struct help_command *c = help_commands; c->name; c++)
        buf_fmt(out, "%s%s", c == help_commands ? "" : " ", c->name);
    buf_str(out, ")'\n");
}

/* ---- fish --------------------------------------------------------------------------- */

static void fish_line(const struct option *o, const char *when, struct buf *out)
{
    struct buf words = { 0 };

    buf_fmt(out, "complete -c encode_exporter %s-l %s", when, o->name);
    if (o->type != OPT_BOOL) {
        add_words(o, &words);
        if (words.n)
            buf_fmt(out, " -x -a '%.*s'", VIEW_ARG(words));
        else if (value_is(o, "FILE"))
            buf_str(out, " -r -F");
        else if (value_is(o, "DIR"))
            buf_str(out, " -x -a '(__fish_complete_directories)'");
        else
            buf_str(out, " -x");
    }
    buf_str(out, " -d '");
    add_quoted(out, o->help, "\\");
    buf_str(out, "'\n");
    buf_deinit(&words);
}

/* Flags of the program: not behind a command that takes none of them. */
static void fish_flag(const struct option *o, void *ctx)
{
    struct buf when = { 0 };

    for (const struct help_command *c = help_commands; c->name; c++)
        if (c->alone)
            buf_fmt(&when, "-n 'not __fish_seen_subcommand_from %s' ", c->name);
    buf_char(&when, '\0');
    fish_line(o, when.p, ctx);
    buf_deinit(&when);
}

static void fish_command(const struct help_command *c, struct buf *out)
{
    char when[80];

    snprintf(when, sizeof when, "-n '__fish_seen_subcommand_from %s' ", c->name);
    for (const struct option *o = c->options; o->name; o++)
        fish_line(o, when, out);
}

void manual_fish(struct buf *out)
{
    buf_str(
        out,
        "# Completion of encode_exporter, for fish; made from its tables of flags.\n"
        "complete -c encode_exporter -f\n");
    for (const struct help_command *c = help_commands; c->name; c++)
        buf_fmt(out,
                "complete -c encode_exporter -n __fish_is_first_token -a %s -d '%s'\n",
                c->name, c->brief);
    each_general(fish_flag, out);
    for (const struct help_command *c = help_commands; c->name; c++)
        fish_command(c, out);
}
