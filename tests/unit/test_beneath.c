/*
 * Every promise is tested three times: with openat2(), and in a process where a seccomp
 * filter makes the call fail as an old kernel (ENOSYS) or an old filter (EPERM) would.
 * Where there is no seccomp the two last are skipped.
 */
#include "server/sources/beneath.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "scratch.h"

enum { SWAPS = 20000 };

static int root = -1; /* the directory "d" of the scratch directory */

static int setup(void **state)
{
    int rc = scratch_setup(state);

    if (rc < 0)
        return rc;
    scratch_mkdir("d");
    scratch_mkdir("d/sub");
    scratch_mkdir("d/a");
    scratch_mkdir("d/a/b");
    scratch_mkdir("d-more");
    scratch_mkdir("out");
    scratch_write("out/secret", "secret");
    scratch_write("d-more/secret", "secret");
    scratch_write("d/file", "content");
    scratch_write("d/sub/deep", "deep");
    root = open(scratch_path("d"), O_PATH | O_DIRECTORY | O_CLOEXEC);
    return root < 0 ? -1 : 0;
}

static int teardown(void **state)
{
    close(root);
    return scratch_teardown(state);
}

/* The first bytes of what the name leads to; "" if it was refused, *rc says why. */
static const char *content(const char *name, int flags, int *rc, struct err *e)
{
    static char text[32];
    char link[64];
    int path = beneath_open(root, name, flags, e), fd;
    ssize_t n = 0;

    *rc = path < 0 ? path : 0;
    text[0] = '\0';
    if (path < 0)
        return text;
    snprintf(link, sizeof link, "/proc/self/fd/%d", path);
    fd = open(link, O_RDONLY | O_CLOEXEC);
    if (fd >= 0)
        n = read(fd, text, sizeof text - 1);
    text[n > 0 ? n : 0] = '\0';
    close(fd);
    close(path);
    return text;
}

static void assert_leads_to(const char *name, const char *want)
{
    const int flags[] = { O_PATH, O_RDONLY | O_NONBLOCK };
    struct err e = { 0 };
    int rc;

    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        const char *got = content(name, flags[i], &rc, &e);

        if (rc < 0)
            print_error("%s: %s\n", name, e.text);
        assert_int_equal(rc, 0);
        assert_string_equal(got, want);
    }
}

static void assert_refused(const char *name, int want, const char *reason)
{
    struct err e = { 0 };
    int rc;

    content(name, O_PATH, &rc, &e);
    if (rc != want || !strstr(e.text, reason))
        print_error("%s: %d, \"%s\" says nothing of \"%s\"\n", name, rc, e.text,
                    reason);
    assert_int_equal(rc, want);
    assert_int_equal(e.code, want);
    assert_non_null(strstr(e.text, reason));
}

