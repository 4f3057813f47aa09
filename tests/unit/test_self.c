#include "tests/unit/test.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/series.h"
#include "server/procfs.h"
#include "server/self.h"

static struct buf text_of(struct self *s, uint64_t now_ms)
{
    struct body *b = self_body(s, now_ms);
    struct buf text = { 0 };

    for (uint32_t i = 0; i < b->chunk_count; i++)
        buf_add(&text, b->chunks[i]->text, b->chunks[i]->n);
    buf_char(&text, '\0');
    return text;
}

/* The same as OpenMetrics. */
static struct buf openmetrics_of(struct self *s, uint64_t now_ms)
{
    struct body *b = self_body(s, now_ms);
    struct buf text = { 0 };

    for (uint32_t i = 0; i < b->chunk_count; i++)
        buf_add(&text, b->chunks[i]->alt->text, b->chunks[i]->alt->n);
    buf_char(&text, '\0');
    return text;
}

static void has(const struct buf *text, const char *line)
{
    const char *at = strstr(text->p, line);

    /* whole lines only */
    while (at && at != text->p && at[-1] != '\n')
        at = strstr(at + 1, line);
    if (!at || at[strlen(line)] != '\n')
        fail_msg("no line \"%s\" in\n%s", line, text->p);
}

static void counters_exist_before_anything_happened(void **state)
{
    static const char *const lines[] = {
        "# TYPE encode_exporter_file_errors_total counter",
        "encode_exporter_file_errors_total{reason=\"unreadable\"} 0",
        "encode_exporter_file_errors_total{reason=\"too_large\"} 0",
        "encode_exporter_file_errors_total{reason=\"invalid_json\"} 0",
        "encode_exporter_file_errors_total{reason=\"wrong_shape\"} 0",
        "encode_exporter_file_errors_total{reason=\"invalid_value\"} 0",
        "encode_exporter_events_total{kind=\"changed\"} 0",
        "encode_exporter_events_total{kind=\"removed\"} 0",
        "encode_exporter_events_total{kind=\"overflow\"} 0",
        "encode_exporter_events_total{kind=\"rescan\"} 0",
        "encode_exporter_files{state=\"served\"} 0",
        "encode_exporter_files{state=\"other\"} 0",
        "encode_exporter_files{state=\"ignored\"} 0",
        "encode_exporter_files{state=\"failed\"} 0",
        "encode_exporter_scenarios_repeated 0",
        "encode_exporter_scenarios_dropped 0",
        "encode_exporter_http_requests_total{endpoint=\"results\",code=\"200\"} 0",
        "encode_exporter_http_connections 0",
        "# TYPE encode_exporter_event_visible_seconds histogram",
        "encode_exporter_event_visible_seconds_bucket{le=\"0.0001\"} 0",
        "encode_exporter_event_visible_seconds_bucket{le=\"10.0\"} 0",
        "encode_exporter_event_visible_seconds_bucket{le=\"+Inf\"} 0",
        "encode_exporter_event_visible_seconds_sum 0",
        "encode_exporter_http_request_seconds_bucket{le=\"5e-05\"} 0",
        "encode_exporter_http_request_seconds_count 0",
        "encode_exporter_watch_info{mode=\"inotify\"} 1",
        "# TYPE process_cpu_seconds_total counter",
        "# TYPE process_open_fds gauge",
    };
    struct self *s = self_new("1.2.3", "abc");
    struct buf text;

    (void)state;
    self_endpoint(s, "results");
    text = text_of(s, 0);
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
        has(&text, lines[i]);
    assert_non_null(strstr(text.p, "encode_exporter_build_info{version=\"1.2.3\","
                                   "revision=\"abc\",compiler=\""));
    /* when nothing has changed yet, there is no time to tell */
    assert_null(strstr(text.p, "last_change_timestamp"));
    buf_deinit(&text);
    self_free(s);
}

