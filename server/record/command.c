/*
 * command.c - one command, from its start to its end.
 *
 * The command goes first. It is started before anything is written, and whatever cannot be
 * recorded costs one line on stderr. While it runs its scenario stands in the results file
 * with a start and no end, so that the exporter follows it; at the end the figures replace
 * that.
 */
#include "server/record/record.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/mem.h"
#include "server/config.h"
#include "server/record/child.h"
#include "server/record/entry.h"
#include "server/record/ledger.h"
#include "server/record/probe.h"
#include "server/record/usage.h"
#include "server/record/watch.h"

/* Others hold the lock for some milliseconds each; at the end there is time to wait. */
static const double LOCK_START_S = 0.2, LOCK_END_S = 30;
/* Half of what --live.max-idle may sensibly be. */
static const double SIGN_S = 30;

struct recording {
    struct record_config config;
    struct arguments arguments;
    bool ffmpeg;
    char **argv; /* the command, with what is added */
    char *progress_url;
    struct ledger ledger;
    struct watch watch;
    struct child child;
    struct load load;
    struct entry entry;
    char recorder[300];
    char codec[sizeof((struct probe *)NULL)->codec];
    char output_path[PATH_MAX], reference_path[PATH_MAX];
    double from_s;   /* monotonic clock */
    bool complained; /* of the results file */
};

