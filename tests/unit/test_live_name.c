#include "core/live_name.h"

#include "tests/unit/test.h"

static void assert_file(const char *file, enum live_kind kind, const char *want)
{
    struct view name = VIEW("untouched");

    assert_int_equal(live_name(view_of(file), &name), kind);
    assert_view(name, want);
}

static void the_suffix_tells_the_kind(void **state)
{
    (void)state;
    assert_file("a b.progress", LIVE_PROGRESS, "a b");
    assert_file("a.progress.txt", LIVE_PROGRESS, "a");
    assert_file("traffic360_libx264_veryfast_500k_live.psnr.log", LIVE_PSNR,
                "traffic360_libx264_veryfast_500k_live");
    assert_file("a.ssim.log", LIVE_SSIM, "a");
    assert_file("a.vmaf.json", LIVE_VMAF, "a");
    assert_file("a.vmaf.xml", LIVE_VMAF, "a");
    assert_file("a.vmaf.csv", LIVE_VMAF, "a");
    assert_file("a.b.vmaf.sub", LIVE_VMAF, "a.b");
    assert_file("a.psnr.psnr.log", LIVE_PSNR, "a.psnr");
}

static void other_files_and_those_without_a_name_are_none(void **state)
{
    (void)state;
    assert_file(".progress", LIVE_NONE, "untouched");
    assert_file("", LIVE_NONE, "untouched");
    assert_file("a.json", LIVE_NONE, "untouched");
    assert_file("a.log", LIVE_NONE, "untouched");
    assert_file("a.progress.tmp", LIVE_NONE, "untouched");
    assert_file("aprogress", LIVE_NONE, "untouched");
}

static void assert_canonical(const char *name, const char *want)
{
    struct buf b = { 0 };

    live_name_canonical(view_of(name), &b);
    assert_view(buf_as_view(&b), want);
    buf_deinit(&b);
}

static bool same(const char *one, const char *other)
{
    struct buf a = { 0 }, b = { 0 };
    bool equal;

    live_name_canonical(view_of(one), &a);
    live_name_canonical(view_of(other), &b);
    equal = view_eq(buf_as_view(&a), buf_as_view(&b));
    buf_deinit(&a);
    buf_deinit(&b);
    return equal;
}

static void what_people_replace_in_file_names_is_equal(void **state)
{
    (void)state;
    assert_canonical("sintel360 libvpx-vp9 realtime-6 1000k",
                     "sintel360_libvpx-vp9_realtime-6_1000k");
    assert_canonical("4 Streams @ 2500k (1080p)", "4_Streams_2500k_1080p");
    assert_canonical("a/b: c", "a_b_c");
    assert_canonical(" a ", "a");
    assert_canonical("5.1 H.264+AAC", "5.1_H.264+AAC");
    assert_canonical("\xC3\xA9t\xC3\xA9 1", "\xC3\xA9t\xC3\xA9_1");
    assert_canonical("", "");
    assert_canonical("//", "//");
    assert_true(same("4 Streams @ 2500k", "4_Streams___2500k"));
    assert_true(same("4 Streams @ 2500k", "4_Streams_2500k"));
}

static void other_names_are_others(void **state)
{
    (void)state;
    assert_false(same("a b", "ab"));
    assert_false(same("a b", "a b c"));
    assert_false(same("a b c", "a b"));
    assert_false(same("A", "a"));
    assert_false(same("a", ""));
    assert_false(same("/", "//"));
    assert_true(same("//", "//"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_suffix_tells_the_kind),
        cmocka_unit_test(other_files_and_those_without_a_name_are_none),
        cmocka_unit_test(what_people_replace_in_file_names_is_equal),
        cmocka_unit_test(other_names_are_others),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