static void what_was_counted_is_told(void **state)
{
    struct self *s = self_new("1", "r");
    struct buf text;

    (void)state;
    self_fault(s, FAULT_INVALID_VALUE, 3);
    self_fault(s, FAULT_INVALID_VALUE, 2);
    self_event(s, EVENT_RESCAN);
    self_changed(s, 1700000000.25);
    self_watch_mode(s, true);
    self_connections(s, 1);
    self_connections(s, 1);
    self_connections(s, -1);
    text = text_of(s, 0);
    has(&text, "encode_exporter_file_errors_total{reason=\"invalid_value\"} 5");
    has(&text, "encode_exporter_events_total{kind=\"rescan\"} 1");
    has(&text, "encode_exporter_last_change_timestamp_seconds 1700000000.25");
    has(&text, "encode_exporter_watch_info{mode=\"poll\"} 1");
    has(&text, "encode_exporter_http_connections 1");
    buf_deinit(&text);
    self_free(s);
}

/* Copies the lines that are no comments to the front of the text. */
static void drop_heads(struct buf *text)
{
    struct view rest = { text->p, text->n - 1 }, line;
    size_t n = 0;

    while (view_split(&rest, '\n', &line)) {
        if (line.n == 0 || line.p[0] == '#')
            continue;
        memmove(text->p + n, line.p, line.n);
        n += line.n;
        text->p[n++] = '\n';
    }
    text->p[n] = '\0';
    text->n = n + 1;
}

static void openmetrics_has_other_heads_and_the_same_samples(void **state)
{
    struct self *s = self_new("1", "r");
    struct buf text, open;

    (void)state;
    self_endpoint(s, "results");
    self_request(s, "results", 200, 0.001);
    self_visible(s, 0.5);
    open = openmetrics_of(s, 0);
    has(&open, "# TYPE process_cpu_seconds counter");
    has(&open, "# UNIT process_cpu_seconds seconds");
    has(&open, "# TYPE process_open_fds gauge");
    has(&open, "# TYPE encode_exporter_build info");
    has(&open, "# TYPE encode_exporter_http_requests counter");
    has(&open, "# TYPE encode_exporter_event_visible_seconds histogram");
    has(&open, "# UNIT encode_exporter_event_visible_seconds seconds");
    has(&open, "encode_exporter_event_visible_seconds_bucket{le=\"0.5\"} 1");
    has(&open, "encode_exporter_event_visible_seconds_bucket{le=\"1.0\"} 1");
    assert_null(strstr(open.p, "# EOF")); /* that ends the answer, not this body */
    text = text_of(s, 0);
    drop_heads(&text);
    drop_heads(&open);
    assert_string_equal(open.p, text.p);
    buf_deinit(&text);
    buf_deinit(&open);
    self_free(s);
}

static void one_is_stale(void *ctx, struct self_snapshot *out)
{
    (void)ctx;
    out->stale[0].run_id = VIEW("test_results_\"1\"");
    out->stale[0].reason = FAULT_INVALID_JSON;
    out->stale[1].run_id = VIEW("test_results_2");
    out->stale[1].reason = FAULT_TOO_LARGE;
    out->stale_count = 2;
}

static void runs_that_are_older_than_their_file_are_named(void **state)
{
    struct self *s = self_new("1", "r");
    struct buf text = text_of(s, 0);

    (void)state;
    assert_null(strstr(text.p, "run_stale"));
    buf_deinit(&text);
    self_source(s, one_is_stale, NULL);
    text = text_of(s, 2000);
    has(&text, "encode_exporter_run_stale{run_id=\"test_results_\\\"1\\\"\","
               "reason=\"invalid_json\"} 1");
    has(&text, "encode_exporter_run_stale{run_id=\"test_results_2\","
               "reason=\"too_large\"} 1");
    buf_deinit(&text);
    self_free(s);
}

