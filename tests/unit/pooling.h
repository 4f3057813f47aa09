/*
 * pooling.h - figures of real logs that were worked out elsewhere, beside ours.
 */
#ifndef TESTS_UNIT_POOLING_H
#define TESTS_UNIT_POOLING_H

#include "tests/unit/growing.h"

#include "core/frame_table.h"
#include "core/json.h"

static const double pooling_tolerance = 1e-6; /* of each figure */

static inline double pooling_number(const struct json_value *object, const char *key)
{
    const struct json_value *v = json_member(object, view_of(key));

    assert_non_null(v);
    assert_int_equal(v->type, JSON_NUMBER);
    return v->number;
}

static inline void pooling_near(double got, const struct json_value *object,
                                const char *key)
{
    double want = pooling_number(object, key);

    if (fabs(got - want) <= pooling_tolerance * fabs(want))
        return;
    print_error("%s: got %.17g, want %.17g\n", key, got, want);
    assert_true(false);
}

/* dir holds the figures and the logs. Calls check with every entry that has a log under this key, and the log's text. */
static inline void pooling_each(const char *dir, const char *log_key,
                                void (*check)(const struct json_value *entry,
                                              struct view log))
{
    struct json_parser *parser = json_parser_new();
    struct view text = sample_read(dir, "pooling.json");
    const struct json_value *document, *entries;
    struct arena mem = { 0 };
    struct err e;

    assert_int_equal(json_parse(parser, text, &mem, &document, &e), 0);
    entries = json_member(document, VIEW("entries"));
    assert_non_null(entries);
    assert_true(entries->n > 0);
    for (uint32_t i = 0; i < entries->n; i++) {
        const struct json_value *file =
            json_member(&entries->items[i], view_of(log_key));
        char name[256];
        struct view log;

        assert_non_null(file);
        snprintf(name, sizeof name, "%.*s", VIEW_ARG(json_text(file)));
        log = sample_read(dir, name);
        check(&entries->items[i], log);
        sample_free(log);
    }
    arena_deinit(&mem);
    sample_free(text);
    json_parser_free(parser);
}

#endif
