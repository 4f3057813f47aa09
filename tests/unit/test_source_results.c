#include "server/sources/source_results.h"
#include "server/log.h"

#include <errno.h>

#include "scratch.h"

/* A source, the store behind it, and what the sink was told. */
static struct {
    uv_loop_t loop;
    struct store *store;
    struct self *self;
    struct source_results *source;
    unsigned changed, settled, done, stop_at_settled;
    uint64_t seen_ns;
} t;

static void on_changed(void *ctx, const struct diff *d)
{
    (void)ctx;
    (void)d;
    t.changed++;
}

static void on_settled(void *ctx, uint64_t seen_ns)
{
    (void)ctx;
    t.settled++;
    t.seen_ns = seen_ns;
    if (t.stop_at_settled == t.settled) {
        source_results_stop(t.source);
        t.source = NULL;
    }
}

static void on_done(void *ctx)
{
    (void)ctx;
    t.done++;
}

static void begin(enum watch_mode mode, uint32_t runs)
{
    const struct source_results_options o = { .dir = scratch_path("d"),
                                              .watch = mode,
                                              .poll_interval_ms = 20,
                                              .max_file_size = 1 << 20 };
    const struct source_sink sink = { NULL, NULL, on_changed, on_settled };

    t.store = store_new(&(struct store_rules){ .runs = runs });
    t.source = source_results_start(&t.loop, &o, t.store, t.self, &sink);
}

static int setup(void **state)
{
    memset(&t, 0, sizeof t);
    uv_loop_init(&t.loop);
    t.self = self_new("0", "0");
    int rc = scratch_setup(state);

    if (rc == 0)
        scratch_mkdir("d");
    return rc;
}

static int teardown(void **state)
{
    source_results_stop(t.source);
    uv_run(&t.loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&t.loop), 0);
    store_free(t.store);
    self_free(t.self);
    return scratch_teardown(state);
}

static void wait_for(const unsigned *count)
{
    uint64_t end = uv_hrtime() + 20 * (uint64_t)1000000000;
    unsigned before = *count;

    while (*count == before && uv_hrtime() < end)
        uv_run(&t.loop, UV_RUN_NOWAIT);
    assert_true(*count > before);
}

static void write_run(int number, const char *scenarios)
{
    char name[64];

    snprintf(name, sizeof name, "d/test_results_%06d.json", number);
    scratch_write(name, scenarios);
}

static uint64_t scenarios_served(void)
{
    return store_served(t.store)->scenario_count;
}

static void the_first_scan_settles_even_if_there_is_nothing(void **state)
{
    (void)state;
    begin(WATCH_INOTIFY, 1);
    assert_false(source_results_ready(t.source));
    source_results_rescan(t.source, on_done, NULL);
    wait_for(&t.done);
    assert_int_equal(t.settled, 1);
    assert_int_equal(t.seen_ns, 0);
    assert_int_equal(t.changed, 0);
    assert_true(source_results_ready(t.source));
    assert_string_equal(source_results_state(t.source), "");
}

static void a_missing_directory_counts_as_scanned(void **state)
{
    (void)state;
    rmdir(scratch_path("d"));
    begin(WATCH_INOTIFY, 1);
    wait_for(&t.settled);
    assert_true(source_results_ready(t.source));
    assert_non_null(strstr(source_results_state(t.source), "does not exist"));
}

static void with_the_newest_run_alone_only_one_file_is_read(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++)
        write_run(i, "[{\"name\":\"x\"}]");
    scratch_write("d/other", "");
    begin(WATCH_INOTIFY, 1);
    wait_for(&t.settled);
    assert_int_equal(t.changed, 1);
    assert_int_equal(scenarios_served(), 1);
    assert_int_equal(store_count(t.store).other, 99);
    assert_int_equal(source_results_ignored(t.source), 1);
}

static void many_files_at_start_are_read_before_it_is_ready(void **state)
{
    (void)state;
    for (int i = 0; i < 500; i++)
        write_run(i, "[{\"name\":\"x\"},{\"name\":\"y\"}]");
    begin(WATCH_INOTIFY, 0);
    wait_for(&t.settled);
    assert_int_equal(t.settled, 1);
    assert_int_equal(t.changed, 500);
    assert_int_equal(scenarios_served(), 1000);
}

static void an_event_settles_with_the_time_it_was_seen(void **state)
{
    (void)state;
    begin(WATCH_INOTIFY, 0);
    wait_for(&t.settled);

    uint64_t before = uv_hrtime();

    write_run(1, "[{\"name\":\"x\"}]");
    while (scenarios_served() == 0)
        wait_for(&t.settled);
    assert_true(t.seen_ns >= before && t.seen_ns <= uv_hrtime());
    unlink(scratch_path("d/test_results_000001.json"));
    wait_for(&t.settled);
    assert_int_equal(scenarios_served(), 0);
}

