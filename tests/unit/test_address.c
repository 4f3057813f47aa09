#include "tests/unit/test.h"

#include <netinet/in.h>
#include <string.h>

#include "server/http/address.h"

static void reads(const char *text, const char *as)
{
    struct address a;
    struct err e = { 0 };
    char back[ADDRESS_TEXT_MAX];

    if (address_parse(view_of(text), &a, &e) < 0)
        fail_msg("%s", e.text);
    address_text((const struct sockaddr *)&a.sa, a.len, back);
    assert_string_equal(back, as);
}

static void refuses(const char *text, const char *because)
{
    struct address a = { .len = 77 };
    struct err e = { 0 };

    assert_int_equal(address_parse(view_of(text), &a, &e), -22 /* EINVAL */);
    assert_int_equal(e.code, -22);
    if (!strstr(e.text, because) || !strstr(e.text, text))
        fail_msg("\"%s\" is not about: %s", e.text, because);
    assert_int_equal(a.len, 77);
}

static void ip_addresses_are_read(void **state)
{
    (void)state;
    reads("127.0.0.1:9502", "127.0.0.1:9502");
    reads("0.0.0.0:0", "0.0.0.0:0");
    reads("[::1]:65535", "[::1]:65535");
    reads("[2001:DB8::0:1]:1", "[2001:db8::1]:1");
}

static void a_port_alone_means_every_address(void **state)
{
    struct address a;

    (void)state;
    assert_int_equal(address_parse(VIEW(":9502"), &a, NULL), 0);
    assert_true(a.any);
    assert_int_equal(a.sa.ss_family, AF_INET6);
    reads(":9502", "[::]:9502");
    assert_int_equal(address_parse(VIEW("[::]:9502"), &a, NULL), 0);
    assert_false(a.any);
}

static void socket_paths_are_read(void **state)
{
    struct address a;

    (void)state;
    reads("unix:/run/x.sock", "unix:/run/x.sock");
    reads("unix:relative:9502", "unix:relative:9502");
    assert_int_equal(address_parse(VIEW("unix:/a"), &a, NULL), 0);
    assert_int_equal(a.sa.ss_family, AF_UNIX);
    /* family (2 bytes), "/a" and its end */
    assert_int_equal(a.len, 5);
}

static void socket_paths_have_the_kernels_length(void **state)
{
    char text[200] = "unix:";
    struct address a;

    (void)state;
    /* sun_path has 108 bytes, one of them the end */
    memset(text + 5, 'p', 107);
    assert_int_equal(address_parse(view_of(text), &a, NULL), 0);
    text[5 + 107] = 'p';
    refuses(text, "107 bytes");
    refuses("unix:", "no path");
    assert_true(address_parse((struct view){ "unix:a\0b", 8 }, &a, NULL) < 0);
}

static void names_in_the_abstract_space_are_read(void **state)
{
    struct address a;
    struct sockaddr_un un = { .sun_family = AF_UNIX, .sun_path = "\0ab\0c" };
    char text[200] = "unix:@", back[ADDRESS_TEXT_MAX];

    (void)state;
    reads("unix:@encode/results", "unix:@encode/results");
    reads("unix:./@file", "unix:./@file");
    assert_int_equal(address_parse(VIEW("unix:@ab"), &a, NULL), 0);
    /* family (2 bytes), a zero byte, "ab", and no end: it would belong to the name */
    assert_int_equal(a.len, 5);
    assert_memory_equal((char *)&a.sa + 2, "\0ab", 3);
    refuses("unix:@", "no name");
    memset(text + 6, 'n', 107);
    refuses(text, "107 bytes");

    /* as the kernel tells what others have bound */
    address_text((const struct sockaddr *)&un, 2 + 5, back);
    assert_string_equal(back, "unix:@ab@c");
    address_text((const struct sockaddr *)&un, 2, back);
    assert_string_equal(back, "unix:");
    memset(un.sun_path, 'p', sizeof(un.sun_path));
    address_text((const struct sockaddr *)&un, sizeof(un), back);
    assert_int_equal(strlen(back), 5 + 108);
}

static void ports_are_numbers_up_to_65535(void **state)
{
    (void)state;
    refuses("", "no port");
    refuses("9502", "no port");
    refuses("127.0.0.1", "no port");
    refuses(":", "port");
    refuses(":65536", "port");
    refuses(":+1", "port");
    refuses(": 1", "port");
    refuses(":99999999999", "port");
    refuses("[::1]", "port");
}

static void what_is_no_address_is_told(void **state)
{
    (void)state;
    refuses("localhost:9502", "not an IP address");
    refuses("127.1:9502", "not an IP address");
    refuses("[]:9502", "not an IP address");
    refuses("[127.0.0.1]:9502", "not an IP address");
    refuses("::1:9502", "brackets");
    refuses("1234567890123456789012345678901234567890123456789:1", "not an IP address");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ip_addresses_are_read),
        cmocka_unit_test(a_port_alone_means_every_address),
        cmocka_unit_test(socket_paths_are_read),
        cmocka_unit_test(socket_paths_have_the_kernels_length),
        cmocka_unit_test(names_in_the_abstract_space_are_read),
        cmocka_unit_test(ports_are_numbers_up_to_65535),
        cmocka_unit_test(what_is_no_address_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
