#include "server/record/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/arena.h"
#include "core/buf.h"
#include "core/json.h"
#include "server/record/arguments.h"

enum { TEXT_MAX = 64 * 1024, LIMIT_MS = 5000 };

/* ---- the answer -------------------------------------------------------------------- */

static struct view text_of(const struct json_value *object, const char *key)
{
    const struct json_value *v = object ? json_member(object, view_of(key)) : NULL;

    return v && v->type == JSON_STRING ? json_text(v) : (struct view){ NULL, 0 };
}

static double side_of(const struct json_value *object, const char *key)
{
    const struct json_value *v = json_member(object, view_of(key));

    return v && v->type == JSON_NUMBER && v->number >= 1 && v->number < 1e6 ? v->number
                                                                            : NAN;
}

/* "10.000000"; also "N/A". */
static double seconds_of(const struct json_value *object)
{
    struct view text = text_of(object, "duration");
    char copy[40], *end;

    if (text.n == 0 || text.n >= sizeof copy)
        return NAN;
    memcpy(copy, text.p, text.n);
    copy[text.n] = '\0';

    double value = strtod(copy, &end);

    return *end == '\0' && value > 0 && value < 1e9 ? value : NAN;
}

static bool take(const struct json_value *root, struct probe *out)
{
    const struct json_value *streams = json_member(root, VIEW("streams")), *video;
    struct view codec;

    if (!streams || streams->type != JSON_ARRAY || streams->n == 0 ||
        streams->items[0].type != JSON_OBJECT)
        return false;
    video = &streams->items[0];
    out->width = side_of(video, "width");
    out->height = side_of(video, "height");
    out->fps = picture_rate(text_of(video, "avg_frame_rate"));
    out->media_s = seconds_of(video);
    if (isnan(out->media_s))
        out->media_s = seconds_of(json_member(root, VIEW("format")));
    codec = text_of(video, "codec_name");
    if (codec.n < sizeof out->codec)
        snprintf(out->codec, sizeof out->codec, "%.*s", VIEW_ARG(codec));
    return true;
}

bool probe_parse(struct view json, struct probe *out)
{
    struct json_parser *parser = json_parser_new();
    const struct json_value *root;
    struct arena mem = { 0 };
    struct err e;
    bool good;

    *out = (struct probe){ NAN, NAN, NAN, NAN, "" };
    good = json_parse(parser, json, &mem, &root, &e) == 0 && take(root, out);
    arena_deinit(&mem);
    json_parser_free(parser);
    return good;
}

/* ---- the question ------------------------------------------------------------------ */

static void name_program(const char *ffmpeg, char name[PATH_MAX])
{
    const char *slash = strrchr(ffmpeg, '/');
    int n = slash ? (int)(slash - ffmpeg) + 1 : 0;

    snprintf(name, PATH_MAX, "%.*sffprobe", n, ffmpeg);
}

static _Noreturn void ask(const char *program, const char *url, int to,
                          const sigset_t *mask)
{
    int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);

    sigprocmask(SIG_SETMASK, mask, NULL);
    if (nothing >= 0 && dup2(nothing, 0) == 0 && dup2(to, 1) == 1 &&
        dup2(nothing, 2) == 2)
        execlp(program, program, "-v", "error", "-protocol_whitelist", "file",
               "-select_streams", "v:0", "-show_entries",
               "stream=codec_name,width,height,avg_frame_rate,duration:format=duration",
               "-of", "json", url, (char *)NULL);
    _exit(127);
}

static double now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

/* Until the end of it; false: too much, or too late. */
static bool read_answer(int fd, struct buf *text)
{
    struct pollfd p = { .fd = fd, .events = POLLIN };
    double until = now_ms() + LIMIT_MS;
    char bytes[4096];

    for (;;) {
        double left = until - now_ms();
        ssize_t n;

        if (left <= 0 || text->n > TEXT_MAX)
            return false;
        if (poll(&p, 1, (int)left + 1) <= 0)
            continue;
        n = read(fd, bytes, sizeof bytes);
        if (n <= 0)
            return n == 0;
        buf_add(text, bytes, (size_t)n);
    }
}

bool probe_file(const char *ffmpeg, const char *file, const sigset_t *mask,
                struct probe *out)
{
    char program[PATH_MAX];
    struct buf url = { 0 }, text = { 0 };
    int ends[2], status = -1;
    bool good;
    pid_t pid;

    if (pipe2(ends, O_CLOEXEC) < 0)
        return false;
    name_program(ffmpeg, program);
    buf_fmt(&url, "file:%s", file);
    buf_char(&url, '\0');
    pid = fork();
    if (pid == 0)
        ask(program, url.p, ends[1], mask);
    close(ends[1]);
    good = pid > 0 && read_answer(ends[0], &text);
    close(ends[0]);
    if (pid > 0 && !good)
        kill(pid, SIGKILL);
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    good = good && status == 0 && probe_parse(buf_as_view(&text), out);
    buf_deinit(&url);
    buf_deinit(&text);
    return good;
}
