#include "tests/unit/test.h"

#include "core/table.h"

enum { KEYS = 5000 };

static char keys[KEYS][16];

static struct view key(int i)
{
    return view_of(keys[i]);
}

static void what_is_put_is_found_until_it_is_removed(void **state)
{
    struct table t = { 0 };
    size_t seen = 0;

    (void)state;
    for (int i = 0; i < KEYS; i++) {
        snprintf(keys[i], sizeof keys[i], "key %d", i);
        table_put(&t, key(i), keys[i]);
    }
    /* Every third goes; the others stay reachable though probes ran through the gaps. */
    for (int i = 0; i < KEYS; i += 3)
        assert_ptr_equal(table_remove(&t, key(i)), keys[i]);
    for (int i = 0; i < KEYS; i++)
        assert_ptr_equal(table_get(&t, key(i)), i % 3 ? keys[i] : NULL);
    assert_null(table_remove(&t, key(0)));
    for (size_t i = 0; table_next(&t, &i);)
        seen++;
    assert_int_equal(seen, t.count);
    assert_int_equal(t.count, KEYS - (KEYS + 2) / 3);
    table_deinit(&t);
}

static void an_empty_table_holds_nothing(void **state)
{
    struct table t = { 0 };
    size_t i = 0;

    (void)state;
    assert_null(table_get(&t, VIEW("x")));
    assert_null(table_remove(&t, VIEW("x")));
    assert_null(table_next(&t, &i));
    table_deinit(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_put_is_found_until_it_is_removed),
        cmocka_unit_test(an_empty_table_holds_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
