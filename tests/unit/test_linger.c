#include "tests/unit/test.h"

#include "server/linger.h"
#include "server/log.h"

#include <string.h>

/* A program that stops: scans are counted and answered by the test. */
struct host {
    uv_loop_t loop;
    struct scrapers book;
    struct linger_state linger;
    unsigned scans, over;
    uint64_t over_ns;
};

static void on_scan(void *ctx)
{
    ((struct host *)ctx)->scans++;
}

static void on_over(void *ctx)
{
    struct host *h = ctx;

    h->over++;
    h->over_ns = uv_hrtime();
}

static void begin(struct host *h)
{
    log_configure(LOG_ERROR, false);
    *h = (struct host){ 0 };
    uv_loop_init(&h->loop);
    linger_init(&h->linger, &h->loop);
}

static void stop(struct host *h, uint64_t linger_ms)
{
    const struct linger_options o = { linger_ms, &h->book, h, on_scan, on_over };

    linger_start(&h->linger, &o);
}

static void finish(struct host *h)
{
    linger_cut(&h->linger);
    linger_deinit(&h->linger);
    uv_run(&h->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&h->loop), 0);
    scrapers_deinit(&h->book);
}

/* The timer keeps no loop alive, so something else has to until it has fired. */
static void run_until_over(struct host *h)
{
    uv_ref((uv_handle_t *)&h->linger.timer);
    while (!h->over && uv_is_active((uv_handle_t *)&h->linger.timer))
        uv_run(&h->loop, UV_RUN_ONCE);
    uv_unref((uv_handle_t *)&h->linger.timer);
}

static void scrape(struct host *h, int endpoint, unsigned char last)
{
    struct scraper_peer p = { { [10] = 0xff, [11] = 0xff, [12] = 10, [15] = last } };
    uint64_t now = uv_hrtime();

    scrapers_note(&h->book, endpoint, &p, now, now);
    linger_scraped(&h->linger);
}

static void without_time_to_linger_it_is_over_with_the_scan(void **state)
{
    struct host h;

    (void)state;
    begin(&h);
    scrape(&h, 0, 1);
    assert_int_equal(h.scans, 0);
    stop(&h, 0);
    assert_int_equal(h.scans, 1);
    assert_int_equal(h.over, 0);
    linger_scanned(&h.linger);
    assert_int_equal(h.over, 1);
    linger_scanned(&h.linger);
    assert_int_equal(h.over, 1);
    finish(&h);
}

static void everybody_who_came_before_must_come_again(void **state)
{
    struct host h;

    (void)state;
    begin(&h);
    scrape(&h, 0, 1);
    scrape(&h, 2, 2);
    stop(&h, 60000);
    linger_scanned(&h.linger);
    assert_int_equal(h.over, 0);
    scrape(&h, 0, 1);
    scrape(&h, 0, 2); /* another endpoint than the one it came for */
    assert_int_equal(h.scans, 1);
    scrape(&h, 2, 2);
    assert_int_equal(h.scans, 2); /* has anything changed meanwhile? */
    assert_int_equal(h.over, 0);
    linger_scanned(&h.linger);
    assert_int_equal(h.over, 1);
    finish(&h);
}

static void what_the_closing_scan_finds_is_waited_for_again(void **state)
{
    struct host h;

    (void)state;
    begin(&h);
    scrape(&h, 0, 1);
    stop(&h, 60000);
    linger_scanned(&h.linger);
    scrape(&h, 0, 1);
    assert_int_equal(h.scans, 2);
    scrapers_changed(&h.book, uv_hrtime());
    linger_scanned(&h.linger);
    assert_int_equal(h.over, 0);
    scrape(&h, 0, 1);
    assert_int_equal(h.scans, 3);
    linger_scanned(&h.linger);
    assert_int_equal(h.over, 1);
    finish(&h);
}

static void a_scrape_during_the_first_scan_counts_if_nothing_changed(void **state)
{
    struct host h;

    (void)state;
    begin(&h);
    scrape(&h, 0, 1);
    stop(&h, 60000);
    scrape(&h, 0, 1);
    assert_int_equal(h.scans, 1); /* one at a time */
    linger_scanned(&h.linger);
    assert_int_equal(h.over, 1);
    finish(&h);
}

static void where_nobody_came_the_first_scrape_ends_it(void **state)
{
    struct host h;

    (void)state;
    begin(&h);
    stop(&h, 60000);
    linger_scanned(&h.linger);
    assert_int_equal(h.over, 0);
    scrape(&h, 1, 9);
    linger_scanned(&h.linger);
    assert_int_equal(h.over, 1);
    finish(&h);
}

static void who_came_long_ago_is_not_waited_for(void **state)
{
    const uint64_t ago_ns = (LINGER_RECENT_S + 1) * UINT64_C(1000000000);
    struct scraper_peer p = { { [15] = 5 } };
    struct host h;

    (void)state;
    begin(&h);
    if (uv_hrtime() <= ago_ns)
        skip(); /* the machine was started a moment ago */
    scrapers_note(&h.book, 0, &p, uv_hrtime() - ago_ns, uv_hrtime() - ago_ns);
    scrape(&h, 0, 1);
    stop(&h, 60000);
    linger_scanned(&h.linger);
    scrape(&h, 0, 1);
    assert_int_equal(h.scans, 2);
    finish(&h);
}

static void it_ends_when_its_time_is_over(void **state)
{
    struct host h;
    uint64_t began;

    (void)state;
    begin(&h);
    scrape(&h, 0, 1);
    began = uv_hrtime();
    stop(&h, 30);
    linger_scanned(&h.linger);
    run_until_over(&h);
    assert_int_equal(h.over, 1);
    assert_true(h.over_ns - began >= 29 * UINT64_C(1000000));
    finish(&h);
}

static void a_scan_that_hangs_is_given_up(void **state)
{
    struct host h;
    uint64_t began = uv_hrtime();

    (void)state;
    begin(&h);
    stop(&h, 10); /* shorter than what a scan gets */
    run_until_over(&h);
    assert_int_equal(h.over, 1);
    assert_true(h.over_ns - began >= (LINGER_SCAN_MS - 1) * UINT64_C(1000000));
    linger_scanned(&h.linger); /* it came back after all */
    assert_int_equal(h.over, 1);
    finish(&h);
}

static void a_second_signal_cuts_it_short(void **state)
{
    struct host h;

    (void)state;
    begin(&h);
    stop(&h, 10);
    linger_cut(&h.linger);
    linger_scanned(&h.linger);
    scrape(&h, 0, 1);
    assert_false(uv_is_active((uv_handle_t *)&h.linger.timer));
    assert_int_equal(h.over, 0);
    assert_int_equal(h.scans, 1);
    finish(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_time_to_linger_it_is_over_with_the_scan),
        cmocka_unit_test(everybody_who_came_before_must_come_again),
        cmocka_unit_test(what_the_closing_scan_finds_is_waited_for_again),
        cmocka_unit_test(a_scrape_during_the_first_scan_counts_if_nothing_changed),
        cmocka_unit_test(where_nobody_came_the_first_scrape_ends_it),
        cmocka_unit_test(who_came_long_ago_is_not_waited_for),
        cmocka_unit_test(it_ends_when_its_time_is_over),
        cmocka_unit_test(a_scan_that_hangs_is_given_up),
        cmocka_unit_test(a_second_signal_cuts_it_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
