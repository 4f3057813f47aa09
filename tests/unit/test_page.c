#include "tests/unit/test.h"

#include <string.h>

#include "server/page/document.h"

static const struct page_data usual = {
    .version = "1.0",
    .revision = "abc",
    .ready = true,
    .endpoints = { { "Results", "[::]:9502" },
                   { "QoE", "127.0.0.1:9503" },
                   { "Cost", "unix:/run/x:y.sock" } },
    .endpoint_count = 3,
    .results_dir = "/data/runs",
    .watch = "inotify",
    .files_served = 1,
    .newest = VIEW("test_results_1"),
    .newest_changed_s = 1e9,
    .now_s = 1e9 + 7260,
    .newest_ok = true,
    .scenarios = { { VIEW("slow"), VIEW("5M"), VIEW("1280x720"), 60, 2077.5, 0.62,
                     95.25 } },
    .scenario_count = 1,
    .scenario_total = 1,
    .currency = "USD",
};

static char *render(const struct page_data *d, struct buf *b)
{
    document_render(d, b);
    buf_char(b, '\0');
    return b->p;
}

static void shows(const struct page_data *d, const char *what, bool yes)
{
    struct buf b = { 0 };
    bool found = strstr(render(d, &b), what) != NULL;

    if (found != yes)
        fail_msg("%s \"%s\" in\n%s", yes ? "no" : "a", what, b.p);
    buf_deinit(&b);
}

static void the_page_links_what_this_port_serves(void **state)
{
    (void)state;
    shows(&usual, "<a href=\"/metrics\">/metrics</a>", true);
    shows(&usual, "<a href=\"/metrics/all\">", true);
    shows(&usual, "<a href=\"/health\">", true);
    shows(&usual, "<a href=\"/ready\">", true);
    shows(&usual, "/metrics on port 9503", true);
    shows(&usual, "/metrics on its socket", true);
}

static void text_is_escaped(void **state)
{
    struct page_data d = usual;
    struct about about = { 0 };

    (void)state;
    d.newest = VIEW("<b>&\"'");
    d.results_dir = "/<i>";
    d.newest_ok = false;
    d.newest_error = "byte 3: <u>";
    d.scenarios[0].name = VIEW("<script>alert(1)</script>");
    d.scenarios[0].bitrate = VIEW("<s>");
    d.scenarios[0].resolution = VIEW("\"x");
    d.currency = "<c>";
    about_section(&about, "<title>1");
    about_row(&about, VIEW("<p>1"), VIEW("<q>2"), VIEW("<a x>3"));
    d.about = &about;
    shows(&d, "&lt;b&gt;&amp;&quot;&#39;", true);
    shows(&d, "&lt;script&gt;alert(1)&lt;/script&gt;", true);
    static const char *const raw[] = {
        "<b>", "<i>",      "<u>",  "<script>", "<s>",
        "\"x", "<title>1", "<p>1", "<q>2",     "<a x>3"
    };
    for (size_t i = 0; i < sizeof(raw) / sizeof(raw[0]); i++)
        shows(&d, raw[i], false);
    about_deinit(&about);
}

static void numbers_have_four_digits_and_unknown_ones_a_dash(void **state)
{
    struct page_data d = usual;

    (void)state;
    shows(&d,
          "<td class=\"n\">60.00</td><td class=\"n\">2078</td>"
          "<td class=\"n\">0.6200</td><td class=\"n\">95.25</td>",
          true);
    d.scenarios[0].energy_j = NAN;
    d.scenarios[0].cost = 0;
    d.scenarios[0].vmaf = 1.5e-9;
    shows(&d,
          "<td class=\"n\"><span class=\"soft\">–</span></td>"
          "<td class=\"n\">0</td><td class=\"n\">1.5e-09</td>",
          true);
    shows(&d, "nan", false);
}

static void the_newest_run_is_described(void **state)
{
    struct page_data d = usual;

    (void)state;
    shows(&d, "<code>test_results_1</code>", true);
    /* 7260 s = 2 h 1 min */
    shows(&d, "2 hours ago", true);
    shows(&d, "good</span>", true);
    d.now_s = 1e9 + 61;
    shows(&d, "1 minute ago", true);
    d.now_s = 1e9 + 0.4;
    shows(&d, "just now", true);
    d.newest_changed_s = NAN;
    shows(&d, "ago", false);
    d.newest_ok = false;
    d.newest_error = "cut off at byte 17";
    shows(&d, "cut off at byte 17", true);
    shows(&d, "last good content is served", true);
    d.newest = (struct view){ NULL, 0 };
    d.scenario_count = 0;
    shows(&d, "There is no results file yet.", true);
    d.ready = false;
    shows(&d, "The first scan is under way.", true);
}

static void more_scenarios_than_shown_are_counted(void **state)
{
    struct page_data d = usual;

    (void)state;
    shows(&d, "The first 1 of", false);
    d.scenario_total = 300;
    shows(&d, "The first 1 of 300;", true);
}

static void facts_of_modules_stand_in_their_sections(void **state)
{
    struct page_data d = usual;
    struct about about = { 0 };
    char value[] = "0.13 USD per kWh";

    (void)state;
    about_section(&about, "Prices in force");
    about_row(&about, VIEW("Electricity, us-east-1"), view_of(value), VIEW("builtin"));
    memset(value, 'x', sizeof(value) - 1); /* rows keep copies */
    about_row(&about, VIEW("CPU"), VIEW("0.5 USD per core-hour"), VIEW("flag"));
    d.about = &about;
    shows(&d, "<h2>Prices in force</h2>", true);
    shows(&d,
          "<tr><th>Electricity, us-east-1</th><td>0.13 USD per kWh</td>"
          "<td>builtin</td></tr>",
          true);
    shows(&d, "<td>flag</td>", true);
    about_deinit(&about);
    assert_int_equal(about.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_page_links_what_this_port_serves),
        cmocka_unit_test(text_is_escaped),
        cmocka_unit_test(numbers_have_four_digits_and_unknown_ones_a_dash),
        cmocka_unit_test(the_newest_run_is_described),
        cmocka_unit_test(more_scenarios_than_shown_are_counted),
        cmocka_unit_test(facts_of_modules_stand_in_their_sections),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