static double clock_s(clockid_t id)
{
    struct timespec t;

    clock_gettime(id, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void complain(const char *what, const char *why)
{
    fprintf(stderr, "encode_exporter: record: %s%s\n", what, why);
}

static const char *variable(const char *name)
{
    return getenv(name);
}

/* ---- what is known before the start ------------------------------------------------ */

static struct view base_name(struct view path)
{
    const char *slash = path.n ? memrchr(path.p, '/', path.n) : NULL;

    return slash ? view_skip(path, (size_t)(slash - path.p) + 1) : path;
}

static struct view without_suffix(struct view name)
{
    const char *dot = name.n ? memrchr(name.p, '.', name.n) : NULL;

    if (dot && dot > name.p)
        name.n = (size_t)(dot - name.p);
    return name;
}

static struct view name_of(const struct recording *r)
{
    struct view name = view_of(r->config.name);

    if (name.n)
        return name;
    if (r->ffmpeg)
        name = without_suffix(base_name(arguments_file(r->arguments.outputs[0].url)));
    return name.n ? name : base_name(view_of(r->config.command[0]));
}

static bool is_regular(struct view path)
{
    struct stat st;

    return path.n && stat(path.p, &st) == 0 && S_ISREG(st.st_mode);
}

/* The file relative to the results directory; empty: it lies elsewhere. */
static struct view inside(const struct recording *r, struct view file,
                          char path[PATH_MAX])
{
    char dir[PATH_MAX];
    size_t n;

    if (!is_regular(file) || !realpath(r->config.results_dir, dir) ||
        !realpath(file.p, path))
        return (struct view){ NULL, 0 };
    n = strlen(dir);
    if (strncmp(path, dir, n) != 0 || path[n] != '/')
        return (struct view){ NULL, 0 };
    return view_of(path + n + 1);
}

static void know_input(struct recording *r)
{
    enum { SOURCE_MAX = 256 };
    struct view file = arguments_file(r->arguments.input);

    /* Another address may hold a password. */
    if (base_name(file).n <= SOURCE_MAX)
        r->entry.source = base_name(file);
    r->entry.reference = inside(r, file, r->reference_path);
}

/* Whoever writes an entry is told apart by where and when it was started. */
static void name_recorder(struct recording *r)
{
    char host[256] = "localhost";

    gethostname(host, sizeof host - 1);
    for (char *c = host; *c; c++)
        if (*c <= ' ' || *c == '"' || *c == '\\' || *c > '~')
            *c = '_';
    snprintf(r->recorder, sizeof r->recorder, "%s/%ld/%.6f", host, (long)getpid(),
             r->entry.start_s);
    r->entry.recorder = view_of(r->recorder);
}

static void begin(struct recording *r)
{
    struct entry *t = &r->entry;

    r->ffmpeg = arguments_read(r->config.command, &r->arguments);
    *t = (struct entry){ .config = &r->config,
                         .arguments = r->ffmpeg ? &r->arguments : NULL,
                         .name = name_of(r),
                         .start_s = clock_s(CLOCK_REALTIME),
                         .end_s = NAN,
                         .duration_s = NAN,
                         .now_s = NAN,
                         .cpu_core_s = NAN,
                         .media_s = NAN,
                         .frames = NAN,
                         .dropped_frames = NAN,
                         .bitrate_kbps = NAN };
    r->from_s = clock_s(CLOCK_MONOTONIC);
    load_init(&r->load);
    name_recorder(r);
    if (r->ffmpeg)
        know_input(r);
}

/* The command's words, with -progress behind ffmpeg where that can be asked. */
static void make_argv(struct recording *r)
{
    size_t n = 0, at = 0, program = r->arguments.program;
    char url[32];

    r->argv = r->config.command;
    watch_nothing(&r->watch);
    if (!r->ffmpeg || r->arguments.progress || r->config.no_progress)
        return;
    watch_open(&r->watch, r->ledger.dir, r->entry.name);
    if (r->watch.fd < 0)
        return;
    snprintf(url, sizeof url, "pipe:%d", r->watch.fd);
    r->progress_url = mem_strdup(url);
    while (r->config.command[n])
        n++;
    r->argv = mem_alloc((n + 3) * sizeof *r->argv);
    for (size_t i = 0; i < n; i++) {
        r->argv[at++] = r->config.command[i];
        if (i == program) {
            static char flag[] = "-progress";

            r->argv[at++] = flag;
            r->argv[at++] = r->progress_url;
        }
    }
    r->argv[at] = NULL;
}

/* ---- while it runs ----------------------------------------------------------------- */

static int put(struct recording *r, double wait_s, bool dry, struct err *e)
{
    struct buf text = { 0 };
    int rc;

    r->entry.now_s = clock_s(CLOCK_REALTIME);
    entry_write(&r->entry, &text);
    rc = ledger_put(&r->ledger, buf_as_view(&text), view_of(r->recorder),
                    VIEW(ENTRY_RECORDING), wait_s, dry, e);
    buf_deinit(&text);
    return rc;
}

static void put_running(struct recording *r)
{
    struct err e = { 0 };

    if (put(r, LOCK_START_S, false, &e) == 0 || r->complained || e.code == -ETIMEDOUT)
        return;
    complain("not recorded yet: ", e.text);
    r->complained = true;
}

static void follow(struct recording *r)
{
    double sample_s = r->load.interval_s, sign_s = SIGN_S;

    put_running(r);
    while (!r->child.gone) {
        double now_s = clock_s(CLOCK_MONOTONIC) - r->from_s;

        child_wait(&r->child, sample_s - now_s);
        now_s = clock_s(CLOCK_MONOTONIC) - r->from_s;
        if (now_s >= sample_s && !r->child.gone) {
            load_add(&r->load, now_s, r->child.waited_s + usage_below(getpid()));
            watch_read(&r->watch);
            sample_s = now_s + r->load.interval_s;
        }
        if (now_s >= sign_s && !r->child.gone) {
            put_running(r);
            sign_s = now_s + SIGN_S;
        }
    }
}

/* ---- at the end -------------------------------------------------------------------- */

/* Bytes of the only output: as ffmpeg counted them, else those of its file. */
static double output_bytes(const struct recording *r, struct view file)
{
    struct stat st;

    if (!isnan(r->watch.total_bytes))
        return r->watch.total_bytes;
    return is_regular(file) && stat(file.p, &st) == 0 ? (double)st.st_size : NAN;
}

/* What the command line leaves open, from the file that it made. */
static void know_output(struct recording *r, struct view file)
{
    struct argument_output *o = &r->arguments.outputs[0];
    struct probe p;

    if (r->config.no_probe || child_status(&r->child) != 0 || !is_regular(file) ||
        !probe_file(r->config.command[r->arguments.program], file.p, &r->child.before,
                    &p))
        return;
    if (!isnan(p.media_s))
        r->entry.media_s = p.media_s;
    if (!o->resolution[0] && p.width > 0 && p.height > 0)
        snprintf(o->resolution, sizeof o->resolution, "%.0fx%.0f", p.width, p.height);
    if (isnan(o->fps))
        o->fps = p.fps;
    memcpy(r->codec, p.codec, sizeof r->codec);
    if (!*o->codec)
        o->codec = r->codec;
}

static void know_progress(struct recording *r)
{
    struct entry *t = &r->entry;
    struct view file;

    watch_read(&r->watch);
    if (r->watch.seen) {
        t->media_s = r->watch.out_time_s > 0 ? r->watch.out_time_s : NAN;
        t->frames = r->watch.frames;
    }
    if (r->arguments.output_count != 1)
        return;
    file = arguments_file(r->arguments.outputs[0].url);
    t->output = inside(r, file, r->output_path);
    /* With -r frames are dropped to get another rate, and nothing is lost. */
    if (r->watch.seen && !r->arguments.outputs[0].rate_forced)
        t->dropped_frames = r->watch.drop_frames;
    know_output(r, file);
    if (t->media_s > 0)
        t->bitrate_kbps = output_bytes(r, file) * 8 / t->media_s / 1000;
}

static int put_ended(struct recording *r, struct err *e)
{
    int rc = put(r, LOCK_END_S, false, e);

    if (rc == 0)
        return 0;
    if (!r->ledger.shared || r->ledger.dir < 0)
        return rc;
    complain("", e->text);
    ledger_own(&r->ledger, (time_t)r->entry.start_s);
    rc = put(r, LOCK_END_S, false, e);
    if (rc == 0)
        fprintf(stderr, "encode_exporter: record: recorded in %s/%s instead\n",
                r->ledger.path, r->ledger.file);
    return rc;
}

static int finish(struct recording *r)
{
    static double means[LOAD_POINTS_MAX];
    struct entry *t = &r->entry;
    struct err e = { 0 };

    t->duration_s = clock_s(CLOCK_MONOTONIC) - r->from_s;
    t->end_s = clock_s(CLOCK_REALTIME);
    t->exit_status = child_status(&r->child);
    t->cpu_core_s = r->child.waited_s;
    t->core_count =
        load_means(&r->load, t->duration_s, t->cpu_core_s, means, &t->step_s);
    t->cores = means;
    if (r->ffmpeg)
        know_progress(r);
    t->recorder = (struct view){ NULL, 0 };
    if (put_ended(r, &e) == 0)
        return 0;
    complain("not recorded: ", e.text);
    return -1;
}

/* ---- the whole --------------------------------------------------------------------- */

static int not_started(const struct recording *r, int code)
{
    fprintf(stderr, "encode_exporter: record: %s: %s\n", r->argv[0], strerror(-code));
    return code == -ENOENT ? RECORD_NOT_FOUND : RECORD_NOT_RUN;
}

static int run(struct recording *r)
{
    int rc = child_start(&r->child, r->argv, r->watch.fd);

    if (rc < 0)
        return not_started(r, rc);
    follow(r);
    if (finish(r) < 0 && r->config.strict && child_status(&r->child) == 0)
        return RECORD_FAILED;
    return child_end_alike(&r->child);
}

static int record(struct recording *r)
{
    struct err e = { 0 };
    int rc;

    begin(r);
    rc = ledger_open(&r->ledger, r->config.results_dir, r->config.run,
                     (time_t)r->entry.start_s, &e);
    if (r->config.strict && (rc < 0 || put(r, LOCK_END_S, true, &e) < 0)) {
        complain("not run: ", e.text);
        rc = RECORD_FAILED;
    } else {
        make_argv(r);
        rc = run(r);
        if (r->progress_url)
            watch_close(&r->watch);
        free(r->progress_url);
        if (r->argv != r->config.command)
            free(r->argv);
    }
    ledger_close(&r->ledger);
    return rc;
}

static int print_help(void)
{
    struct buf text = { 0 };
    int rc = RECORD_FAILED;

    if (config_help("record", &text) && fwrite(text.p, 1, text.n, stdout) == text.n &&
        fflush(stdout) == 0)
        rc = 0;
    buf_deinit(&text);
    return rc;
}

int record_command(int argc, char **argv)
{
    struct recording *r = mem_zalloc(sizeof *r);
    struct err e = { 0 };
    int rc = RECORD_FAILED;

    if (record_config_read(&r->config, argc, argv, variable, &e) < 0)
        fprintf(stderr, "encode_exporter: %s\n", e.text);
    else
        rc = r->config.help ? print_help() : record(r);
    free(r);
    return rc;
}
