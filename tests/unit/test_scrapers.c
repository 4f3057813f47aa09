#include "tests/unit/test.h"

#include "server/http/scrapers.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

enum { RESULTS, QOE, COST };

static struct scraper_peer peer(const char *address)
{
    struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(4711) };
    struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(4711) };

    if (inet_pton(AF_INET, address, &in.sin_addr) == 1)
        return scraper_peer((struct sockaddr *)&in);
    assert_int_equal(inet_pton(AF_INET6, address, &in6.sin6_addr), 1);
    return scraper_peer((struct sockaddr *)&in6);
}

/* An answer that was out at once. */
static void note(struct scrapers *b, int endpoint, const char *address, uint64_t at)
{
    struct scraper_peer p = peer(address);

    scrapers_note(b, endpoint, &p, at, at);
}

static void an_address_with_and_without_ipv6_is_one_peer(void **state)
{
    struct scraper_peer a = peer("10.0.0.7"), b = peer("::ffff:10.0.0.7");

    (void)state;
    assert_memory_equal(&a, &b, sizeof a);
    b = peer("10.0.0.8");
    assert_memory_not_equal(&a, &b, sizeof a);
}

static void ports_do_not_tell_peers_apart(void **state)
{
    struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(1) };
    struct scraper_peer a, b;

    (void)state;
    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    a = scraper_peer((struct sockaddr *)&in);
    in.sin_port = htons(2);
    b = scraper_peer((struct sockaddr *)&in);
    assert_memory_equal(&a, &b, sizeof a);
}

static void all_clients_of_unix_sockets_are_one_peer(void **state)
{
    struct sockaddr un = { .sa_family = AF_UNIX };
    struct scraper_peer a = scraper_peer(&un), b = scraper_peer(NULL);

    (void)state;
    assert_memory_equal(&a, &b, sizeof a);
}

static void peers_have_a_text_for_people(void **state)
{
    const char *const texts[] = { "10.0.0.7", "fd00::7", "::1" };
    char to[INET6_ADDRSTRLEN];
    struct scraper_peer p;

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        p = peer(texts[i]);
        scraper_peer_text(&p, to);
        assert_string_equal(to, texts[i]);
    }
    p = scraper_peer(NULL);
    scraper_peer_text(&p, to);
    assert_string_equal(to, "unix socket");
}

static void an_empty_book_misses_nobody_and_knows_nobody(void **state)
{
    struct scrapers b = { 0 };

    (void)state;
    assert_int_equal(scrapers_missing(&b, 0, 0, NULL), 0);
    assert_false(scrapers_any(&b, 0));
    scrapers_deinit(&b);
}

static void who_has_no_answer_from_after_the_change_is_missing(void **state)
{
    struct scraper_missing first;
    struct scraper_peer two = peer("10.0.0.2");
    struct scrapers b = { 0 };

    (void)state;
    note(&b, RESULTS, "10.0.0.1", 100);
    note(&b, COST, "10.0.0.2", 110);
    scrapers_changed(&b, 200);
    assert_int_equal(scrapers_missing(&b, 50, b.changed_ns, NULL), 2);
    assert_false(scrapers_any(&b, b.changed_ns));
    note(&b, RESULTS, "10.0.0.1", 210);
    assert_int_equal(scrapers_missing(&b, 50, b.changed_ns, &first), 1);
    assert_int_equal(first.endpoint, COST);
    assert_memory_equal(&first.peer, &two, sizeof two);
    assert_true(scrapers_any(&b, b.changed_ns));
    note(&b, COST, "10.0.0.2", 220);
    assert_int_equal(scrapers_missing(&b, 50, b.changed_ns, NULL), 0);

    /* The next change is missed by both again. */
    scrapers_changed(&b, 300);
    assert_int_equal(scrapers_missing(&b, 50, b.changed_ns, NULL), 2);
    scrapers_deinit(&b);
}

