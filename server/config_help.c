/*
 * config_help.c - --help, from the option tables.
 */
#include "server/config.h"

#include "server/predict/prompt_config.h"

static const struct {
    const char *name, *what;
} topics[] = {
    { "inputs", "where results come from and which runs are served" },
    { "web", "ports, addresses, connections" },
    { "prices", "prices, currencies, regions" },
    { "power", "measured power and use of cores, encodes that still run" },
    { "upstream", "Prometheus or VictoriaMetrics to ask for what files leave open" },
    { "predict",
      "what encodes that nobody has run would cost, and how good they would be" },
    { "push", "where to send the last state to" },
    { "process", "log, one-shot modes, checks" },
};

enum { TOPICS = sizeof topics / sizeof *topics };

typedef void each_option(const struct option *o, void *ctx);

/* Every flag of a topic (NULL: of all), the server's own first. */
static void each(const char *topic, each_option *f, void *ctx)
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

static void add_wrapped(struct buf *out, const char *text)
{
    enum { INDENT = 6, WIDTH = 84 };
    struct view rest = view_of(text), word;
    size_t column = WIDTH;

    while (view_split(&rest, ' ', &word)) {
        if (column + 1 + word.n > WIDTH) {
            buf_fmt(out, "%s%*s", out->n && out->p[out->n - 1] != '\n' ? "\n" : "",
                    INDENT, "");
            column = INDENT;
        } else {
            buf_char(out, ' ');
            column++;
        }
        buf_view(out, word);
        column += word.n;
    }
    buf_char(out, '\n');
}

static void add_plain(const struct option *o, void *ctx)
{
    struct buf *out = ctx, text = { 0 };

    buf_str(out, "  ");
    add_spelled(out, o);
    buf_char(out, '\n');
    buf_str(&text, o->help);
    if (o->preset)
        buf_fmt(&text, " [%s]", o->preset);
    if (o->env) {
        buf_str(&text, " ($");
        add_variables(&text, o->env, "");
        buf_char(&text, ')');
    }
    buf_char(&text, '\0');
    add_wrapped(out, text.p);
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
    buf_str(
        out,
        "encode_exporter - what video encodes cost, and how good they are, for "
        "Prometheus\n\n"
        "usage: encode_exporter [--flag value | --flag=value]...\n\n"
        "  encode_exporter --results-dir ./test_results\n"
        "      watches that directory; serves results on :9502, QoE on :9503, cost "
        "on :9504\n"
        "  encode_exporter --results-dir DIR --once all\n"
        "      prints everything once\n"
        "  encode_exporter predict --results-dir DIR --resolution 1920x1080 --fps 30 "
        "--bitrate 4M\n"
        "      prints what such an encode is expected to cost, and how good it "
        "will be\n\n"
        "--help TOPIC shows the flags of a topic, --help all every flag:\n");
    for (size_t i = 0; i < TOPICS; i++)
        buf_fmt(out, "  %-10s%s\n", topics[i].name, topics[i].what);
    buf_str(out,
            "\n--version prints version, revision, compiler and libraries. A flag wins "
            "over its\nenvironment variable, that wins over the default.\n");
}

static void add_prompt(struct buf *out)
{
    buf_str(
        out,
        "\nencode_exporter predict: one question to the models of a directory\n"
        "  Prints power, CPU time, quality, cost and CO2 to be expected of an encode, "
        "with\n"
        "  intervals and a table of bit rates; flags of inputs and prices apply. Exit "
        "status 1:\n"
        "  the data can say nothing of it, 2: wrong flags.\n");
    for (const struct option *o = prompt_options; o->name; o++)
        add_plain(o, out);
}

bool config_help(const char *topic, struct buf *out)
{
    if (!topic) {
        add_overview(out);
        return true;
    }
    if (strcmp(topic, "markdown") == 0) {
        buf_str(out, "| flag | environment | default | |\n| --- | --- | --- | --- |\n");
        each(NULL, add_row, out);
        return true;
    }

    bool known = false;

    for (size_t i = 0; i < TOPICS; i++) {
        if (strcmp(topic, "all") != 0 && strcmp(topic, topics[i].name) != 0)
            continue;
        known = true;
        buf_fmt(out, "%s: %s\n", topics[i].name, topics[i].what);
        each(topics[i].name, add_plain, out);
        if (strcmp(topics[i].name, "predict") == 0)
            add_prompt(out);
    }
    if (known)
        buf_str(out,
                "(in brackets the default, in parentheses the environment variable)\n");
    return known;
}
