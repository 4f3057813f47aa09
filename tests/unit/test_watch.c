#include "server/sources/watch.h"
#include "server/sources/filewatch.h"
#include "server/log.h"

#include <errno.h>
#include <linux/magic.h>

#include "scratch.h"

/* What a watch told, and a loop that runs until something is true. */
struct seen {
    uv_loop_t loop;
    unsigned names, wheres, turns, ticks, changed;
    char name[256];
    uint32_t mask;
    struct watch_where where;
};

static struct seen seen;

static void on_name(void *ctx, struct view name, uint32_t mask)
{
    struct seen *s = ctx;

    s->names++;
    snprintf(s->name, sizeof s->name, "%.*s", VIEW_ARG(name));
    s->mask = mask;
}

static void on_lost(void *ctx)
{
    (void)ctx;
}

static void on_where(void *ctx, const struct watch_where *w)
{
    struct seen *s = ctx;

    s->wheres++;
    s->where = *w;
}

static void on_tick(void *ctx)
{
    struct seen *s = ctx;

    s->ticks++;
}

static void on_turn(void *ctx, uint64_t seen_ns)
{
    struct seen *s = ctx;

    assert_true(seen_ns > 0 && seen_ns <= uv_hrtime());
    s->turns++;
}

static void on_changed(void *ctx)
{
    struct seen *s = ctx;

    s->changed++;
}

static const struct watch_events events = { .ctx = &seen,
                                            .name = on_name,
                                            .lost = on_lost,
                                            .where = on_where,
                                            .tick = on_tick,
                                            .turn = on_turn };

static int setup(void **state)
{
    memset(&seen, 0, sizeof seen);
    uv_loop_init(&seen.loop);
    return scratch_setup(state);
}

static int teardown(void **state)
{
    uv_run(&seen.loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&seen.loop), 0);
    return scratch_teardown(state);
}

/* Runs the loop until the count has grown, 10 s at most. */
static void wait_for(const unsigned *count)
{
    uint64_t end = uv_hrtime() + 10 * (uint64_t)1000000000;
    unsigned before = *count;

    while (*count == before && uv_hrtime() < end)
        uv_run(&seen.loop, UV_RUN_NOWAIT);
    assert_true(*count > before);
}

/* What is under way is told; nothing of it may be of this kind. */
static void wait_and_see_none(const unsigned *count, const unsigned *of)
{
    unsigned before = *of;

    wait_for(count);
    assert_int_equal(*of, before);
}

static struct watch *start(const char *path, struct watch_where *where)
{
    return watch_start(&seen.loop, path, CHAIN_DIRECTORY, WATCH_INOTIFY, 1000, &events,
                       where);
}

static void a_close_after_writing_is_told_with_its_name(void **state)
{
    (void)state;
    struct watch_where where;
    struct watch *w = start(scratch, &where);

    assert_int_equal(where.rc, 0);
    assert_true(where.moved);
    assert_false(watch_polling(w));
    scratch_write("a b\n.json", "x");
    wait_for(&seen.turns);
    assert_string_equal(seen.name, "a b\n.json");
    assert_true(seen.mask & IN_CLOSE_WRITE);
    assert_int_equal(seen.wheres, 0);
    watch_stop(w);
}

static void a_directory_that_appears_is_found_however_deep(void **state)
{
    (void)state;
    struct watch_where where;
    struct watch *w = start(scratch_path("a/b/c"), &where);

    assert_int_equal(where.rc, -ENOENT);
    assert_non_null(strstr(where.reason, "/a does not exist"));
    scratch_mkdir("a");
    wait_for(&seen.wheres);
    assert_int_equal(seen.where.rc, -ENOENT);
    assert_non_null(strstr(seen.where.reason, "/a/b does not exist"));
    scratch_mkdir("a/b");
    scratch_mkdir("a/b/c");
    while (seen.where.rc < 0)
        wait_for(&seen.wheres);
    assert_true(seen.where.moved);
    scratch_write("a/b/c/x", "");
    wait_for(&seen.names);
    assert_string_equal(seen.name, "x");
    watch_stop(w);
}