static void endpoints_of_a_peer_are_scraped_each_for_itself(void **state)
{
    struct scrapers b = { 0 };

    (void)state;
    note(&b, RESULTS, "10.0.0.1", 100);
    note(&b, QOE, "10.0.0.1", 100);
    note(&b, RESULTS, "10.0.0.1", 210);
    assert_int_equal(scrapers_missing(&b, 50, 200, NULL), 1);
    note(&b, QOE, "10.0.0.1", 211);
    assert_int_equal(scrapers_missing(&b, 50, 200, NULL), 0);
    scrapers_deinit(&b);
}

static void an_answer_that_began_before_the_change_does_not_count(void **state)
{
    struct scraper_peer p = peer("10.0.0.1");
    struct scrapers b = { 0 };

    (void)state;
    scrapers_note(&b, RESULTS, &p, 190, 250); /* its client took its time */
    assert_int_equal(scrapers_missing(&b, 50, 200, NULL), 1);
    assert_false(scrapers_any(&b, 200));
    scrapers_note(&b, RESULTS, &p, 200, 260); /* at the very moment: not after it */
    assert_int_equal(scrapers_missing(&b, 50, 200, NULL), 1);
    scrapers_note(&b, RESULTS, &p, 201, 270);
    assert_int_equal(scrapers_missing(&b, 50, 200, NULL), 0);

    /* A slow old answer on another connection takes nothing back. */
    scrapers_note(&b, RESULTS, &p, 150, 280);
    assert_int_equal(scrapers_missing(&b, 50, 200, NULL), 0);
    scrapers_deinit(&b);
}

static void who_was_silent_for_long_is_not_missed(void **state)
{
    struct scrapers b = { 0 };

    (void)state;
    note(&b, RESULTS, "10.0.0.1", 100);
    note(&b, RESULTS, "10.0.0.2", 150);
    assert_int_equal(scrapers_missing(&b, 101, 200, NULL), 1);
    assert_int_equal(scrapers_missing(&b, 100, 200, NULL), 2); /* the edge is recent */
    assert_int_equal(scrapers_missing(&b, 151, 200, NULL), 0);
    scrapers_deinit(&b);
}

static void past_its_room_the_one_that_is_silent_longest_goes(void **state)
{
    struct scrapers b = { 0 };
    char address[32];

    (void)state;
    for (int i = 0; i < SCRAPERS_MAX; i++) {
        snprintf(address, sizeof address, "10.0.%d.%d", i / 256, i % 256);
        note(&b, RESULTS, address, 1000 + (uint64_t)i);
    }
    note(&b, QOE, "10.0.0.0", 5000); /* the first one came again */
    assert_int_equal(b.count, SCRAPERS_MAX);
    note(&b, RESULTS, "10.9.9.9", 5001);
    assert_int_equal(b.count, SCRAPERS_MAX);

    /* 10.0.0.1 had to go: all others, the newcomer among them, are still missed, and
     * 10.0.0.0 on two endpoints. */
    assert_int_equal(scrapers_missing(&b, 1, 6000, NULL), SCRAPERS_MAX + 1);
    assert_int_equal(scrapers_missing(&b, 1002, 6000, NULL), SCRAPERS_MAX);
    scrapers_deinit(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_with_and_without_ipv6_is_one_peer),
        cmocka_unit_test(ports_do_not_tell_peers_apart),
        cmocka_unit_test(all_clients_of_unix_sockets_are_one_peer),
        cmocka_unit_test(peers_have_a_text_for_people),
        cmocka_unit_test(an_empty_book_misses_nobody_and_knows_nobody),
        cmocka_unit_test(who_has_no_answer_from_after_the_change_is_missing),
        cmocka_unit_test(endpoints_of_a_peer_are_scraped_each_for_itself),
        cmocka_unit_test(an_answer_that_began_before_the_change_does_not_count),
        cmocka_unit_test(who_was_silent_for_long_is_not_missed),
        cmocka_unit_test(past_its_room_the_one_that_is_silent_longest_goes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
