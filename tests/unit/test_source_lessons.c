#include "server/sources/source_results.h"
#include "server/log.h"

#include "scratch.h"

/* A source, the store behind it, and what somebody learned from it. */
static struct {
    uv_loop_t loop;
    struct store *store;
    struct self *self;
    struct source_results *source;
    unsigned settled, all;
    char learned[1024]; /* ids in the order they came, each with its scenarios */
    unsigned digests;   /* made and not dropped */
} t;

/* The whole content would be too much to keep: how many scenarios, as a number on the heap. */
static const void *make(const struct run *run)
{
    uint32_t *n = malloc(sizeof *n);

    *n = run->count;
    __atomic_add_fetch(&t.digests, 1, __ATOMIC_RELAXED);
    return n;
}

static void drop(const void *digest)
{
    if (!digest)
        return;
    __atomic_sub_fetch(&t.digests, 1, __ATOMIC_RELAXED);
    free((void *)(uintptr_t)digest);
}

static void on_changed(void *ctx, const struct diff *d)
{
    (void)ctx;
    (void)d;
}

static void on_settled(void *ctx, uint64_t seen_ns)
{
    (void)ctx;
    (void)seen_ns;
    t.settled++;
}

static void on_learned(void *ctx, struct view id, const void *digest)
{
    size_t n = strlen(t.learned);

    (void)ctx;
    assert_true(t.settled > 0); /* what is served comes first */
    snprintf(t.learned + n, sizeof t.learned - n, "%s%.*s:%u", n ? " " : "", (int)2,
             id.p + id.n - 2, *(const uint32_t *)digest);
    drop(digest);
}

static void on_all(void *ctx)
{
    (void)ctx;
    t.all++;
}

static void begin(uint64_t lessons)
{
    const struct source_results_options o = { .dir = scratch_path("d"),
                                              .watch = WATCH_INOTIFY,
                                              .poll_interval_ms = 20,
                                              .max_file_size = 1 << 20 };
    const struct source_sink sink = { .changed = on_changed,
                                      .settled = on_settled,
                                      .digest = { make, drop },
                                      .learned = on_learned,
                                      .learned_all = on_all };

    t.store = store_new(&(struct store_rules){ .runs = 1, .lessons = lessons });
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
    assert_int_equal(t.digests, 0);
    store_free(t.store);
    self_free(t.self);
    return scratch_teardown(state);
}

static void wait_all(void)
{
    uint64_t end = uv_hrtime() + 20 * (uint64_t)1000000000;
    unsigned before = t.all;

    while (t.all == before && uv_hrtime() < end)
        uv_run(&t.loop, UV_RUN_NOWAIT);
    assert_true(t.all > before);
}

static void wait_learned(const char *want)
{
    uint64_t end = uv_hrtime() + 20 * (uint64_t)1000000000;

    while (strcmp(t.learned, want) != 0 && uv_hrtime() < end)
        uv_run(&t.loop, UV_RUN_NOWAIT);
    assert_string_equal(t.learned, want);
}

static void write_run(int number, unsigned scenarios)
{
    char name[64], text[1024] = "[";

    for (unsigned i = 0; i < scenarios; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text),
                 "%s{\"name\":\"s%u\"}", i ? "," : "", i);
    snprintf(text + strlen(text), sizeof text - strlen(text), "]");
    snprintf(name, sizeof name, "d/test_results_20260101_%06d.json", number);
    scratch_write(name, text);
}

/* The process's own families. */
static void assert_self(const char *line)
{
    const struct body *b = self_body(t.self, uv_hrtime());
    struct buf text = { 0 };

    for (uint32_t i = 0; i < b->chunk_count; i++)
        buf_add(&text, b->chunks[i]->text, b->chunks[i]->n);
    buf_char(&text, '\0');
    assert_non_null(strstr(text.p, line));
    buf_deinit(&text);
}

static void what_is_not_served_is_learned_from(void **state)
{
    (void)state;
    write_run(1, 3);
    write_run(2, 2);
    write_run(3, 1);
    begin(100);
    wait_all();
    assert_string_equal(t.learned, "02:2 01:3");
    assert_int_equal(store_served(t.store)->scenario_count, 1);
    assert_int_equal(store_count(t.store).other, 2);
}

static void the_end_is_told_even_if_there_is_nothing(void **state)
{
    (void)state;
    begin(100);
    wait_all();
    assert_string_equal(t.learned, "");
    assert_int_equal(t.settled, 1);
}

static void a_file_that_changes_is_learned_from_again(void **state)
{
    (void)state;
    write_run(1, 3);
    write_run(2, 2);
    begin(100);
    wait_all();
    assert_string_equal(t.learned, "01:3");
    write_run(1, 5);
    wait_learned("01:3 01:5");
    assert_int_equal(store_served(t.store)->scenario_count, 2);
}

/* More than one batch holds, and no more than are to be learned from. */
static void many_come_in_order_and_no_more_than_needed(void **state)
{
    (void)state;
    for (int i = 10; i < 99; i++)
        write_run(i, 1);
    begin(50);
    wait_all();
    assert_non_null(strstr(t.learned, "97:1 96:1 "));
    assert_non_null(strstr(t.learned, " 49:1"));
    assert_null(strstr(t.learned, " 48:1"));
}

/* What is in them is known when they are read: so not all that could be needed at once. */
static void large_files_are_read_one_by_one(void **state)
{
    (void)state;
    char *text = malloc(900001);

    assert_non_null(text);
    memset(text, ' ', 900000);
    memcpy(text, "[{\"name\":\"a\"},{\"name\":\"b\"},{\"name\":\"c\"}", 39);
    text[899999] = ']';
    text[900000] = '\0';
    for (int i = 1; i < 9; i++) {
        char name[64];

        snprintf(name, sizeof name, "d/test_results_20260101_%06d.json", i);
        scratch_write(name, text);
    }
    free(text);
    write_run(9, 1);
    begin(6);
    wait_all();
    assert_string_equal(t.learned, "08:3 07:3");
}

static void a_bad_file_is_counted_and_the_rest_is_learned(void **state)
{
    (void)state;
    scratch_write("d/test_results_20260101_000001.json", "{\"scenarios\":");
    write_run(2, 2);
    write_run(3, 1);
    begin(100);
    wait_all();
    assert_string_equal(t.learned, "02:2");
    assert_int_equal(store_served(t.store)->run_count, 1);
    assert_int_equal(store_count(t.store).failed, 0);
    assert_int_equal(store_count(t.store).other, 2);
    assert_self("encode_exporter_file_errors_total{reason=\"invalid_json\"} 1\n");
    write_run(1, 4); /* it was being written */
    wait_learned("02:2 01:4");
}

static void an_end_in_the_middle_leaves_nothing(void **state)
{
    (void)state;
    for (int i = 10; i < 99; i++)
        write_run(i, 1);
    begin(100);
    while (t.settled == 0)
        uv_run(&t.loop, UV_RUN_NOWAIT);
    uv_run(&t.loop, UV_RUN_NOWAIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_not_served_is_learned_from, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(the_end_is_told_even_if_there_is_nothing, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_file_that_changes_is_learned_from_again,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(many_come_in_order_and_no_more_than_needed,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(large_files_are_read_one_by_one, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_bad_file_is_counted_and_the_rest_is_learned,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(an_end_in_the_middle_leaves_nothing, setup,
                                        teardown),
    };
    log_configure(LOG_ERROR, false);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