/* Descriptors that are open: none may be left behind. */
static int open_descriptors(void)
{
    int n = 0;

    for (int fd = 0; fd < 256; fd++)
        n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

/* ---- the promises ------------------------------------------------------------------- */

static void links_inside_are_followed(void **state)
{
    (void)state;
    scratch_link("file", "d/to_file");
    scratch_link("sub/../file", "d/with_dots");
    scratch_link("./sub//deep", "d/with_slashes");
    scratch_link("..2026_1", "d/..data");
    scratch_mkdir("d/..2026_1");
    scratch_write("d/..2026_1/m", "mapped");
    scratch_link("..data/m", "d/m");
    scratch_link("../file", "d/sub/up");
    scratch_link("sub/up", "d/twice");
    assert_leads_to("file", "content");
    assert_leads_to("to_file", "content");
    assert_leads_to("with_dots", "content");
    assert_leads_to("with_slashes", "deep");
    assert_leads_to("m", "mapped");
    assert_leads_to("twice", "content");
}

static void absolute_links_into_the_directory_are_followed(void **state)
{
    (void)state;
    scratch_link(scratch_path("d/file"), "d/absolute");
    scratch_link(scratch_path("d/sub/../absolute"), "d/chain");
    scratch_link(scratch_path("d"), "d/self");
    scratch_link("self/self/file", "d/through_self");
    assert_leads_to("absolute", "content");
    assert_leads_to("chain", "content");
    assert_leads_to("through_self", "content");
}

static void links_that_lead_out_are_refused_and_tell_where_to(void **state)
{
    (void)state;
    scratch_link("../out/secret", "d/up");
    scratch_link(scratch_path("out/secret"), "d/absolute_out");
    scratch_link(scratch_path("d-more/secret"), "d/sibling");
    scratch_link("sub/../../out/secret", "d/around");
    scratch_link("..", "d/parent");
    scratch_link("parent/out/secret", "d/through");
    scratch_link(scratch_path("d/../out/secret"), "d/absolute_around");
    scratch_link("../d/file", "d/out_and_back");
    scratch_link("/proc/self/environ", "d/environ");
    scratch_link("/", "d/slash");
    assert_refused("up", -EXDEV, "to ../out/secret");
    assert_refused("absolute_out", -EXDEV, scratch_path("out/secret"));
    assert_refused("sibling", -EXDEV, "d-more/secret");
    assert_refused("around", -EXDEV, "to ../out/secret");
    assert_refused("parent", -EXDEV, "to ..");
    assert_refused("through", -EXDEV, "to ../out/secret");
    assert_refused("absolute_around", -EXDEV, "to ../out/secret");
    assert_refused("out_and_back", -EXDEV, "to ../d/file");
    assert_refused("environ", -EXDEV, "to /proc/self/environ");
    assert_refused("slash", -EXDEV, "to /");
    assert_refused("slash/etc/passwd", -EXDEV, "to //etc/passwd");
    assert_refused("../out/secret", -EXDEV, "");
    assert_refused("/etc/passwd", -EXDEV, "");
}

static void links_to_nothing_and_in_circles_say_so(void **state)
{
    (void)state;
    scratch_link("nothing", "d/dangling");
    scratch_link("circle", "d/circle");
    scratch_link("file/x", "d/through_a_file");
    assert_refused("dangling", -ENOENT, "");
    assert_refused("circle", -ELOOP, "symbolic links");
    assert_refused("through_a_file", -ENOTDIR, "");
    assert_refused("no_such_name", -ENOENT, "");
}

static void a_link_may_end_in_a_directory(void **state)
{
    (void)state;
    const char *const names[] = { "sub", "to_sub", "to_root", "round" };

    scratch_link("sub", "d/to_sub");
    scratch_link(".", "d/to_root");
    scratch_link("a/b/../..", "d/round");
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        int fd = beneath_open(root, names[i], O_PATH, NULL);
        struct stat st;

        assert_true(fd >= 0);
        assert_int_equal(fstat(fd, &st), 0);
        assert_true(S_ISDIR(st.st_mode));
        assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
        close(fd);
    }
}

static void nothing_is_left_open(void **state)
{
    (void)state;
    const char *const names[] = { "file", "deepest", "up", "no", "long", "a/b/no" };
    int before = open_descriptors(), rc;
    struct err e;

    scratch_link("../out/secret", "d/up");
    scratch_link("a/b/../../sub/deep", "d/deepest");
    scratch_link("a/b/../b/../b/../../../out", "d/long");
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        content(names[i], O_PATH, &rc, &e);
    assert_int_equal(open_descriptors(), before);
}

/* Swaps two names, again and again, in a process that stop_swapping() ends. */
static pid_t swapping(const char *a, const char *b)
{
    char one[PATH_MAX], two[PATH_MAX];
    pid_t child;

    snprintf(one, sizeof one, "%s", scratch_path(a));
    snprintf(two, sizeof two, "%s", scratch_path(b));
    child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;)
            syscall(SYS_renameat2, AT_FDCWD, one, AT_FDCWD, two, 2 /* EXCHANGE */);
    }
    assert_true(child > 0);
    return child;
}

static void stop_swapping(pid_t child)
{
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
}

