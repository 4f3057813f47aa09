#include "server/sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/test.h"

/* The order of the registry: results, qoe, cost. */
enum { RESULTS, QOE, COST };

static const char *const all_on[MODULES_MAX] = { ":1", ":2", ":3" };
static const char *const no_results[MODULES_MAX] = { "", ":2", ":3" };

/* Sockets of these names go to these endpoints; -1 ends them. */
static void gives(const char *names, size_t count, const char *const listen[],
                  const int want[])
{
    struct sockets s = { .count = count };
    struct err e = { 0 };

    if (sockets_assign(view_of(names), listen, &s, &e) < 0)
        fail_msg("%s: %s", names ? names : "no names", e.text);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(s.all[i].endpoint, want[i]);
}

static void refuses(const char *names, size_t count, const char *const listen[],
                    const char *because)
{
    struct sockets s = { .count = count };
    struct err e = { 0 };

    assert_int_equal(sockets_assign(view_of(names), listen, &s, &e), -EINVAL);
    if (!strstr(e.text, because))
        fail_msg("\"%s\" is not about: %s", e.text, because);
}

static void a_name_says_whose_a_socket_is(void **state)
{
    (void)state;
    gives("cost:results:qoe", 3, all_on, (int[]){ COST, RESULTS, QOE });
    gives("qoe:qoe", 2, all_on, (int[]){ QOE, QOE });
    gives("qoe", 1, no_results, (int[]){ QOE });
}

static void sockets_without_a_name_go_in_order(void **state)
{
    (void)state;
    gives(NULL, 3, all_on, (int[]){ RESULTS, QOE, COST });
    gives(NULL, 1, all_on, (int[]){ RESULTS });
    gives(NULL, 2, no_results, (int[]){ QOE, COST });
    gives("encode_exporter.socket:encode_exporter.socket", 2, all_on,
          (int[]){ RESULTS, QOE });
    gives("unknown:", 2, all_on, (int[]){ RESULTS, QOE });
}

static void names_come_first_and_the_rest_in_order(void **state)
{
    (void)state;
    gives("x.socket:results:x.socket", 3, all_on, (int[]){ QOE, RESULTS, COST });
    gives("results:cost:x.socket", 3, all_on, (int[]){ RESULTS, COST, QOE });
}

static void what_has_no_place_is_refused(void **state)
{
    (void)state;
    refuses("qeo", 1, all_on, "\"qeo\"");
    refuses("connection", 1, all_on, "\"connection\"");
    refuses("results", 1, no_results, "results, but that endpoint is off");
    refuses(NULL, 4, all_on, "4 sockets are more");
    refuses(NULL, 3, no_results, "3 sockets are more");
    refuses("qoe:x.socket:x.socket", 3, no_results, "3 sockets are more");
    refuses("qoe", 2, all_on, "fewer names");
    refuses("qoe:cost:results", 2, all_on, "more names");
}

/* ---- with descriptors: each in a process of its own, where 3 and 4 are free --------- */

static int listening(void)
{
    struct sockaddr_un any = { .sun_family = AF_UNIX }; /* the kernel names it */
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)&any, sizeof any.sun_family) < 0 ||
        listen(fd, 1) < 0)
        _exit(100);
    return fd;
}

static void put(const char *name, const char *value)
{
    if (value)
        setenv(name, value, 1);
    else
        unsetenv(name);
}

struct outcome {
    int rc;
    size_t count;
    bool closed_on_exec, variables_left;
    char text[sizeof(((struct err *)0)->text)];
};

