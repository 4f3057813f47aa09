/*
 * Against the values that OpenSSL gives for the key and the texts of the paper:
 * openssl mac -macopt size:16 -macopt hexkey:000102…0f SIPHASH, texts 00 01 02 ….
 */
#include "tests/unit/test.h"

#include "server/web/siphash.h"

static void hashes_are_those_of_the_paper(void **state)
{
    static const struct {
        size_t n;
        const char *hex;
    } known[] = {
        { 0, "A3817F04BA25A8E66DF67214C7550293" },
        { 1, "DA87C1D86B99AF44347659119B22FC45" },
        { 7, "A1F1EBBED8DBC153C0B84AA61FF08239" },
        { 8, "3B62A9BA6258F5610F83E264F31497B4" },
        { 15, "5493E99933B0A8117E08EC0F97CFC3D9" },
        { 63, "5150D1772F50834A503E069A973FBD7C" },
    };
    /* bytes 00 … 0f, little-endian */
    const struct siphash_key key = { { 0x0706050403020100, 0x0f0e0d0c0b0a0908 } };
    char text[64];

    (void)state;
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)i;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        struct digest d = siphash(&key, (struct view){ text, known[i].n });
        char hex[33];

        for (size_t k = 0; k < 16; k++)
            snprintf(hex + 2 * k, 3, "%02X",
                     (unsigned)(d.part[k / 8] >> 8 * (k % 8)) & 0xff);
        assert_string_equal(hex, known[i].hex);
    }
}

static void digests_differ_in_any_bit(void **state)
{
    const struct digest d = { { 0, 0 } };

    (void)state;
    assert_true(digest_eq(&d, &d));
    for (int bit = 0; bit < 128; bit++) {
        struct digest other = d;

        other.part[bit / 64] ^= UINT64_C(1) << bit % 64;
        assert_false(digest_eq(&d, &other));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_are_those_of_the_paper),
        cmocka_unit_test(digests_differ_in_any_bit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