static void a_directory_that_goes_is_told_and_its_old_events_are_not(void **state)
{
    (void)state;
    struct watch_where where;

    scratch_mkdir("d");

    struct watch *w = start(scratch_path("d"), &where);

    scratch_rename("d", "old");
    wait_for(&seen.wheres);
    assert_int_equal(seen.where.rc, -ENOENT);
    scratch_write("old/x", "");
    scratch_mkdir("d");
    wait_and_see_none(&seen.wheres, &seen.names);
    assert_int_equal(seen.where.rc, 0);
    assert_true(seen.where.moved);
    watch_stop(w);
}

static void a_swapped_link_leads_to_the_other_directory(void **state)
{
    (void)state;
    struct watch_where where;

    scratch_mkdir("one");
    scratch_mkdir("two");
    scratch_link("one", "d");
    scratch_link("two", "new");

    struct watch *w = start(scratch_path("d"), &where);

    assert_int_equal(where.rc, 0);
    scratch_rename("new", "d");
    wait_for(&seen.wheres);
    assert_true(seen.where.moved);
    scratch_write("one/x", "");
    scratch_write("two/y", "");
    wait_for(&seen.names);
    assert_string_equal(seen.name, "y");
    watch_stop(w);
}

static void what_others_do_beside_the_path_wakes_nobody(void **state)
{
    (void)state;
    struct watch_where where;

    scratch_mkdir("d");

    struct watch *w = start(scratch_path("d"), &where);

    scratch_write("beside", "x"); /* no event: nothing is missing on the way */
    scratch_write("d/x", "");
    wait_for(&seen.names);
    assert_string_equal(seen.name, "x");
    assert_int_equal(seen.wheres, 0);
    watch_stop(w);
}

static void a_path_through_itself_is_watched_once(void **state)
{
    (void)state;
    struct watch_where where;

    scratch_mkdir("d");
    scratch_link(".", "d/self");

    struct watch *w = start(scratch_path("d/self/../d/self"), &where);

    assert_int_equal(where.rc, 0);
    scratch_write("d/x", "");
    wait_for(&seen.names);
    assert_string_equal(seen.name, "x");
    unlink(scratch_path("d/self"));
    wait_for(&seen.wheres);
    assert_int_equal(seen.where.rc, -ENOENT);
    watch_stop(w);
}

static void paths_that_lead_to_no_directory_say_why(void **state)
{
    (void)state;
    struct watch_where where;

    scratch_write("file", "");
    scratch_link("circle", "circle");

    struct watch *w = start(scratch_path("file/x"), &where);

    assert_int_equal(where.rc, -ENOTDIR);
    assert_non_null(strstr(where.reason, "/file is not a directory"));
    watch_stop(w);
    w = start(scratch_path("circle"), &where);
    assert_int_equal(where.rc, -ELOOP);
    watch_stop(w);

    char name[400];

    memset(name, 'x', sizeof name);
    name[sizeof name - 1] = '\0';
    w = start(scratch_path(name), &where);
    assert_int_equal(where.rc, -ENAMETOOLONG);
    watch_stop(w);
}

static void polling_ticks_and_tells_nothing_else(void **state)
{
    (void)state;
    struct watch_where where;
    struct watch *w = watch_start(&seen.loop, scratch_path("no"), CHAIN_DIRECTORY,
                                  WATCH_POLL, 1, &events, &where);

    assert_int_equal(where.rc, 0);
    assert_true(watch_polling(w));
    wait_for(&seen.ticks);
    wait_for(&seen.ticks);
    assert_int_equal(seen.wheres + seen.names + seen.turns, 0);
    watch_stop(w);
}

static void file_systems_without_events_are_known(void **state)
{
    (void)state;
    assert_true(chain_is_network(NFS_SUPER_MAGIC));
    assert_true(chain_is_network(0xff534d42));
    assert_true(chain_is_network((uint64_t)(int64_t)(int32_t)0xff534d42));
    assert_true(chain_is_network(0x65735546));
    assert_false(chain_is_network(EXT4_SUPER_MAGIC));
    assert_false(chain_is_network(OVERLAYFS_SUPER_MAGIC));
    assert_false(chain_is_network(TMPFS_MAGIC));
}

/* ---- one file ------------------------------------------------------------------------ */

