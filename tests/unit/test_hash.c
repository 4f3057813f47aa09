#include "core/hash.h"

#include "tests/unit/test.h"

static void the_seed_is_part_of_the_hash(void **state)
{
    (void)state;
    struct hash a = hash_of(VIEW("text"), 0), b = hash_of(VIEW("text"), 1);

    assert_true(hash_eq(a.part, hash_of(VIEW("text"), 0).part));
    assert_false(hash_eq(a.part, b.part));
    assert_false(hash_eq(a.part, hash_of(VIEW("texs"), 0).part));
}

static void nothing_hashes_to_what_xxh3_says(void **state)
{
    (void)state;
    struct hash h = hash_of(VIEW(""), 0);

    /* The published test vector: 99aa06d3014798d8 6001c324468d497f */
    assert_true(h.part[1] == UINT64_C(0x99aa06d3014798d8));
    assert_true(h.part[0] == UINT64_C(0x6001c324468d497f));
}

static void numbers_are_found_by_their_hash_however_many(void **state)
{
    (void)state;
    struct hash_index x;
    enum { MANY = 5000 };

    hash_index_init(&x, MANY);
    for (uint32_t i = 0; i < MANY; i++) {
        bool added;
        struct hash h = hash_of((struct view){ (const char *)&i, sizeof i }, 0);

        assert_null(hash_index_find(&x, h.part));
        *hash_index_at(&x, h.part, &added) = i;
        assert_true(added);
    }
    for (uint32_t i = 0; i < MANY; i++) {
        bool added;
        struct hash h = hash_of((struct view){ (const char *)&i, sizeof i }, 0);

        assert_int_equal(*hash_index_find(&x, h.part), i);
        assert_int_equal(*hash_index_at(&x, h.part, &added), i);
        assert_false(added);
    }
    hash_index_deinit(&x);
}

static void hashes_that_share_a_slot_are_told_apart(void **state)
{
    (void)state;
    const uint64_t a[2] = { 16, 1 }, b[2] = { 16, 2 }, c[2] = { 32, 1 };
    struct hash_index x;
    bool added;

    hash_index_init(&x, 3);
    *hash_index_at(&x, a, &added) = 1;
    *hash_index_at(&x, b, &added) = 2;
    assert_null(hash_index_find(&x, c));
    *hash_index_at(&x, c, &added) = 3;
    assert_int_equal(*hash_index_find(&x, a), 1);
    assert_int_equal(*hash_index_find(&x, b), 2);
    assert_int_equal(*hash_index_find(&x, c), 3);
    hash_index_deinit(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_seed_is_part_of_the_hash),
        cmocka_unit_test(nothing_hashes_to_what_xxh3_says),
        cmocka_unit_test(numbers_are_found_by_their_hash_however_many),
        cmocka_unit_test(hashes_that_share_a_slot_are_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
