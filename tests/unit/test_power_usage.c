#include "power_tree.h"

#include <errno.h>

#include "server/power/cgroup.h"
#include "server/power/processes.h"
#include "server/power/usage.h"

/* ---- the machine ----------------------------------------------------------------------- */

static void the_machine_uses_what_is_neither_idle_nor_stolen(void **state)
{
    struct host_usage h;
    struct usage u;

    (void)state;
    tree_core_ticks(1000);
    assert_int_equal(host_usage_open(&h, scratch_path("proc")), 0);
    usage_init(&u, "host", host_usage_read, &h);
    assert_unknown(usage_read(&u, 1));
    /* 150 ticks of 10 ms */
    tree_core_ticks(1150);
    assert_near(usage_read(&u, 1), 1.5, 1e-12);
    assert_near(u.cores, 1.5, 1e-12);
    tree_core_ticks(1200);
    assert_near(usage_read(&u, 0.25), 0.5, 1e-12);
    assert_near(u.cores, 2, 1e-12);
    tree_core_ticks(1100); /* a count that fell tells nothing */
    assert_unknown(usage_read(&u, 1));
    assert_int_equal(u.errors, 0);
    tree_put("proc/stat", "cpu  1 2\n");
    assert_unknown(usage_read(&u, 1));
    assert_int_equal(u.errors, 1);
    host_usage_close(&h);
    tree_put("proc/stat", "intr 5\n");
    assert_int_equal(host_usage_open(&h, scratch_path("proc")), -EINVAL);
    assert_int_equal(host_usage_open(&h, scratch_path("none")), -ENOENT);
}

static void cores_are_counted_by_the_list_of_those_online(void **state)
{
    static const struct {
        const char *list;
        double cores;
    } cases[] = { { "0\n", 1 },       { "0-3\n", 4 },   { "0-63,96-127\n", 96 },
                  { "0,2,4-5\n", 4 }, { "3-1\n", NAN }, { "0-\n", NAN },
                  { "0-1x\n", NAN },  { "x\n", NAN },   { "\n", NAN } };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tree_put("sys/devices/system/cpu/online", cases[i].list);
        assert_near(host_cores(scratch_path("sys")), cases[i].cores, 0);
    }
    assert_unknown(host_cores(scratch_path("none")));
}

/* ---- cgroups --------------------------------------------------------------------------- */

static double cgroup_seconds(const char *path)
{
    struct cgroup g;
    struct err e;
    uint64_t ns;
    double s = NAN;

    if (cgroup_open(&g, tree_config().cgroupfs, path, &e) < 0)
        return NAN;
    if (cgroup_read(&g, &ns) == 0)
        s = (double)ns / 1e9;
    cgroup_close(&g);
    return s;
}

static void a_cgroup_of_version_2_counts_in_its_cpu_stat(void **state)
{
    (void)state;
    tree_put("cgroup/encodes.slice/cpu.stat",
             "usage_usec 12345678\nuser_usec 1\nsystem_usec 2\nnr_periods 0\n");
    assert_near(cgroup_seconds("encodes.slice"), 12.345678, 1e-12);
    assert_near(cgroup_seconds("/encodes.slice"), 12.345678, 1e-12);
    assert_near(cgroup_seconds(scratch_path("cgroup/encodes.slice")), 12.345678, 1e-12);
    assert_unknown(cgroup_seconds("encodes"));
    tree_put("cgroup/encodes.slice/cpu.stat", "user_usec 1\nusage_usec 7\n");
    assert_near(cgroup_seconds("encodes.slice"), 7e-6, 1e-12);
    tree_put("cgroup/encodes.slice/cpu.stat", "usage_usec x\n");
    assert_unknown(cgroup_seconds("encodes.slice"));
}

static void a_cgroup_of_version_1_counts_in_its_cpuacct_usage(void **state)
{
    (void)state;
    tree_put("cgroup/cpu/encodes/cpu.stat", "nr_periods 0\nnr_throttled 0\n");
    tree_put("cgroup/cpuacct/encodes/cpuacct.usage", "12345678901\n");
    tree_put("cgroup/cpu,cpuacct/both/cpu.stat", "nr_periods 0\n");
    tree_put("cgroup/cpu,cpuacct/both/cpuacct.usage", "2000000000\n");
    assert_near(cgroup_seconds("encodes"), 12.345678901, 1e-12);
    assert_near(cgroup_seconds("/encodes"), 12.345678901, 1e-12);
    assert_near(cgroup_seconds("cpuacct/encodes"), 12.345678901, 1e-12);
    assert_near(cgroup_seconds("both"), 2, 1e-12);
    assert_unknown(cgroup_seconds("cpu/encodes")); /* knows periods, and no use */
}