static void answers_are_counted_by_endpoint_and_status(void **state)
{
    struct self *s = self_new("1", "r");
    struct buf text;
    const char *a, *b, *c;

    (void)state;
    self_endpoint(s, "results");
    self_endpoint(s, "qoe");
    self_request(s, "results", 503, NAN);
    self_request(s, "results", 200, 0.001);
    self_request(s, "results", 404, 0.001);
    self_request(s, "qoe", 200, 0.001);
    self_request(s, "results", 404, 0.001);
    text = text_of(s, 0);
    has(&text,
        "encode_exporter_http_requests_total{endpoint=\"results\",code=\"200\"} 1");
    has(&text,
        "encode_exporter_http_requests_total{endpoint=\"results\",code=\"404\"} 2");
    has(&text,
        "encode_exporter_http_requests_total{endpoint=\"results\",code=\"503\"} 1");
    has(&text, "encode_exporter_http_requests_total{endpoint=\"qoe\",code=\"200\"} 1");
    /* in the order of endpoints, then of statuses */
    a = strstr(text.p, "{endpoint=\"results\",code=\"404\"}");
    b = strstr(text.p, "{endpoint=\"results\",code=\"503\"}");
    c = strstr(text.p, "{endpoint=\"qoe\"");
    assert_true(a < b && b < c);
    /* the 503 was an answer to no request: it has no duration */
    has(&text, "encode_exporter_http_request_seconds_count 4");
    buf_deinit(&text);
    self_free(s);
}

static void histogram_buckets_hold_what_is_not_above_them(void **state)
{
    struct self *s = self_new("1", "r");
    struct buf text;

    (void)state;
    self_visible(s, 0.0001); /* on the first bound: in it */
    self_visible(s, 0.0002);
    self_visible(s, 10);
    self_visible(s, 11);
    self_request(s, "x", 200, 10);
    self_request(s, "x", 200, 12);
    text = text_of(s, 0);
    has(&text, "encode_exporter_event_visible_seconds_bucket{le=\"0.0001\"} 1");
    has(&text, "encode_exporter_event_visible_seconds_bucket{le=\"0.00025\"} 2");
    has(&text, "encode_exporter_event_visible_seconds_bucket{le=\"5.0\"} 2");
    has(&text, "encode_exporter_event_visible_seconds_bucket{le=\"10.0\"} 3");
    has(&text, "encode_exporter_event_visible_seconds_bucket{le=\"+Inf\"} 4");
    /* 0.0001 + 0.0002 + 10 + 11 */
    has(&text, "encode_exporter_event_visible_seconds_sum 21.0003");
    has(&text, "encode_exporter_event_visible_seconds_count 4");
    has(&text, "encode_exporter_http_request_seconds_bucket{le=\"2.5\"} 0");
    has(&text, "encode_exporter_http_request_seconds_bucket{le=\"10.0\"} 1");
    has(&text, "encode_exporter_http_request_seconds_bucket{le=\"+Inf\"} 2");
    buf_deinit(&text);
    self_free(s);
}

static void snapshot(void *ctx, struct self_snapshot *out)
{
    ++*(int *)ctx;
    out->files = (struct store_counts){ 1, 2, 3, 40 };
    out->ignored_files = 5;
    out->scenarios_repeated = 6;
    out->responses[0].endpoint = "results";
    out->responses[0].bytes = 1700;
    out->response_count = 1;
}

static void the_body_is_rendered_at_most_once_a_second(void **state)
{
    struct self *s = self_new("1", "r");
    struct buf text;
    struct body *first;
    uint64_t generation;
    int asked = 0;

    (void)state;
    self_source(s, snapshot, &asked);
    first = self_body(s, 5000);
    generation = first->generation;
    self_event(s, EVENT_CHANGED);
    assert_ptr_equal(self_body(s, 5999), first);
    assert_int_equal(asked, 1);
    text = text_of(s, 6000);
    assert_int_equal(asked, 2);
    assert_true(self_body(s, 6000)->generation != generation);
    has(&text, "encode_exporter_events_total{kind=\"changed\"} 1");
    has(&text, "encode_exporter_files{state=\"served\"} 1");
    has(&text, "encode_exporter_files{state=\"other\"} 2");
    has(&text, "encode_exporter_files{state=\"failed\"} 3");
    has(&text, "encode_exporter_files{state=\"ignored\"} 5");
    has(&text, "encode_exporter_scenarios_dropped 40");
    has(&text, "encode_exporter_scenarios_repeated 6");
    has(&text, "encode_exporter_response_bytes{endpoint=\"results\"} 1700");
    buf_deinit(&text);
    self_free(s);
}

