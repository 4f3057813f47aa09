#include "tests/unit/test.h"

#include "server/segment.h"

#include <stdlib.h>

static const char *no_variable(void *ctx, const char *name)
{
    (void)ctx;
    (void)name;
    return NULL;
}

struct fixture {
    struct config config;
    struct module_set *set;
    const struct run *run;
    struct segment_scratch scratch;
};

static void open_fixture(struct fixture *f)
{
    static char name[] = "encode_exporter";
    char *argv[] = { name };
    const struct scenario *all[3];
    struct err e = { 0 };

    *f = (struct fixture){ 0 };
    if (config_parse(&f->config, 1, argv, no_variable, NULL, &e) < 0 ||
        module_set_new(&f->config, false, &f->set, &e) < 0)
        fail_msg("%s", e.text);
    for (size_t i = 0; i < 3; i++) {
        struct scenario s = { .name = VIEW("x"), .streams = VIEW("1") };

        s.facts.duration_s = (double)i + 1;
        all[i] = scenario_new(&s);
    }
    f->run = run_new(VIEW("run"), all, 3);
}

static void close_fixture(struct fixture *f)
{
    run_unref(f->run);
    module_set_unref(f->set);
    segment_scratch_deinit(&f->scratch);
    config_deinit(&f->config);
}

static struct segment *render(struct fixture *f, int64_t mtime_ns,
                              struct segment *before)
{
    const struct piece piece = { f->run, 0, f->run->count, mtime_ns };
    struct segment *s = segment_new(&piece, 1, f->set, before);

    segment_render(s, &f->scratch, false);
    segment_settle(s);
    return s;
}

static struct view text_of(const struct segment *s, const char *name)
{
    for (size_t i = 0; i < registry_count; i++)
        for (size_t f = 0; f < registry[i]->family_count; f++) {
            const struct chunk *c = s->chunks[segment_family(i) + f];

            if (view_eq(view_of(registry[i]->families[f].name), view_of(name)))
                return c ? (struct view){ c->text, c->n } : VIEW("");
        }
    fail_msg("no family %s", name);
    return VIEW("");
}

#define MTIME "results_run_file_mtime_seconds"

static void what_is_said_of_a_run_comes_with_its_first_scenario(void **state)
{
    struct fixture f;
    struct segment *s;

    (void)state;
    open_fixture(&f);

    const struct piece rest = { f.run, 1, 2, 5000000000 };

    s = render(&f, 5000000000, NULL);
    assert_view(text_of(s, MTIME), MTIME "{run_id=\"run\"} 5\n");
    segment_unref(s);
    s = segment_new(&rest, 1, f.set, NULL);
    segment_render(s, &f.scratch, false);
    segment_settle(s);
    assert_view(text_of(s, MTIME), "");
    segment_unref(s);
    close_fixture(&f);
}

static void a_file_that_was_touched_renders_its_time_alone(void **state)
{
    struct fixture f;
    struct segment *before, *after;
    size_t kept = 0, made = 0;

    (void)state;
    open_fixture(&f);
    before = render(&f, 5000000000, NULL);

    const struct piece same = { f.run, 0, f.run->count, 5000000000 };
    const struct piece touched = { f.run, 0, f.run->count, 6000000000 };

    assert_true(segment_same(before, &same, 1, f.set));
    assert_false(segment_same(before, &touched, 1, f.set));
    after = render(&f, 6000000000, before);
    assert_true(after->redated);
    for (size_t i = 0; i < segment_families(); i++) {
        kept += after->chunks[i] && after->chunks[i] == before->chunks[i];
        made += after->chunks[i] && after->chunks[i] != before->chunks[i];
        assert_true(!after->chunks[i] == !before->chunks[i]);
    }
    assert_int_equal(made, 1);
    assert_true(kept > 1);
    assert_view(text_of(after, MTIME), MTIME "{run_id=\"run\"} 6\n");
    segment_unref(before);
    segment_unref(after);
    close_fixture(&f);
}

static void times_matter_only_where_they_are_served(void **state)
{
    struct fixture f;
    struct segment *s;

    (void)state;
    open_fixture(&f);

    const struct piece rest = { f.run, 1, 2, 5000000000 };
    const struct piece touched = { f.run, 1, 2, 6000000000 };

    s = segment_new(&rest, 1, f.set, NULL);
    segment_render(s, &f.scratch, false);
    segment_settle(s);
    assert_true(segment_same(s, &touched, 1, f.set));
    segment_unref(s);
    close_fixture(&f);
}

static void blocks_of_a_segment_lie_together(void **state)
{
    static char text[4096];
    struct chunk *last = NULL;
    size_t before = slab_bytes(), zbytes = 0;
    struct fixture f;
    struct segment *s, *again;

    (void)state;
    open_fixture(&f);

    const struct piece all = { f.run, 0, f.run->count, 5000000000 };

    s = segment_new(&all, 1, f.set, NULL);
    segment_render(s, &f.scratch, true);
    segment_settle(s);
    for (size_t i = 0; i < segment_families(); i++) {
        struct chunk *c = s->chunks[i];

        if (!c)
            continue;
        assert_null(c->text);
        assert_true(c->n <= sizeof text);
        assert_true(
            gzip_text(&f.scratch.gzip, (struct view){ c->z, c->zn }, text, c->n));
        assert_true(chunk_is(c, (struct view){ text, c->n }));
        if (last)
            assert_ptr_equal(c->z, last->z + last->zn);
        zbytes += c->zn;
        last = c;
    }
    assert_int_equal(slab_bytes() - before, zbytes);
    /* what came out the same stays where it is */
    again = segment_new(&all, 1, f.set, s);
    segment_render(again, &f.scratch, true);
    segment_settle(again);
    segment_unref(s);
    assert_int_equal(slab_bytes() - before, zbytes);
    segment_unref(again);
    assert_int_equal(slab_bytes(), before);
    close_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_said_of_a_run_comes_with_its_first_scenario),
        cmocka_unit_test(a_file_that_was_touched_renders_its_time_alone),
        cmocka_unit_test(times_matter_only_where_they_are_served),
        cmocka_unit_test(blocks_of_a_segment_lie_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