/* Reads the name until both good content and a refusal were seen, SWAPS times at
 * least: then the race was one. */
static void assert_never_secret(const char *name, const char *good)
{
    unsigned read_well = 0, refused = 0;

    for (unsigned i = 0; i < SWAPS || ((!read_well || !refused) && i < 100 * SWAPS);
         i++) {
        struct err e = { 0 };
        int rc;
        const char *got =
            content(name, i % 2 ? O_PATH : O_RDONLY | O_NONBLOCK, &rc, &e);

        assert_null(strstr(got, "secret"));
        assert_null(strstr(e.text, "content"));
        if (rc == 0 && strcmp(got, good) == 0)
            read_well++;
        else
            refused++;
    }
    assert_true(read_well > 0);
    assert_true(refused > 0);
}

static void a_file_swapped_for_a_link_never_leads_out(void **state)
{
    (void)state;
    pid_t swapper;

    scratch_write("d/x", "content");
    scratch_link(scratch_path("out/secret"), "d/y");
    swapper = swapping("d/x", "d/y");
    assert_never_secret("x", "content");
    stop_swapping(swapper);
}

static void a_directory_swapped_for_a_link_never_leads_out(void **state)
{
    (void)state;
    pid_t swapper;

    scratch_write("d/sub/secret", "content");
    scratch_link("../out", "d/other");
    scratch_link("sub/secret", "d/through");
    swapper = swapping("d/sub", "d/other");
    assert_never_secret("through", "content");
    stop_swapping(swapper);
}

/* a/c goes out while it is walked: then ".." of it is out/, where a secret lies. */
static void a_directory_that_is_moved_out_does_not_take_the_walk_along(void **state)
{
    (void)state;
    pid_t swapper;

    scratch_write("d/a/secret", "content");
    scratch_mkdir("d/a/c");
    scratch_link("nothing", "out/x");
    scratch_link("a/c/../secret", "d/moved");
    swapper = swapping("d/a/c", "out/x");
    assert_never_secret("moved", "content");
    stop_swapping(swapper);
}

/* ---- the three ways ----------------------------------------------------------------- */

static int denied_with; /* errno of openat2(); 0: it works, where the kernel has it */

static bool deny_openat2(void)
{
    struct sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (uint32_t)denied_with),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = { sizeof program / sizeof program[0], program };

    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

static void the_call_fails_as_it_should_in_this_process(void **state)
{
    (void)state;
    if (denied_with == 0)
        skip();
    assert_int_equal(syscall(SYS_openat2, root, "file", NULL, 0), -1);
    assert_int_equal(errno, denied_with);
}

static int run_denied(int code)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(the_call_fails_as_it_should_in_this_process),
        TEST(links_inside_are_followed),
        TEST(absolute_links_into_the_directory_are_followed),
        TEST(links_that_lead_out_are_refused_and_tell_where_to),
        TEST(links_to_nothing_and_in_circles_say_so),
        TEST(a_link_may_end_in_a_directory),
        TEST(nothing_is_left_open),
        TEST(a_file_swapped_for_a_link_never_leads_out),
        TEST(a_directory_swapped_for_a_link_never_leads_out),
        TEST(a_directory_that_is_moved_out_does_not_take_the_walk_along),
    };
    const char *name = code == 0        ? "with openat2"
                       : code == ENOSYS ? "without openat2"
                                        : "with openat2 forbidden";

    denied_with = code;
    if (code && !deny_openat2()) {
        print_message("%s: no seccomp here, skipped\n", name);
        return 0;
    }
    return cmocka_run_group_tests_name(name, tests, NULL, NULL);
}

int main(void)
{
    const int codes[] = { 0, ENOSYS, EPERM };
    int failed = 0;

    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        int status;

        fflush(NULL);

        pid_t child = fork();

        if (child == 0)
            exit(run_denied(codes[i]) != 0);
        if (waitpid(child, &status, 0) != child || status != 0)
            failed++;
    }
    return failed;
}