static void an_answer_under_way_keeps_its_body(void **state)
{
    struct self *s = self_new("1", "r");
    struct body *held = body_ref(self_body(s, 0));

    (void)state;
    assert_ptr_not_equal(self_body(s, 1000), held);
    assert_int_equal(held->refs, 1);
    self_free(s);
    assert_memory_equal(held->chunks[0]->text, "# HELP ", 7);
    body_unref(held);
}

static void families_are_told_apart_and_explained(void **state)
{
    size_t count;
    const struct family *f = self_families(&count);

    (void)state;
    assert_true(count > 10);
    for (size_t i = 0; i < count; i++) {
        size_t n = strlen(f[i].name);

        assert_non_null(f[i].help);
        assert_true(strlen(f[i].help) > 15);
        assert_int_equal(n > 6 && strcmp(f[i].name + n - 6, "_total") == 0,
                         f[i].type == COUNTER);
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(f[i].name, f[k].name);
    }
}

static void a_stat_line_is_read_behind_any_program_name(void **state)
{
    static const char line[] =
        "17 (a) b (c) ) S 1 17 17 0 -1 4194304 100 0 0 0 12 34 0 0 20 0 5 0 4711 "
        "123456789 321 18446744073709551615 1 1 0\n";
    double ticks, size, pages;

    (void)state;
    assert_true(procfs_parse_stat(VIEW("1 (x) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 "
                                       "22 23 24\n"),
                                  &ticks, &size, &pages));
    assert_near(ticks, 22, 0);
    assert_near(size, 23, 0);
    assert_near(pages, 24, 0);
    assert_true(procfs_parse_stat(view_of(line), &ticks, &size, &pages));
    assert_near(ticks, 4711, 0);
    assert_near(size, 123456789, 0);
    assert_near(pages, 321, 0);
    assert_false(procfs_parse_stat(VIEW(""), &ticks, &size, &pages));
    assert_false(procfs_parse_stat(VIEW("1 (x) S 1 2"), &ticks, &size, &pages));
    assert_false(procfs_parse_stat(VIEW("1 x S"), &ticks, &size, &pages));
}

static void boot_time_is_the_btime_line(void **state)
{
    (void)state;
    assert_near(procfs_parse_boot(VIEW("cpu  1 2\nbtime 1700000000\nprocesses 3\n")),
                1700000000, 0);
    assert_unknown(procfs_parse_boot(VIEW("cpu 1\nxbtime 3\nbtime x\n")));
    assert_unknown(procfs_parse_boot(VIEW("")));
}

static void the_process_knows_itself(void **state)
{
    struct procfs before, after;
    int fds[2];

    (void)state;
    procfs_read(&before);
    assert_true(before.cpu_s >= 0);
    assert_true(before.resident_bytes > 100 * 1024);
    assert_true(before.virtual_bytes >= before.resident_bytes);
    assert_true(before.open_fds >= 3);
    assert_true(before.max_fds >= before.open_fds);
    /* after 2020, and not in the future by more than the rounding of the boot time */
    assert_true(before.start_unix_s > 1577836800);
    assert_true(before.start_unix_s < (double)time(NULL) + 2);
    assert_int_equal(pipe(fds), 0);
    procfs_read(&after);
    assert_near(after.open_fds, before.open_fds + 2, 0);
    close(fds[0]);
    close(fds[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counters_exist_before_anything_happened),
        cmocka_unit_test(what_was_counted_is_told),
        cmocka_unit_test(openmetrics_has_other_heads_and_the_same_samples),
        cmocka_unit_test(runs_that_are_older_than_their_file_are_named),
        cmocka_unit_test(answers_are_counted_by_endpoint_and_status),
        cmocka_unit_test(histogram_buckets_hold_what_is_not_above_them),
        cmocka_unit_test(the_body_is_rendered_at_most_once_a_second),
        cmocka_unit_test(an_answer_under_way_keeps_its_body),
        cmocka_unit_test(families_are_told_apart_and_explained),
        cmocka_unit_test(a_stat_line_is_read_behind_any_program_name),
        cmocka_unit_test(boot_time_is_the_btime_line),
        cmocka_unit_test(the_process_knows_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
