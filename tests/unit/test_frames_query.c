/* GET /frames: what may be asked, and what is answered to all else. */
#include "server/live/live_inner.h"

#include "tests/unit/scored.h"

enum { ROWS = 40 };

static struct live live;
static struct frame_table table;

static void on_gone(void *ctx, struct roll_entry *e)
{
    (void)ctx;
    (void)e;
}

static int open_all(void **state)
{
    double scores[ROWS];
    struct roll_entry *e;

    (void)state;
    for (size_t i = 0; i < ROWS; i++)
        scores[i] = 50 + (double)i;
    live.roll = roll_new(10, on_gone, NULL);
    roll_open(live.roll, VIEW("none"), 1, 1);
    e = roll_open(live.roll, VIEW("a b&c/\xC3\xA9"), 1, 1);
    scored_column(&table, frame_metric_filter, "psnr_avg", scores, ROWS, 1, 1);
    encode_set_log(e->encode, ENCODE_LOG_PSNR, &table);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    roll_free(live.roll);
    frame_table_deinit(&table);
    return 0;
}

static struct reply ask(const char *query)
{
    struct request rq = { .method = METHOD_GET, .path = VIEW("/frames") };
    struct reply out = { 0 };

    rq.query = view_of(query);
    live_frames(&live, &rq, &out);
    buf_char(&out.text, '\0');
    return out;
}

static void answers(const char *query, int status, const char *text)
{
    struct reply r = ask(query);

    if (r.status != status || !strstr(r.text.p, text))
        print_error("%s: %d %s\n", query, r.status, r.text.p);
    assert_int_equal(r.status, status);
    assert_non_null(strstr(r.text.p, text));
    assert_non_null(strstr(r.headers, "Cache-Control: no-store\r\n"));
    assert_non_null(strstr(r.headers, "X-Content-Type-Options: nosniff\r\n"));
    assert_string_equal(r.content_type, status == 200 ? "application/json"
                                                      : "text/plain; charset=utf-8");
    reply_deinit(&r);
}

#define NAME "encode=a%20b%26c/%c3%A9"

static void a_name_is_decoded_as_forms_send_it(void **state)
{
    const char *head = "{\"encode\":\"a b&c/\xC3\xA9\",\"metrics\":[\"psnr\"],";

    (void)state;
    answers(NAME, 200, head);
    answers("encode=a+b%26c%2F%C3%a9", 200, head);
    answers("x=1&&" NAME "&=&y", 200, head);
    answers("%65ncode=a+b%26c%2F%C3%a9&%6detric=psn%72", 200, head);
    answers(NAME, 200, "\"from\":1,\"to\":40,\"points\":[[1,50,50,50],[2,51,51,51],");
    answers(NAME, 200, "]}\n");
}

static void who_is_not_known_is_not_found(void **state)
{
    (void)state;
    answers("", 400, "encode: the name of an encode that is watched\n");
    answers("encode=", 400, "encode: the name of an encode that is watched\n");
    answers("encode", 400, "encode: the name of an encode that is watched\n");
    answers("encode=a", 404, "no encode of this name is watched\n");
    answers("encode=a%zz", 404, "no encode of this name is watched\n");
    answers("encode=none", 404, "no scores of frames are known of this encode\n");
    answers(NAME "&metric=vmaf", 404, "metric: this encode has psnr\n");
    answers(NAME "&metric=", 200, "\"metric\":\"psnr\"");
}

static void numbers_are_in_their_limits(void **state)
{
    const char *const from = "from: a whole number from 0 to 4294967295\n";

    (void)state;
    answers(NAME "&from=", 400, from);
    answers(NAME "&from", 400, from);
    answers(NAME "&from=-1", 400, from);
    answers(NAME "&from=1.5", 400, from);
    answers(NAME "&from=1e3", 400, from);
    answers(NAME "&from=+1", 400, from);
    answers(NAME "&from=0x1", 400, from);
    answers(NAME "&from=4294967296", 400, from);
    answers(NAME "&from=99999999999999999999", 400, from);
    answers(NAME "&to=a", 400, "to: a whole number from 0 to 4294967295\n");
    answers(NAME "&points=0", 400, "points: a whole number from 1 to 4000\n");
    answers(NAME "&points=4001", 400, "points: a whole number from 1 to 4000\n");
    answers(NAME "&worst=257", 400, "worst: a whole number from 0 to 256\n");
    answers(NAME "&from=8&to=7", 400, "from: no more than to\n");
    answers(NAME "&from=4294967295", 200, "\"points\":[]");
    answers(NAME "&points=4000&worst=256", 200, "[40,89,89,89]]");
    answers(NAME "&worst=0", 200, "\"worst\":[]}\n");
    answers(NAME "&worst=1", 200, "\"worst\":[[1,50]]}\n");
    answers(
        NAME "&to=4&from=3&points=1", 200,
        "\"from\":3,\"to\":4,\"points\":[[3,52,52.5,53]],\"worst\":[[3,52],[4,53]]}");
}

static void ten_worst_and_a_thousand_points_unless_told(void **state)
{
    struct reply r = ask(NAME);
    const char *worst = strstr(r.text.p, "\"worst\":");
    size_t n = 0;

    (void)state;
    assert_non_null(worst);
    for (const char *p = worst; *p; p++)
        n += *p == '[';
    assert_int_equal(n, 1 + 10);
    reply_deinit(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_is_decoded_as_forms_send_it),
        cmocka_unit_test(who_is_not_known_is_not_found),
        cmocka_unit_test(numbers_are_in_their_limits),
        cmocka_unit_test(ten_worst_and_a_thousand_points_unless_told),
    };

    return cmocka_run_group_tests(tests, open_all, close_all);
}
