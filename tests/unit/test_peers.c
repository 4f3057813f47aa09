#include "tests/unit/test.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>

#include "server/http/peers.h"

static struct peer v4(const char *text)
{
    struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(1234) };

    assert_int_equal(inet_pton(AF_INET, text, &in.sin_addr), 1);
    return peer_of((const struct sockaddr *)&in);
}

static struct peer v6(const char *text)
{
    struct sockaddr_in6 in = { .sin6_family = AF_INET6, .sin6_port = htons(1234) };

    assert_int_equal(inet_pton(AF_INET6, text, &in.sin6_addr), 1);
    return peer_of((const struct sockaddr *)&in);
}

static void an_address_is_the_same_through_either_socket(void **state)
{
    struct peer a = v4("192.0.2.7"), b = v6("::ffff:192.0.2.7"), c = v4("192.0.2.8");

    (void)state;
    assert_memory_equal(&a, &b, sizeof(a));
    assert_memory_not_equal(&a, &c, sizeof(a));
}

static void loopback_is_known(void **state)
{
    struct peer yes[] = { v4("127.0.0.1"), v4("127.9.9.9"), v6("::1"),
                          v6("::ffff:127.0.0.1") };
    struct peer no[] = { v4("128.0.0.1"), v6("::2"), v6("fe80::1"), v6("::127.0.0.1") };

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        assert_true(peer_loopback(&yes[i]));
        assert_false(peer_loopback(&no[i]));
    }
}

static void a_unix_socket_has_no_peer(void **state)
{
    struct sockaddr_un un = { .sun_family = AF_UNIX };
    struct peer p = peer_of((const struct sockaddr *)&un), other = v4("192.0.2.1");
    struct peers t = { NULL };

    (void)state;
    assert_true(peer_none(&p));
    assert_false(peer_none(&other));
    assert_int_equal(peers_add(&t, &p), 0);
    assert_int_equal(peers_drop(&t, &p), 0);
    peers_deinit(&t);
}

static void connections_are_counted_by_peer(void **state)
{
    struct peers t = { NULL };
    struct peer a = v4("192.0.2.1"), b = v4("192.0.2.2");

    (void)state;
    assert_int_equal(peers_add(&t, &a), 1);
    assert_int_equal(peers_add(&t, &a), 2);
    assert_int_equal(peers_add(&t, &b), 1);
    assert_int_equal(peers_drop(&t, &a), 1);
    assert_int_equal(peers_drop(&t, &a), 0);
    assert_int_equal(peers_add(&t, &a), 1);
    assert_int_equal(peers_drop(&t, &b), 0);
    peers_deinit(&t); /* a is still there */
}

static void a_whole_64_counts_as_one(void **state)
{
    struct peers t = { NULL };
    struct peer a = v6("2001:db8:1:2::1"), b = v6("2001:db8:1:2:ffff::9"),
                c = v6("2001:db8:1:3::1");

    (void)state;
    assert_int_equal(peers_add(&t, &a), 1);
    assert_int_equal(peers_add(&t, &b), 2);
    assert_int_equal(peers_add(&t, &c), 1);
    assert_int_equal(peers_drop(&t, &a), 1);
    peers_deinit(&t);
}

static void thousands_of_peers_are_kept_apart(void **state)
{
    struct peers t = { NULL };

    (void)state;
    for (int round = 1; round <= 2; round++)
        for (uint32_t i = 0; i < 5000; i++) {
            struct peer p = v4("10.0.0.0");

            memcpy(p.address + 12, &i, 4);
            assert_int_equal(peers_add(&t, &p), round);
        }
    peers_deinit(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_is_the_same_through_either_socket),
        cmocka_unit_test(loopback_is_known),
        cmocka_unit_test(a_unix_socket_has_no_peer),
        cmocka_unit_test(connections_are_counted_by_peer),
        cmocka_unit_test(a_whole_64_counts_as_one),
        cmocka_unit_test(thousands_of_peers_are_kept_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
