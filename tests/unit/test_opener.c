#include "server/sources/opener.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "scratch.h"

enum { PADDING = 64 };

/* Opens the directory "d" of the scratch directory for one call. */
static int read_in(const char *name, uint64_t max, struct buf *text, struct err *e)
{
    int dirfd = open(scratch_path("d"), O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct stamp stamp;

    assert_true(dirfd >= 0);

    int rc = opener_read(dirfd, name, max, PADDING, text, &stamp, e);

    close(dirfd);
    return rc;
}

static void assert_reads(const char *name, const char *want)
{
    struct buf text = { 0 };
    struct err e = { 0 };
    int rc = read_in(name, 1 << 20, &text, &e);

    if (rc < 0)
        print_error("%s: %s\n", name, e.text);
    assert_int_equal(rc, 0);
    assert_view(buf_as_view(&text), want);
    buf_deinit(&text);
}

static void assert_refuses(const char *name, int want, const char *reason)
{
    struct buf text = { 0 };
    struct err e = { 0 };

    assert_int_equal(read_in(name, 1 << 20, &text, &e), want);
    if (!strstr(e.text, reason))
        print_error("%s: \"%s\" says nothing of \"%s\"\n", name, e.text, reason);
    assert_non_null(strstr(e.text, reason));
    buf_deinit(&text);
}

static int setup(void **state)
{
    int rc = scratch_setup(state);

    if (rc == 0) {
        scratch_mkdir("d");
        scratch_mkdir("d/sub");
        scratch_mkdir("d-more");
        scratch_write("outside", "secret");
        scratch_write("d-more/x", "secret");
        scratch_write("d/file", "content");
        scratch_write("d/sub/deep", "deep");
    }
    return rc;
}

static void a_file_is_read_whole(void **state)
{
    (void)state;
    assert_reads("file", "content");
    assert_reads("sub/deep", "deep");
    scratch_write("d/empty", "");
    assert_reads("empty", "");
}

static void the_bytes_behind_the_text_are_readable_and_zero(void **state)
{
    (void)state;
    struct buf text = { 0 };

    assert_int_equal(read_in("file", 100, &text, NULL), 0);
    for (size_t i = 0; i < PADDING; i++)
        assert_int_equal(text.p[text.n + i], 0);
    buf_deinit(&text);
}

static void a_file_of_just_the_limit_is_read_and_one_byte_more_is_not(void **state)
{
    (void)state;
    struct buf text = { 0 };
    struct err e = { 0 };

    assert_int_equal(read_in("file", 7, &text, &e), 0);
    assert_int_equal(read_in("file", 6, &text, &e), OPENER_TOO_LARGE);
    assert_non_null(strstr(e.text, "7 bytes"));
    assert_non_null(strstr(e.text, "6 bytes"));
    buf_deinit(&text);
}

static void links_inside_the_directory_are_followed(void **state)
{
    (void)state;
    scratch_link("file", "d/to_file");
    scratch_link("sub/../file", "d/with_dots");
    scratch_link("..2026_1", "d/..data");
    scratch_mkdir("d/..2026_1");
    scratch_write("d/..2026_1/m", "mapped");
    scratch_link("..data/m", "d/m");
    assert_reads("to_file", "content");
    assert_reads("with_dots", "content");
    assert_reads("m", "mapped");
}

static void a_link_that_leaves_is_refused_even_if_it_comes_back(void **state)
{
    (void)state;
    scratch_link(scratch_path("d/file"), "d/absolute");
    scratch_link("../d/file", "d/around");
    assert_reads("absolute", "content");
    assert_refuses("around", OPENER_LEADS_OUT, "../d/file");
}

static void links_that_lead_out_are_refused(void **state)
{
    (void)state;
    scratch_link("../outside", "d/up");
    scratch_link(scratch_path("outside"), "d/absolute_out");
    scratch_link(scratch_path("d-more/x"), "d/sibling");
    scratch_link("..", "d/parent");
    scratch_link("parent/outside", "d/through");
    assert_refuses("up", OPENER_LEADS_OUT, "outside");
    assert_refuses("absolute_out", OPENER_LEADS_OUT, "outside");
    assert_refuses("sibling", OPENER_LEADS_OUT, "d-more/x");
    assert_refuses("through", OPENER_LEADS_OUT, "outside");
    assert_refuses("../outside", OPENER_LEADS_OUT, "outside");
}

static void links_to_nothing_and_in_circles_say_so(void **state)
{
    (void)state;
    scratch_link("nothing", "d/dangling");
    scratch_link("circle", "d/circle");
    assert_refuses("dangling", -ENOLINK, "leads to nothing");
    assert_refuses("circle", -ELOOP, "symbolic links");
    assert_refuses("no_such_name", OPENER_GONE, "");
}

static void what_is_no_regular_file_is_not_opened(void **state)
{
    (void)state;
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(address.sun_path, sizeof address.sun_path, "%s", scratch_path("d/socket"));
    assert_int_equal(bind(s, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(mkfifo(scratch_path("d/fifo"), 0644), 0);
    scratch_link("fifo", "d/to_fifo");
    assert_refuses("fifo", OPENER_NOT_REGULAR, "FIFO");
    assert_refuses("to_fifo", OPENER_NOT_REGULAR, "FIFO");
    assert_refuses("sub", OPENER_NOT_REGULAR, "directory");
    assert_refuses("socket", OPENER_NOT_REGULAR, "socket");
    close(s);
}

/* The holder could let an ordinary open() wait for /proc/sys/fs/lease-break-time. */
static void a_lease_makes_nobody_wait(void **state)
{
    (void)state;
    int fd = open(scratch_path("d/file"), O_RDWR | O_CLOEXEC);

    assert_true(fd >= 0);
    signal(SIGIO, SIG_IGN);
    if (fcntl(fd, F_SETLEASE, F_WRLCK) < 0) { /* not on every file system */
        close(fd);
        skip();
    }
    assert_refuses("file", OPENER_HELD, "lease");
    assert_int_equal(fcntl(fd, F_SETLEASE, F_UNLCK), 0);
    close(fd);
    assert_reads("file", "content");
}

/* Calls test in a process that sees another /proc: an empty one. */
static void without_proc(void (*test)(void))
{
    int status;
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        if (unshare(CLONE_NEWNS) < 0 && unshare(CLONE_NEWNS | CLONE_NEWUSER) < 0)
            _exit(77);
        if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
            mount("none", "/proc", "tmpfs", 0, NULL) < 0)
            _exit(77);
        test();
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77)
        skip();
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void check_without_proc(void)
{
    const struct {
        const char *name;
        int want;
    } cases[] = {
        { "file", 0 },
        { "to_file", 0 },
        { "up", OPENER_LEADS_OUT },
        /* Its own path is not to be had: what the link spells cannot be told. */
        { "absolute", OPENER_LEADS_OUT },
        { "fifo", OPENER_NOT_REGULAR },
        { "sub", OPENER_NOT_REGULAR },
        { "no_such_name", OPENER_GONE },
    };

    if (access("/proc/self/fd", F_OK) == 0)
        _exit(100);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf text = { 0 };
        int rc = read_in(cases[i].name, 100, &text, NULL);

        if (rc != cases[i].want ||
            (rc == 0 && !view_eq(buf_as_view(&text), VIEW("content"))))
            _exit((int)i + 1);
        buf_deinit(&text);
    }
}

static void without_proc_files_are_read_and_links_out_refused(void **state)
{
    (void)state;
    scratch_link("file", "d/to_file");
    scratch_link("../outside", "d/up");
    scratch_link(scratch_path("d/file"), "d/absolute");
    assert_int_equal(mkfifo(scratch_path("d/fifo"), 0644), 0);
    without_proc(check_without_proc);
}

static void a_look_tells_the_target_of_a_link(void **state)
{
    (void)state;
    int dirfd = open(scratch_path("d"), O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct look file, to_file, gone;
    struct err e = { 0 };

    scratch_link("file", "d/link");
    assert_int_equal(link(scratch_path("d/file"), scratch_path("d/hard")), 0);
    assert_int_equal(opener_look(dirfd, "file", &file, &e), 0);
    assert_int_equal(opener_look(dirfd, "link", &to_file, &e), 0);
    assert_int_equal(opener_look(dirfd, "gone", &gone, &e), OPENER_GONE);
    assert_false(file.is_link);
    assert_true(to_file.is_link);
    assert_int_equal(file.links, 2);
    assert_true(stamp_eq(&file.stamp, &to_file.stamp));
    assert_int_equal(file.stamp.size, 7);

    scratch_write("d/file", "longer content");
    assert_int_equal(opener_look(dirfd, "link", &to_file, &e), 0);
    assert_false(stamp_eq(&file.stamp, &to_file.stamp));

    unlink(scratch_path("d/file"));
    assert_int_equal(opener_look(dirfd, "link", &to_file, &e), -ENOLINK);
    assert_true(to_file.is_link);
    close(dirfd);
}

/*
 * A writer that strikes in the middle of a read: this pread() takes the place of libc's
 * and gives d/busy another size first, so many times.
 */
static int strikes;
static size_t new_size;

/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name) */
ssize_t pread(int fd, void *to, size_t n, off_t at)
{
    if (strikes > 0) {
        strikes--;
        assert_int_equal(truncate(scratch_path("d/busy"), (off_t)new_size++), 0);
    }
    return syscall(SYS_pread64, fd, to, n, at);
}

static void a_file_that_grows_or_shrinks_while_it_is_read_is_read_again(void **state)
{
    (void)state;
    scratch_write("d/busy", "content");
    strikes = 1;
    new_size = 3;
    assert_reads("busy", "con");

    struct buf text = { 0 };

    strikes = 1;
    new_size = 5; /* two zero bytes more */
    assert_int_equal(read_in("busy", 100, &text, NULL), 0);
    assert_int_equal(text.n, 5);
    assert_memory_equal(text.p, "con\0\0", 5);
    assert_int_equal(strikes, 0);
    buf_deinit(&text);
}

static void a_file_that_does_not_stop_changing_is_left(void **state)
{
    (void)state;
    struct buf text = { 0 };
    struct err e = { 0 };

    scratch_write("d/busy", "content");
    strikes = 1000;
    new_size = 10; /* and one byte more each time */
    assert_int_equal(read_in("busy", 100, &text, &e), OPENER_CHANGING);
    assert_non_null(strstr(e.text, "keeps changing"));
    assert_int_equal(text.n, 0);
    strikes = 0;
    assert_int_equal(read_in("busy", 100, &text, &e), 0);
    assert_int_equal(text.n, new_size - 1);
    buf_deinit(&text);
}

static void a_trusted_file_is_read_wherever_it_leads(void **state)
{
    (void)state;
    struct buf text = { 0 };
    struct stamp stamp;
    struct err e = { 0 };

    scratch_link("../outside", "d/up");
    assert_int_equal(
        opener_read_trusted(scratch_path("d/up"), 100, 8, &text, &stamp, &e), 0);
    assert_view(buf_as_view(&text), "secret");
    assert_int_equal(opener_read_trusted(scratch_path("d"), 100, 8, &text, &stamp, &e),
                     OPENER_NOT_REGULAR);
    assert_int_equal(opener_read_trusted(scratch_path("no"), 100, 8, &text, &stamp, &e),
                     OPENER_GONE);
    buf_deinit(&text);
}

/* Runs the tests of links in a process in which openat2() fails with this errno. */
static void without_openat2(int code)
{
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        struct sock_filter program[] = {
            BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
            BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
            BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (uint32_t)code),
            BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        };
        struct sock_fprog filter = { sizeof program / sizeof program[0], program };
        struct {
            const char *name;
            int want;
        } cases[] = {
            { "file", 0 },
            { "to_file", 0 },
            { "absolute", 0 },
            { "m", 0 },
            { "up", OPENER_LEADS_OUT },
            { "sibling", OPENER_LEADS_OUT },
            { "dangling", -ENOLINK },
            { "fifo", OPENER_NOT_REGULAR },
            { "no_such_name", OPENER_GONE },
        };

        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
            prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) < 0)
            _exit(77);
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
            struct buf text = { 0 };
            int rc = read_in(cases[i].name, 100, &text, NULL);

            buf_deinit(&text);
            if (rc != cases[i].want)
                _exit((int)i + 1);
        }
        _exit(0);
    }

    int status;

    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77)
        skip();
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void without_openat2_the_same_links_are_followed_and_refused(void **state)
{
    (void)state;
    scratch_link("file", "d/to_file");
    scratch_link(scratch_path("d/file"), "d/absolute");
    scratch_link("..2026_1", "d/..data");
    scratch_mkdir("d/..2026_1");
    scratch_write("d/..2026_1/m", "mapped");
    scratch_link("..data/m", "d/m");
    scratch_link("../outside", "d/up");
    scratch_link(scratch_path("d-more/x"), "d/sibling");
    scratch_link("nothing", "d/dangling");
    assert_int_equal(mkfifo(scratch_path("d/fifo"), 0644), 0);
    without_openat2(ENOSYS);
    without_openat2(EPERM);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, scratch_teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_file_is_read_whole),
        TEST(the_bytes_behind_the_text_are_readable_and_zero),
        TEST(a_file_of_just_the_limit_is_read_and_one_byte_more_is_not),
        TEST(links_inside_the_directory_are_followed),
        TEST(a_link_that_leaves_is_refused_even_if_it_comes_back),
        TEST(links_that_lead_out_are_refused),
        TEST(links_to_nothing_and_in_circles_say_so),
        TEST(what_is_no_regular_file_is_not_opened),
        TEST(a_lease_makes_nobody_wait),
        TEST(without_proc_files_are_read_and_links_out_refused),
        TEST(a_look_tells_the_target_of_a_link),
        TEST(a_file_that_grows_or_shrinks_while_it_is_read_is_read_again),
        TEST(a_file_that_does_not_stop_changing_is_left),
        TEST(a_trusted_file_is_read_wherever_it_leads),
        TEST(without_openat2_the_same_links_are_followed_and_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