static struct filewatch *start_file(const char *path, enum watch_mode mode)
{
    return filewatch_start(&seen.loop, path, mode, 5, on_changed, &seen);
}

static void changes_of_a_file(enum watch_mode mode)
{
    scratch_write("f", "1");

    struct filewatch *f = start_file(scratch_path("f"), mode);

    scratch_write("f", "22");
    wait_for(&seen.changed);
    scratch_write("new", "333");
    scratch_rename("new", "f");
    wait_for(&seen.changed);
    unlink(scratch_path("f"));
    scratch_write("f", "4444");
    wait_for(&seen.changed);
    filewatch_stop(f);
}

static void a_file_rewritten_replaced_or_made_again_has_changed(void **state)
{
    (void)state;
    changes_of_a_file(WATCH_INOTIFY);
}

static void so_it_has_where_it_is_polled(void **state)
{
    (void)state;
    changes_of_a_file(WATCH_POLL);
}

static void swap_of_a_projected_file(enum watch_mode mode)
{
    scratch_mkdir("..1");
    scratch_mkdir("..2");
    scratch_write("..1/f", "one");
    scratch_write("..2/f", "two");
    scratch_link("..1", "..data");
    scratch_link("..data/f", "f");
    scratch_link("..2", "..tmp");

    struct filewatch *f = start_file(scratch_path("f"), mode);

    scratch_rename("..tmp", "..data");
    wait_for(&seen.changed);
    filewatch_stop(f);
}

static void a_swap_of_the_directory_behind_a_link_changes_the_file(void **state)
{
    (void)state;
    swap_of_a_projected_file(WATCH_INOTIFY);
}

static void so_it_does_where_it_is_polled(void **state)
{
    (void)state;
    swap_of_a_projected_file(WATCH_POLL);
}

static void the_target_of_a_link_in_another_directory_is_watched(void **state)
{
    (void)state;
    scratch_mkdir("elsewhere");
    scratch_write("elsewhere/f", "1");
    scratch_link("elsewhere/f", "link");

    struct filewatch *f = start_file(scratch_path("link"), WATCH_INOTIFY);

    scratch_write("elsewhere/f", "22");
    wait_for(&seen.changed);
    filewatch_stop(f);
}

static void what_happens_beside_a_file_does_not_change_it(void **state)
{
    (void)state;
    struct watch_where where;

    scratch_write("f", "1");

    struct filewatch *f = start_file(scratch_path("f"), WATCH_INOTIFY);
    struct watch *other = start(scratch, &where);

    scratch_write("g", "1");
    scratch_rename("g", "h");
    wait_and_see_none(&seen.turns, &seen.changed);
    filewatch_stop(f);
    watch_stop(other);
}

static void a_file_that_is_not_there_yet_changes_when_it_is_written(void **state)
{
    (void)state;
    struct filewatch *f = start_file(scratch_path("d/f"), WATCH_INOTIFY);

    scratch_mkdir("d");
    scratch_write("d/f", "1");
    wait_for(&seen.changed);
    filewatch_stop(f);
}

int main(void)
{
    log_configure(LOG_ERROR, false);
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_close_after_writing_is_told_with_its_name),
        TEST(a_directory_that_appears_is_found_however_deep),
        TEST(a_directory_that_goes_is_told_and_its_old_events_are_not),
        TEST(a_swapped_link_leads_to_the_other_directory),
        TEST(what_others_do_beside_the_path_wakes_nobody),
        TEST(a_path_through_itself_is_watched_once),
        TEST(paths_that_lead_to_no_directory_say_why),
        TEST(polling_ticks_and_tells_nothing_else),
        cmocka_unit_test(file_systems_without_events_are_known),
        TEST(a_file_rewritten_replaced_or_made_again_has_changed),
        TEST(so_it_has_where_it_is_polled),
        TEST(a_swap_of_the_directory_behind_a_link_changes_the_file),
        TEST(so_it_does_where_it_is_polled),
        TEST(the_target_of_a_link_in_another_directory_is_watched),
        TEST(what_happens_beside_a_file_does_not_change_it),
        TEST(a_file_that_is_not_there_yet_changes_when_it_is_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