static void a_bad_file_keeps_its_last_content_and_has_a_reason(void **state)
{
    (void)state;
    write_run(1, "[{\"name\":\"x\"}]");
    begin(WATCH_INOTIFY, 0);
    wait_for(&t.settled);
    assert_null(source_results_problem(t.source, VIEW("test_results_000001")));
    write_run(1, "[{\"name\":\"x\"");
    while (!source_results_problem(t.source, VIEW("test_results_000001")))
        wait_for(&t.settled);
    assert_int_equal(scenarios_served(), 1);
    assert_false(store_served(t.store)->newest_ok);
    write_run(1, "[{\"name\":\"x\"},{\"name\":\"y\"}]");
    while (source_results_problem(t.source, VIEW("test_results_000001")))
        wait_for(&t.settled);
    assert_int_equal(scenarios_served(), 2);
    assert_null(source_results_problem(t.source, VIEW("no such run")));
}

static void a_rescan_ends_after_what_it_found_was_read(void **state)
{
    (void)state;
    begin(WATCH_POLL, 0);
    wait_for(&t.settled);
    for (int i = 0; i < 50; i++)
        write_run(i, "[{\"name\":\"x\"}]");
    source_results_rescan(t.source, on_done, NULL);
    source_results_rescan(t.source, on_done, NULL);
    source_results_rescan(t.source, NULL, NULL);
    wait_for(&t.done);
    assert_int_equal(t.done, 2);
    assert_int_equal(scenarios_served(), 50);
}

static void polling_finds_what_changed_and_what_went(void **state)
{
    (void)state;
    begin(WATCH_POLL, 0);
    assert_true(source_results_polling(t.source));
    wait_for(&t.settled);
    write_run(1, "[{\"name\":\"x\"}]");
    write_run(2, "[{\"name\":\"x\"}]");
    while (scenarios_served() != 2)
        wait_for(&t.settled);
    write_run(1, "[{\"name\":\"x\"},{\"name\":\"y\"}]");
    unlink(scratch_path("d/test_results_000002.json"));
    while (scenarios_served() != 2 || store_get(t.store, VIEW("test_results_000002")))
        wait_for(&t.settled);
    assert_int_equal(t.seen_ns, 0);
}

static void it_can_be_stopped_at_any_moment(void **state)
{
    (void)state;
    for (int i = 0; i < 300; i++)
        write_run(i, "[{\"name\":\"x\"}]");
    begin(WATCH_INOTIFY, 0);

    /* One more turn of the loop each time: before the scan, while it runs, while it is
     * applied, while the pool reads. Whatever was under way ends without a leak. */
    for (int turns = 0; turns < 40; turns++) {
        for (int i = 0; i < turns; i++)
            uv_run(&t.loop, UV_RUN_NOWAIT);
        source_results_rescan(t.source, on_done, NULL);
        source_results_stop(t.source);
        t.source = NULL;

        unsigned settled = t.settled, changed = t.changed;

        uv_run(&t.loop, UV_RUN_DEFAULT);
        assert_int_equal(t.settled, settled);
        assert_int_equal(t.changed, changed);
        store_free(t.store);
        begin(WATCH_INOTIFY, 0);
    }
}

static void it_can_be_stopped_from_its_own_callback(void **state)
{
    (void)state;
    write_run(1, "[{\"name\":\"x\"}]");
    t.stop_at_settled = 1;
    begin(WATCH_INOTIFY, 0);
    source_results_rescan(t.source, on_done, NULL);
    uv_run(&t.loop, UV_RUN_DEFAULT);
    assert_null(t.source);
    assert_int_equal(t.settled, 1);
    assert_int_equal(t.done, 0);
}

int main(void)
{
    log_configure(LOG_ERROR, false);
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(the_first_scan_settles_even_if_there_is_nothing),
        TEST(a_missing_directory_counts_as_scanned),
        TEST(with_the_newest_run_alone_only_one_file_is_read),
        TEST(many_files_at_start_are_read_before_it_is_ready),
        TEST(an_event_settles_with_the_time_it_was_seen),
        TEST(a_bad_file_keeps_its_last_content_and_has_a_reason),
        TEST(a_rescan_ends_after_what_it_found_was_read),
        TEST(polling_finds_what_changed_and_what_went),
        TEST(it_can_be_stopped_at_any_moment),
        TEST(it_can_be_stopped_from_its_own_callback),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