static void where_both_versions_are_either_counts(void **state)
{
    (void)state;
    tree_put("cgroup/unified/new/cpu.stat", "usage_usec 3000000\n");
    tree_put("cgroup/cpuacct/old/cpuacct.usage", "4000000000\n");
    tree_put("cgroup/unified/two/cpu.stat", "usage_usec 5000000\n");
    tree_put("cgroup/cpuacct/two/cpuacct.usage", "5000000001\n");
    assert_near(cgroup_seconds("new"), 3, 1e-12);
    assert_near(cgroup_seconds("old"), 4, 1e-12);
    assert_near(cgroup_seconds("two"), 5.000000001, 1e-12);
}

static void a_cgroup_that_is_not_there_is_said_with_its_name(void **state)
{
    struct cgroup g;
    struct err e;

    (void)state;
    scratch_mkdir("cgroup");
    assert_int_equal(cgroup_open(&g, tree_config().cgroupfs, "gone", &e), -ENOENT);
    assert_non_null(strstr(e.text, "--power.cgroup: no cgroup gone with cpu.stat"));
    assert_non_null(strstr(e.text, "No such file"));
}

static void a_cgroup_that_is_made_again_counts_from_then(void **state)
{
    struct cgroup g;
    struct usage u;
    struct err e;

    (void)state;
    tree_put("cgroup/job/cpu.stat", "usage_usec 9000000\n");
    assert_int_equal(cgroup_open(&g, tree_config().cgroupfs, "job", &e), 0);
    usage_init(&u, "cgroup", cgroup_read, &g);
    assert_unknown(usage_read(&u, 1));
    tree_put("cgroup/job/cpu.stat", "usage_usec 9500000\n");
    assert_near(usage_read(&u, 1), 0.5, 1e-12);
    tree_put("cgroup/job/cpu.stat", ""); /* as ENODEV, which the kernel gives */
    tree_remove("cgroup/job");
    assert_unknown(usage_read(&u, 1));
    assert_unknown(usage_read(&u, 1));
    assert_int_equal(u.errors, 2);
    tree_put("cgroup/job/cpu.stat", "usage_usec 100\n");
    assert_unknown(usage_read(&u, 1));
    tree_put("cgroup/job/cpu.stat", "usage_usec 800100\n");
    assert_near(usage_read(&u, 1), 0.8, 1e-12);
    cgroup_close(&g);
}

/* ---- processes -------------------------------------------------------------------------- */

static struct processes procs;

static void open_processes(const char *name)
{
    struct err e;

    assert_int_equal(processes_open(&procs, tree_config().procfs, name, &e), 0);
}

/* Hundredths of a second, counted so far. */
static uint64_t counted(void)
{
    uint64_t ns = 1;

    assert_int_equal(processes_read(&procs, &ns), 0);
    return ns / 10000000;
}

static void what_a_process_used_stays_counted_when_it_ends(void **state)
{
    (void)state;
    tree_put("proc/self/stat", "not a number\n");
    tree_process(10, "ffmpeg", 500, 1000, 100);
    tree_process(11, "bash", 400, 5000, 5000);
    open_processes("ffmpeg");
    assert_int_equal(counted(), 0); /* was there before */
    tree_process(10, "ffmpeg", 500, 1060, 110);
    assert_int_equal(counted(), 70);
    tree_process(12, "ffmpeg", 900, 25, 5); /* began since */
    tree_process(10, "ffmpeg", 500, 1100, 110);
    assert_int_equal(counted(), 70 + 40 + 30);
    tree_remove("proc/10");
    tree_process(12, "ffmpeg", 900, 30, 5);
    assert_int_equal(counted(), 145);
    tree_remove("proc/12");
    assert_int_equal(counted(), 145);
    tree_process(13, "ffmpeg", 1000, 7, 0);
    assert_int_equal(counted(), 152);
    processes_close(&procs);
}

static void a_number_that_is_used_again_is_another_process(void **state)
{
    (void)state;
    tree_process(10, "ffmpeg", 500, 1000, 0);
    open_processes("ffmpeg");
    assert_int_equal(counted(), 0);
    tree_process(10, "ffmpeg", 700, 40, 0);
    assert_int_equal(counted(), 40); /* neither 0 nor less */
    tree_process(10, "ffmpeg", 700, 50, 0);
    assert_int_equal(counted(), 50);
    /* more than the last one had: still all its own */
    tree_process(10, "ffmpeg", 800, 60, 0);
    assert_int_equal(counted(), 110);
    tree_process(10, "x264", 900, 5000, 0);
    assert_int_equal(counted(), 110);
    processes_close(&procs);
}

/* proc/PID/stat of a child of `parent`. */
static void child_process(int pid, int parent, uint64_t user)
{
    char path[64], text[256];

    snprintf(path, sizeof path, "proc/%d/stat", pid);
    snprintf(text, sizeof text,
             "%d (ffmpeg) S %d 1 1 0 -1 0 0 0 0 0 %" PRIu64
             " 0 0 0 20 0 1 0 900 0 0 0\n",
             pid, parent, user);
    tree_put(path, text);
}