/* pid NULL: the process's own. first, second: become descriptors 3 and 4; -1: closed. */
static struct outcome takes(const char *pid, const char *fds, const char *names,
                            int first, int second)
{
    struct outcome o;
    int channel[2];
    pid_t child;

    assert_int_equal(pipe(channel), 0);
    child = fork();
    if (child == 0) {
        struct sockets s;
        struct err e = { 0 };
        char own[32];
        int keep = fcntl(channel[1], F_DUPFD, 64);

        first = first < 0 ? -1 : fcntl(first, F_DUPFD, 64);
        second = second < 0 ? -1 : fcntl(second, F_DUPFD, 64);
        close(3);
        close(4);
        if (first >= 0)
            dup2(first, 3);
        if (second >= 0)
            dup2(second, 4);
        snprintf(own, sizeof own, "%d", (int)getpid());
        put("LISTEN_PID", pid ? pid : own);
        put("LISTEN_FDS", fds);
        put("LISTEN_FDNAMES", names);
        o = (struct outcome){ .rc = sockets_take(all_on, &s, &e) };
        o.count = s.count;
        o.closed_on_exec = fcntl(3, F_GETFD) == FD_CLOEXEC;
        o.variables_left =
            getenv("LISTEN_PID") || getenv("LISTEN_FDS") || getenv("LISTEN_FDNAMES");
        snprintf(o.text, sizeof o.text, "%s", e.text);
        _exit(write(keep, &o, sizeof o) == sizeof o ? 0 : 1);
    }
    close(channel[1]);
    assert_int_equal(read(channel[0], &o, sizeof o), sizeof o);
    close(channel[0]);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_false(o.variables_left);
    return o;
}

static void sockets_are_taken_once_and_closed_on_exec(void **state)
{
    (void)state;
    int a = listening(), b = listening();
    struct outcome o = takes(NULL, "2", "qoe:results", a, b);

    assert_int_equal(o.rc, 0);
    assert_int_equal(o.count, 2);
    assert_true(o.closed_on_exec);
    o = takes(NULL, "1", "", a, -1);
    assert_int_equal(o.rc, 0);
    assert_int_equal(o.count, 1);
    close(a);
    close(b);
}

static void what_is_meant_for_another_process_is_left(void **state)
{
    (void)state;
    int a = listening();
    const char *const pids[] = { "1", "0", "", "x" };

    for (size_t i = 0; i < sizeof pids / sizeof pids[0]; i++) {
        struct outcome o = takes(pids[i], "1", NULL, a, -1);

        assert_int_equal(o.rc, 0);
        assert_int_equal(o.count, 0);
        assert_false(o.closed_on_exec);
    }
    assert_int_equal(takes(NULL, NULL, "qoe", a, -1).count, 0);
    assert_int_equal(takes(NULL, "0", NULL, a, -1).count, 0);
    close(a);
}

static void assert_fails(struct outcome o, int rc, const char *because)
{
    if (o.rc != rc || !strstr(o.text, because))
        fail_msg("%d, \"%s\" is not about: %s", o.rc, o.text, because);
}

static void descriptors_that_are_no_listening_sockets_are_refused(void **state)
{
    (void)state;
    int good = listening(), file = open("/dev/null", O_RDONLY | O_CLOEXEC);
    int stream = socket(AF_UNIX, SOCK_STREAM, 0);
    int datagram = socket(AF_UNIX, SOCK_DGRAM, 0);
    int netlink = socket(AF_NETLINK, SOCK_DGRAM, 0);

    assert_fails(takes(NULL, "2", NULL, good, -1), -EBADF, "descriptor 4 is not open");
    assert_fails(takes(NULL, "2", NULL, good, file), -EBADF, "4 is no socket");
    assert_fails(takes(NULL, "2", NULL, good, stream), -EINVAL, "4 does not listen");
    assert_fails(takes(NULL, "1", NULL, datagram, -1), -EINVAL, "3 is no stream");
    assert_fails(takes(NULL, "1", NULL, netlink, -1), -EINVAL, "3 is no stream");
    close(good);
    close(file);
    close(stream);
    close(datagram);
    close(netlink);
}

static void numbers_that_are_none_are_refused(void **state)
{
    (void)state;
    int a = listening();
    const char *const numbers[] = { "", "x", "-1", "1.5", "nan" };

    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        assert_fails(takes(NULL, numbers[i], NULL, a, -1), -EINVAL, "is no number");
    assert_fails(takes(NULL, "17", NULL, a, -1), -EINVAL, "more than 16");
    assert_fails(takes(NULL, "1e99", NULL, a, -1), -EINVAL, "more than 16");
    close(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_says_whose_a_socket_is),
        cmocka_unit_test(sockets_without_a_name_go_in_order),
        cmocka_unit_test(names_come_first_and_the_rest_in_order),
        cmocka_unit_test(what_has_no_place_is_refused),
        cmocka_unit_test(sockets_are_taken_once_and_closed_on_exec),
        cmocka_unit_test(what_is_meant_for_another_process_is_left),
        cmocka_unit_test(descriptors_that_are_no_listening_sockets_are_refused),
        cmocka_unit_test(numbers_that_are_none_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
