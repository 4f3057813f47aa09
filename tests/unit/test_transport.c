#include "server/web/transport_open.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "scratch.h"

static void assert_not_opened(const char *path, const char *reason)
{
    const struct transport *t = NULL;
    struct err e = { 0 };

    assert_true(transport_open(path, &t, &e) < 0);
    assert_null(t);
    assert_true(e.code < 0);
    assert_non_null(strstr(e.text, path));
    if (!strstr(e.text, reason))
        fail_msg("\"%s\" does not say \"%s\"", e.text, reason);
}

static void the_library_of_this_build_is_opened(void **state)
{
    (void)state;
    const struct transport *t = NULL;
    struct err e = { 0 };

    assert_int_equal(transport_open(TRANSPORT_TLS, &t, &e), 0);
    assert_int_equal(t->abi, TRANSPORT_ABI);
    assert_non_null(t->problem); /* the last member */
}

static void another_version_is_refused(void **state)
{
    (void)state;
    assert_not_opened(TRANSPORT_OTHER, "another version of encode_exporter");
}

static void a_file_that_is_no_library_is_refused_with_the_reason(void **state)
{
    (void)state;
    scratch_write("transport_tls.so", "not an ELF file, for sure\n");
    assert_not_opened(scratch_path("transport_tls.so"), "cannot load");
    assert_not_opened(scratch_path("none.so"), "No such file");
    assert_not_opened(scratch_path("none.so"), "libssl3");
}

static void a_library_of_somebody_else_is_refused(void **state)
{
    (void)state;
    Dl_info cmocka;

    /* Any library that is there and is not ours. */
    assert_true(dladdr((void *)(uintptr_t)_fail, &cmocka));
    assert_not_opened(cmocka.dli_fname, TRANSPORT_SYMBOL);
}

static void beside_a_program_without_it_none_is_found(void **state)
{
    (void)state;
    struct err e = { 0 };

    /* This program lies one directory below the library. */
    assert_null(transport_load(&e));
    assert_non_null(strstr(e.text, "transport_tls.so"));
    assert_non_null(strstr(e.text, "neither"));
    assert_int_equal(e.code, -ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_library_of_this_build_is_opened),
        cmocka_unit_test(another_version_is_refused),
        cmocka_unit_test(a_file_that_is_no_library_is_refused_with_the_reason),
        cmocka_unit_test(a_library_of_somebody_else_is_refused),
        cmocka_unit_test(beside_a_program_without_it_none_is_found),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