static void what_this_process_started_is_no_encode(void **state)
{
    (void)state;
    child_process(10, 1, 100);
    assert_int_equal(symlink("42", scratch_path("proc/self")), 0);
    open_processes("ffmpeg");
    assert_int_equal(counted(), 0);
    child_process(10, 1, 130);
    child_process(11, 42, 1000);
    assert_int_equal(counted(), 30);
    child_process(11, 42, 5000);
    assert_int_equal(counted(), 30);
    child_process(12, 420, 7);
    assert_int_equal(counted(), 37);
    processes_close(&procs);
}

static void a_process_takes_its_name_after_it_began(void **state)
{
    (void)state;
    tree_process(10, "sh", 500, 3, 0);
    open_processes("ffmpeg");
    assert_int_equal(counted(), 0);
    tree_process(11, "sh", 600, 1, 0); /* forked, about to execute */
    assert_int_equal(counted(), 0);
    tree_process(11, "ffmpeg", 600, 91, 0);
    assert_int_equal(counted(), 90);
    tree_process(11, "ffmpeg", 600, 190, 0);
    assert_int_equal(counted(), 189);
    processes_close(&procs);
}

static void one_that_takes_the_name_late_counts_from_when_it_is_found(void **state)
{
    uint64_t last = 0;
    int readings = 0;

    (void)state;
    for (int pid = 100; pid < 300; pid++)
        tree_process(pid, "sh", 500, 1000, 0);
    open_processes("ffmpeg");
    for (int i = 0; i < 10; i++)
        assert_int_equal(counted(), 0);
    for (int pid = 100; pid < 300; pid += 10)
        tree_process(pid, "ffmpeg", 500, 2000, 0);
    while (procs.all && readings++ < 20)
        last = counted();
    assert_int_equal(last, 0); /* who had these ticks is not known */
    for (int pid = 100; pid < 300; pid += 10)
        tree_process(pid, "ffmpeg", 500, 2010, 0);
    assert_int_equal(counted(), 200); /* all twenty were found */
    processes_close(&procs);
}

static void many_that_begin_at_once_are_all_counted(void **state)
{
    (void)state;
    tree_process(1, "init", 1, 1, 0);
    open_processes("ffmpeg");
    assert_int_equal(counted(), 0);
    for (int pid = 100; pid < 700; pid++)
        tree_process(pid, "ffmpeg", 500, 1, 0);
    assert_int_equal(counted(), 256); /* a reading looks at no more new ones */
    assert_int_equal(counted(), 512);
    assert_int_equal(counted(), 600);
    assert_int_equal(counted(), 600);
    processes_close(&procs);
}

static void names_are_whole_and_as_long_as_the_kernel_keeps_them(void **state)
{
    (void)state;
    tree_process(1, "init", 1, 1, 0);
    open_processes("my (odd) encoder-9000");
    assert_int_equal(counted(), 0);
    tree_process(10, "my (odd) encode", 500, 5, 1);
    tree_process(11, "my (odd) encod", 500, 50, 0);
    tree_process(12, "x my (odd) enco", 500, 500, 0);
    assert_int_equal(counted(), 6);
    assert_true(procs.any);
    tree_put("proc/13/stat", "13 (my (odd) encode) S 1 2\n");
    tree_put("proc/14/stat", "14 my\n");
    tree_put("proc/15/status", "no stat\n");
    assert_int_equal(counted(), 6);
    processes_close(&procs);
}

static void whether_one_was_ever_there_is_known(void **state)
{
    struct err e;

    (void)state;
    tree_process(1, "init", 1, 1, 0);
    open_processes("ffmpeg");
    counted();
    assert_false(procs.any);
    tree_process(9, "ffmpeg", 5, 0, 0);
    counted();
    assert_true(procs.any);
    tree_remove("proc/9");
    counted();
    assert_true(procs.any);
    processes_close(&procs);
    assert_int_equal(processes_open(&procs, scratch_path("none"), "x", &e), -ENOENT);
    processes_close(&procs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        tree_test(the_machine_uses_what_is_neither_idle_nor_stolen),
        tree_test(cores_are_counted_by_the_list_of_those_online),
        tree_test(a_cgroup_of_version_2_counts_in_its_cpu_stat),
        tree_test(a_cgroup_of_version_1_counts_in_its_cpuacct_usage),
        tree_test(where_both_versions_are_either_counts),
        tree_test(a_cgroup_that_is_not_there_is_said_with_its_name),
        tree_test(a_cgroup_that_is_made_again_counts_from_then),
        tree_test(what_a_process_used_stays_counted_when_it_ends),
        tree_test(a_number_that_is_used_again_is_another_process),
        tree_test(what_this_process_started_is_no_encode),
        tree_test(a_process_takes_its_name_after_it_began),
        tree_test(one_that_takes_the_name_late_counts_from_when_it_is_found),
        tree_test(many_that_begin_at_once_are_all_counted),
        tree_test(names_are_whole_and_as_long_as_the_kernel_keeps_them),
        tree_test(whether_one_was_ever_there_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
