/*
 * fuzz_record.c - the first line is a results file, the others the words of a command: what is
 * written of the command is JSON, what is added to a file that is one leaves it one, with one
 * scenario more, and the second time no other. The whole is read as ffprobe's answer, too.
 */
#include "core/arena.h"
#include "core/json.h"
#include "server/record/entry.h"
#include "server/record/probe.h"
#include "server/record/splice.h"

#include <math.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { WORDS_MAX = 200 };

static void require(bool holds)
{
    if (!holds)
        abort();
}

/* Number of scenarios; the text has to be a results file. */
static size_t scenarios(struct view text)
{
    struct json_parser *p = json_parser_new();
    const struct json_value *root, *list;
    struct arena mem = { 0 };
    struct err e;
    size_t n;

    require(json_parse(p, text, &mem, &root, &e) == 0);
    list = root->type == JSON_OBJECT ? json_member(root, VIEW("scenarios")) : root;
    require(list && list->type == JSON_ARRAY);
    n = list->n;
    arena_deinit(&mem);
    json_parser_free(p);
    return n;
}

static void write_entry(struct arguments *a, bool ffmpeg, struct view name, bool runs,
                        struct buf *out)
{
    const struct record_config config = { 0 };
    const struct entry t = { .config = &config,
                             .arguments = ffmpeg ? a : NULL,
                             .name = name,
                             .source = ffmpeg ? a->input : name,
                             .recorder = runs ? VIEW("host/7/1.5") : VIEW(""),
                             .cpu_core_s = NAN,
                             .media_s = NAN,
                             .frames = 3,
                             .dropped_frames = NAN,
                             .bitrate_kbps = 1.5 };

    entry_write(&t, out);
}

static void add_twice(struct view text, struct arguments *a, bool ffmpeg,
                      struct view name)
{
    struct buf first = { 0 }, second = { 0 }, once = { 0 }, twice = { 0 };
    struct view mark = VIEW("host/7/1.5"), drop = VIEW(ENTRY_RECORDING);
    struct err e;

    write_entry(a, ffmpeg, name, true, &first);
    write_entry(a, ffmpeg, name, false, &second);
    if (splice_entry(text, buf_as_view(&first), mark, drop, &once, &e) == 0) {
        size_t before = text.n ? scenarios(text) : 0, n = scenarios(buf_as_view(&once));
        bool there = text.n && memmem(text.p, text.n, mark.p, mark.n);

        require(n == before + 1 || (there && n == before));
        require(splice_entry(buf_as_view(&once), buf_as_view(&second), mark, drop,
                             &twice, &e) == 0);
        require(scenarios(buf_as_view(&twice)) == n);
    } else {
        require(once.n == 0);
    }
    buf_deinit(&first);
    buf_deinit(&second);
    buf_deinit(&once);
    buf_deinit(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct view rest = { (const char *)data, size }, text, word;
    char *argv[WORDS_MAX + 1] = { NULL };
    struct arguments a;
    struct probe p;
    size_t n = 0;

    if (probe_parse(rest, &p))
        require(!(p.width < 1) && !(p.height < 1) && !(p.fps <= 0) &&
                !(p.media_s <= 0));
    view_split(&rest, '\n', &text);
    while (n < WORDS_MAX && view_split(&rest, '\n', &word)) {
        argv[n] = malloc(word.n + 1);
        require(argv[n]);
        memcpy(argv[n], word.n ? word.p : "", word.n);
        argv[n++][word.n] = '\0';
    }
    if (n) {
        bool ffmpeg = arguments_read(argv, &a);

        add_twice(text, &a, ffmpeg, view_of(argv[n - 1]));
        arguments_file(view_of(argv[0]));
    }
    while (n)
        free(argv[--n]);
    return 0;
}
