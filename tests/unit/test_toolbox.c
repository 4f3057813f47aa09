#include "tests/unit/test.h"

#include "server/web/toolbox.h"

#include <errno.h>

static int matches(const char *hash, const char *password)
{
    return encode_toolbox.bcrypt(hash, password);
}

static void passwords_match_the_hashes_that_were_made_of_them(void **state)
{
    (void)state;
    /* exporter-toolkit, web/testdata/web_config_users_noTLS.good.yml and its test */
    static const char carol[] =
        "$2y$10$qRTBuFoULoYNA7AQ/F3ck.trZBPyjV64.oA4ZsSBCIWvXuvQlQTuu";

    assert_int_equal(matches(carol, "carol123"), 1);
    assert_int_equal(matches(carol, "carol1234"), 0);
    assert_int_equal(matches(carol, ""), 0);
    /* crypt(3) of Debian 12 */
    assert_int_equal(
        matches("$2b$04$ABCDEFGHIJKLMNOPQRSTUurrnw6QLtiuqw6Qoo9/dSuKpPleI86KO",
                "bob's:word"),
        1);
    assert_int_equal(
        matches("$2y$04$abcdefghijklmnopqrstuubyCG3zY1GIXMyxfivm.ClDiInHzxjiq", ""), 1);
    /* 72 letters, which is all that bcrypt looks at */
    assert_int_equal(
        matches(
            "$2a$04$ABCDEFGHIJKLMNOPQRSTUuBW85jKB0ZWT2CgCe.0OLGox8A45B8Xa",
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
        1);
}

static void every_letter_of_a_hash_counts(void **state)
{
    char hash[] = "$2y$04$abcdefghijklmnopqrstuubyCG3zY1GIXMyxfivm.ClDiInHzxjiq";

    (void)state;
    for (size_t i = 29; hash[i]; i++) {
        char was = hash[i];

        hash[i] = was == 'x' ? 'z' : 'x';
        assert_int_equal(matches(hash, ""), 0);
        hash[i] = was;
    }
    assert_int_equal(matches(hash, ""), 1);
}

/* Bits of the last letter of the salt that mean nothing: "u" and "v" are one salt. */
static void stray_bits_in_a_salt_do_not_matter(void **state)
{
    (void)state;
    assert_int_equal(
        matches("$2y$04$abcdefghijklmnopqrstuvbyCG3zY1GIXMyxfivm.ClDiInHzxjiq", ""), 1);
}

static void a_hash_that_libcrypt_refuses_matches_nothing(void **state)
{
    (void)state;
    assert_int_equal(matches("$2y$99$abcdefghijklmnopqrstuu", "x"), -ENOTSUP);
    assert_int_equal(matches("*0", "x"), -ENOTSUP);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(passwords_match_the_hashes_that_were_made_of_them),
        cmocka_unit_test(every_letter_of_a_hash_counts),
        cmocka_unit_test(stray_bits_in_a_salt_do_not_matter),
        cmocka_unit_test(a_hash_that_libcrypt_refuses_matches_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
