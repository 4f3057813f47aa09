/*
 * config_help.c - --help, from the option tables.
 */
#include "server/config_help.h"

#include "server/config.h"
#include "server/predict/prompt_config.h"
#include "server/record/record_config.h"

const char help_about[] =
    "what video encodes cost, and how good they are, for Prometheus";

const char help_order[] =
    "A flag wins over its environment variable, that wins over the default.";

const struct help_row help_topics[] = {
    { "inputs", "where results come from and which runs are served" },
    { "web", "ports, addresses, connections" },
    { "prices", "prices, currencies, regions" },
    { "power", "measured power and use of cores, encodes that still run" },
    { "upstream", "Prometheus or VictoriaMetrics to ask for what files leave open" },
    { "predict",
      "what encodes that nobody has run would cost, and how good they would be" },
    { "quality", "quality, measuring it, and encodes compared by it" },
    { "live", "encodes while they run: progress, logs of frames" },
    { "push", "where to send the last state to" },
    { "record", "run a command, and write what it did into the results directory" },
    { "process", "log, one-shot modes, checks" },
    { 0 },
};

const struct help_row help_examples[] = {
    { "encode_exporter record --results-dir DIR -- ffmpeg -i IN -c:v libx264 OUT.mp4",
      "runs that command and writes what it took into that directory" },
    { "encode_exporter --results-dir ./test_results",
      "watches that directory; serves results on :9502, QoE on :9503, cost on :9504" },
    { "encode_exporter predict --results-dir DIR --resolution 1920x1080 --fps 30 "
      "--bitrate 4M",
      "prints what such an encode is expected to cost, and how good it will be" },
    { 0 },
};

const struct help_command help_commands[] = {
    { "predict", "one question to the models of a directory",
      "Prints power, CPU time, quality, cost and CO2 to be expected of an encode, with "
      "intervals and a table of bit rates; flags of inputs and prices apply. Exit "
      "status 1: the data can say nothing of it, 2: wrong flags.",
      prompt_options, false },
    { "record", "run a command, and write what it did into the results directory",
      "encode_exporter record [--flag value]... -- COMMAND ...: times, exit status, "
      "use of cores, and of an ffmpeg its settings, frames and bit rate. Output, "
      "signals and exit status are the command's. Exit status 125: wrong flags, or "
      "--strict; 126, 127: the command cannot be run, is not found.",
      record_options, true },
    { 0 },
};

const struct help_command *help_command_of(const char *topic)
{
    for (const struct help_command *c = help_commands; c->name; c++)
        if (strcmp(c->name, topic) == 0)
            return c;
    return NULL;
}

void help_each(const char *topic, help_option *f, void *ctx)
{
    for (int m = -1; m < (int)registry_count; m++) {
        const struct option *o = m < 0 ? config_options() : registry[m]->options;

        for (; o && o->name; o++)
            if (!topic || strcmp(o->topic, topic) == 0)
                f(o, ctx);
    }
}

static void add_spelled(struct buf *out, const struct option *o)
{
    buf_fmt(out, "--%s", o->name);
    if (o->value)
        buf_fmt(out, " %s", o->choices ? o->choices : o->value);
}

static void add_variables(struct buf *out, const char *env, const char *quote)
{
    struct view rest = view_of(env), name;

    for (bool first = true; view_split(&rest, '|', &name); first = false)
        buf_fmt(out, "%s%s%.*s%s", first ? "" : " or ", quote, VIEW_ARG(name), quote);
}

static void add_wrapped(struct buf *out, const char *text, unsigned indent)
{
    enum { WIDTH = 84 };
    struct view rest = view_of(text), word;
    size_t column = WIDTH;

    while (view_split(&rest, ' ', &word)) {
        if (column + 1 + word.n > WIDTH) {
            buf_fmt(out, "%s%*s", out->n && out->p[out->n - 1] != '\n' ? "\n" : "",
                    (int)indent, "");
            column = indent;
        } else {
            buf_char(out, ' ');
            column++;
        }
        buf_view(out, word);
        column += word.n;
    }
    buf_char(out, '\n');
}

void help_describe(const struct option *o, struct buf *out)
{
    buf_str(out, o->help);
    if (o->preset)
        buf_fmt(out, " [%s]", o->preset);
    if (o->env) {
        buf_str(out, " ($");
        add_variables(out, o->env, "");
        buf_char(out, ')');
    }
}

static void add_plain(const struct option *o, void *ctx)
{
    struct buf *out = ctx, text = { 0 };

    buf_str(out, "  ");
    add_spelled(out, o);
    buf_char(out, '\n');
    help_describe(o, &text);
    buf_char(&text, '\0');
    add_wrapped(out, text.p, 6);
    buf_deinit(&text);
}

static void add_row(const struct option *o, void *ctx)
{
    struct buf *out = ctx, spelled = { 0 };

    add_spelled(&spelled, o);
    buf_str(out, "| `");
    for (size_t i = 0; i < spelled.n; i++)
        buf_fmt(out, spelled.p[i] == '|' ? "\\|" : "%c", spelled.p[i]);
    buf_str(out, "` | ");
    if (o->env)
        add_variables(out, o->env, "`");
    buf_str(out, " | ");
    if (o->preset)
        buf_fmt(out, "`%s`", o->preset);
    buf_fmt(out, " | %s |\n", o->help);
    buf_deinit(&spelled);
}

static void add_overview(struct buf *out)
{
    buf_fmt(out,
            "encode_exporter - %s\n\n"
            "usage: encode_exporter [--flag value | --flag=value]...\n",
            help_about);
    for (const struct help_row *e = help_examples; e->name; e++) {
        buf_fmt(out, "  %s\n", e->name);
        add_wrapped(out, e->what, 6);
    }
    buf_str(out, "\n--help TOPIC shows the flags of a topic, --help all every flag:\n");
    for (const struct help_row *t = help_topics; t->name; t++)
        buf_fmt(out, "  %-10s%s\n", t->name, t->what);
    buf_str(out, "--version prints version, revision, compiler and libraries.\n");
    add_wrapped(out, help_order, 0);
}

static void add_command(struct buf *out, const struct help_command *c)
{
    buf_fmt(out, "%sencode_exporter %s: %s\n", out->n ? "\n" : "", c->name, c->brief);
    add_wrapped(out, c->what, 2);
    for (const struct option *o = c->options; o->name; o++)
        add_plain(o, out);
}

static void add_topic(struct buf *out, const struct help_row *t)
{
    const struct help_command *c = help_command_of(t->name);

    if (!c || !c->alone) {
        buf_fmt(out, "%s: %s\n", t->name, t->what);
        help_each(t->name, add_plain, out);
    }
    if (c)
        add_command(out, c);
}

bool config_help(const char *topic, struct buf *out)
{
    if (!topic) {
        add_overview(out);
        return true;
    }
    if (strcmp(topic, "markdown") == 0) {
        buf_str(out, "| flag | environment | default | |\n| --- | --- | --- | --- |\n");
        help_each(NULL, add_row, out);
        return true;
    }

    bool known = false;

    for (const struct help_row *t = help_topics; t->name; t++) {
        if (strcmp(topic, "all") != 0 && strcmp(topic, t->name) != 0)
            continue;
        known = true;
        add_topic(out, t);
    }
    if (known)
        buf_str(out,
                "(in brackets the default, in parentheses the environment variable)\n");
    return known;
}
