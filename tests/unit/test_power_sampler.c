#include "power_tree.h"

#include <errno.h>

#include "server/power/sampler_inner.h"

#define MS INT64_C(1000000)

/* Unix time of the first reading of most tests: 2 ms into a second. */
#define FIRST_S  1700000000
#define FIRST_NS (FIRST_S * GRID_NS + 2 * MS)

static uv_loop_t loop;
static struct config config;
static struct self *self;
static struct sampler *sampler;
static struct instant clocks;
static unsigned told;

static void on_sampled(void *ctx)
{
    ++*(unsigned *)ctx;
}

static int start(struct err *e)
{
    int rc;

    assert_int_equal(uv_loop_init(&loop), 0);
    self = self_new("1", "2");
    rc = sampler_new(&loop, &config, self, on_sampled, &told, &sampler, e);
    if (rc == 0 && sampler) {
        clocks = (struct instant){ FIRST_NS, 5000 * GRID_NS, 9000 * GRID_NS };
        sampler->has_last = false;
        sampler->scan_ns = clocks.running_ns;
        sampler_read(sampler, &clocks);
    }
    return rc;
}

static void stop(void)
{
    sampler_stop(sampler);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    self_free(self);
    sampler = NULL;
}

/* A reading that much later, by all clocks. */
static void after_ns(int64_t ns)
{
    clocks.unix_ns += ns;
    clocks.running_ns += ns;
    clocks.boot_ns += ns;
    sampler_read(sampler, &clocks);
}

static int setup(void **state)
{
    int rc = tree_setup(state);

    config = (struct config){ .power = tree_config() };
    told = 0;
    return rc;
}

static double watts(int64_t second)
{
    return timeline_get(sampler_power(sampler), FIRST_S + second);
}

static double cores(int64_t second)
{
    return timeline_get(sampler_cores(sampler), FIRST_S + second);
}

static void text(struct buf *out)
{
    struct body *b = self_body(self, (uint64_t)clocks.running_ns);

    for (uint32_t i = 0; i < b->chunk_count; i++)
        buf_add(out, b->chunks[i]->text, b->chunks[i]->n);
    buf_char(out, '\0');
}

/* Whether the families say this line (with its end), or begin one so. */
static bool says(const char *line)
{
    struct buf all = { 0 };
    const char *at;
    bool found = false;

    text(&all);
    for (at = all.p; !found && (at = strstr(at, line)); at++)
        found = at == all.p || at[-1] == '\n';
    buf_deinit(&all);
    return found;
}

/* ---- energy on the grid ------------------------------------------------------------------ */

static void energy_is_laid_on_whole_seconds_in_proportion(void **state)
{
    struct err e;

    (void)state;
    tree_zone("intel-rapl:0", "package-0\n", 0, 262143328850);
    assert_int_equal(start(&e), 0);
    assert_unknown(sampler_until(sampler));
    tree_energy("intel-rapl:0", 50000000);
    after_ns(GRID_NS);
    /* 2 ms of second 0 are before the first reading */
    assert_unknown(watts(0));
    assert_near(sampler_until(sampler), FIRST_S + 1, 0);
    tree_energy("intel-rapl:0", 150000000);
    after_ns(GRID_NS);
    /* 2 ms at 50 W, 998 ms at 100 W */
    assert_near(watts(1), 0.002 * 50 + 0.998 * 100, 1e-12);
    assert_unknown(watts(2));
    assert_near(sampler_until(sampler), FIRST_S + 2, 0);
    tree_energy("intel-rapl:0", 450000000);
    after_ns(3 * GRID_NS);
    assert_near(watts(2), 0.002 * 100 + 0.998 * 100, 1e-12);
    assert_near(watts(3), 100, 1e-12);
    assert_near(watts(4), 100, 1e-12);
    assert_near(sampler_until(sampler), FIRST_S + 5, 0);
    assert_int_equal(sampler_basis(sampler), ENERGY_SAMPLER);
    stop();
}

static void all_energy_is_on_the_grid_and_none_twice(void **state)
{
    struct err e;
    uint64_t counter = 0, range = 65532610987, odd = 1, used = 0;

    (void)state;
    tree_zone("intel-rapl:0", "package-0\n", counter, range);
    assert_int_equal(start(&e), 0);
    after_ns(998 * MS); /* now at whole seconds */
    for (int i = 0; i < 4000; i++) {
        /* Steps of 0.9 to 1.1 s with 40 to 140 W, so that the counter wraps 5 times. */
        odd = odd * 6364136223846793005U + 1442695040888963407U;

        int64_t ns = 900 * MS + (int64_t)(odd >> 33) % (200 * MS);
        uint64_t uj = 40000000 + (odd >> 35) % 100000000;

        used += uj;
        counter += uj;
        counter = counter >= range ? counter - range : counter;
        tree_energy("intel-rapl:0", counter);
        after_ns(ns);
    }

    double covered, from = FIRST_S + 1, to = sampler_until(sampler);
    double laid = timeline_total(sampler_power(sampler), from, to, &covered);

    /* What is missing at the end is the second in progress. */
    assert_near(covered, to - from, 1e-9);
    assert_near(laid + sampler->power.amount, (double)used / 1e6, 1e-9);
    assert_near(sampler->zones.all[0].energy_j, (double)used / 1e6, 1e-9);
    stop();
}

static void a_reading_that_fails_is_bridged(void **state)
{
    struct err e;

    (void)state;
    tree_zone("intel-rapl:0", "package-0\n", 0, 262143328850);
    tree_zone("intel-rapl:1", "package-1\n", 0, 262143328850);
    assert_int_equal(start(&e), 0);
    for (int i = 1; i <= 10; i++) {
        tree_energy("intel-rapl:0", (uint64_t)i * 10000000);
        tree_energy("intel-rapl:1", (uint64_t)i * 20000000);
        if (i == 5)
            tree_put("sys/class/powercap/intel-rapl:1/energy_uj", "\n");
        after_ns(GRID_NS);
        if (i == 5)
            assert_true(
                says("encode_exporter_power_read_errors_total{source=\"package_1\"} "
                     "1\n"));
    }
    /* Reading 5 and with it the steps 4-5 and 5-6 are not known: seconds 4, 5 and 6 lie on
     * the line between those beside them. */
    for (int k = 1; k <= 9; k++)
        assert_near(watts(k), 30, 1e-12);
    stop();
}

static void a_clock_that_is_set_leaves_a_hole(void **state)
{
    struct err e;
    uint64_t uj = 0;

    (void)state;
    tree_zone("intel-rapl:0", "package-0\n", 0, 262143328850);
    assert_int_equal(start(&e), 0);
    for (int i = 0; i < 10; i++) {
        tree_energy("intel-rapl:0", uj += 10000000);
        if (i == 5)
            clocks.unix_ns += 30 * GRID_NS; /* set forward */
        after_ns(GRID_NS);
    }
    for (int k = 1; k < 5; k++)
        assert_near(watts(k), 10, 1e-12);
    for (int k = 5; k <= 36; k++)
        assert_unknown(watts(k));
    for (int k = 37; k < 40; k++)
        assert_near(watts(k), 10, 1e-12);
    /* The counter of energy knows nothing of clocks. */
    assert_near(sampler->zones.all[0].energy_j, 100, 1e-12);

    clocks.unix_ns -= 33 * GRID_NS; /* and back, into what was measured */
    for (int i = 0; i < 4; i++) {
        tree_energy("intel-rapl:0", uj += 70000000);
        after_ns(GRID_NS);
    }
    assert_near(watts(7), NAN, 0);
    assert_near(watts(8), NAN, 0);
    for (int k = 9; k < 11; k++)
        assert_near(watts(k), 70, 1e-12);
    for (int k = 11; k < 50; k++)
        assert_unknown(watts(k)); /* not yet, by this clock */
    assert_near(watts(4), 10, 1e-12);
    assert_near(sampler_until(sampler), FIRST_S + 11, 0);

    clocks.unix_ns -= 100000 * GRID_NS; /* it was wrong for more than a day */
    tree_energy("intel-rapl:0", uj + 70000000);
    after_ns(GRID_NS);
    assert_int_equal(timeline_bytes(sampler_power(sampler)), 0);
    assert_near(sampler_power(sampler)->step_s, 1, 0);
    assert_true(sampler_power(sampler)->of_means);
    stop();
}

static void a_machine_that_slept_leaves_a_hole(void **state)
{
    struct err e;
    uint64_t uj = 0;

    (void)state;
    tree_zone("intel-rapl:0", "package-0\n", 0, 262143328850);
    assert_int_equal(start(&e), 0);
    for (int i = 0; i < 6; i++) {
        tree_energy("intel-rapl:0", uj += 10000000);
        if (i == 3) {
            clocks.unix_ns += 20 * GRID_NS;
            clocks.boot_ns += 20 * GRID_NS;
        }
        after_ns(GRID_NS);
    }
    assert_near(watts(2), 10, 1e-12);
    for (int k = 3; k <= 24; k++)
        assert_unknown(watts(k));
    assert_near(watts(25), 10, 1e-12);
    assert_near(sampler->zones.all[0].energy_j, 50, 1e-12); /* who knows what it did */
    stop();
}

static void a_pause_of_a_minute_is_known_and_a_longer_one_is_not(void **state)
{
    struct err e;

    (void)state;
    tree_zone("intel-rapl:0", "package-0\n", 0, 262143328850);
    assert_int_equal(start(&e), 0);
    tree_energy("intel-rapl:0", 600000000);
    after_ns(60 * GRID_NS);
    assert_near(watts(1), 10, 1e-12);
    assert_near(watts(59), 10, 1e-12);
    tree_energy("intel-rapl:0", 1200000000);
    after_ns(61 * GRID_NS);
    assert_unknown(watts(60));
    assert_unknown(watts(100));
    tree_energy("intel-rapl:0", 1210000000);
    after_ns(GRID_NS);
    tree_energy("intel-rapl:0", 1220000000);
    after_ns(GRID_NS);
    assert_unknown(watts(121));
    assert_near(watts(122), 10, 1e-12);
    stop();
}

static void a_day_is_kept_in_two_megabytes(void **state)
{
    struct err e;
    uint64_t uj = 0;

    (void)state;
    tree_zone("intel-rapl:0", "package-0\n", 0, 262143328850);
    tree_put("cgroup/job/cpu.stat", "usage_usec 1\n");
    config.power.cgroup = "job";
    assert_int_equal(start(&e), 0);
    for (int i = 0; i < 2000; i++) {
        tree_energy("intel-rapl:0", uj += 2900000000);
        tree_put("cgroup/job/cpu.stat",
                 i % 2 ? "usage_usec 1\n" : "usage_usec 9000001\n");
        after_ns(58 * GRID_NS);
    }
    assert_true(sampler_until(sampler) > FIRST_S + 115000);
    assert_near(watts(116000 - SAMPLER_KEPT_S), 50, 1e-9);
    assert_unknown(watts(116000 - SAMPLER_KEPT_S - TIMELINE_PAGE_CELLS));
    assert_true(timeline_bytes(sampler_power(sampler)) +
                    timeline_bytes(sampler_cores(sampler)) <=
                2000000);
    stop();
}

static void zones_that_are_plugged_in_and_out_are_noticed(void **state)
{
    struct err e;
    uint64_t uj = 0;

    (void)state;
    tree_zone("intel-rapl:0", "package-0\n", 0, 262143328850);
    assert_int_equal(start(&e), 0);
    tree_zone("intel-rapl:1", "package-1\n", 0, 262143328850);
    for (int i = 1; i <= 64; i++) {
        tree_energy("intel-rapl:0", uj += 10000000);
        tree_energy("intel-rapl:1", 2 * uj);
        after_ns(GRID_NS);
    }
    assert_near(watts(59), 10, 1e-12);
    assert_unknown(watts(61)); /* found at 60, and only then read for the first time */
    assert_near(watts(63), 30, 1e-12);
    tree_put("sys/class/powercap/intel-rapl:1/energy_uj", "");
    tree_remove("sys/class/powercap/intel-rapl:1");
    for (int i = 1; i <= 20; i++) {
        tree_energy("intel-rapl:0", uj += 10000000);
        after_ns(GRID_NS);
    }
    assert_unknown(watts(65));
    assert_near(watts(83), 10, 1e-12);
    assert_int_equal(sampler->zones.count, 1);
    stop();
}

/* ---- cores, and estimates ----------------------------------------------------------------- */

static void cores_of_the_cgroup_are_laid_as_energy_is(void **state)
{
    struct err e;

    (void)state;
    tree_put("cgroup/job/cpu.stat", "usage_usec 500\n");
    tree_put("sys/devices/system/cpu/online", "0-15\n");
    config.power.cgroup = "job";
    assert_int_equal(start(&e), 0);
    assert_non_null(sampler);
    assert_null(sampler_power(sampler)); /* no zone: only this is read */
    assert_int_equal(sampler_basis(sampler), ENERGY_NONE);
    assert_near(sampler_host_cores(sampler), 16, 0);
    tree_put("cgroup/job/cpu.stat", "usage_usec 4000500\n");
    after_ns(GRID_NS);
    assert_true(says("encode_exporter_cpu_cores_used{scope=\"cgroup\"} 4\n"));
    tree_put("cgroup/job/cpu.stat", "usage_usec 7500500\n");
    after_ns(GRID_NS);
    assert_near(cores(1), 0.002 * 4 + 0.998 * 3.5, 1e-12);
    assert_true(says("encode_exporter_cpu_core_seconds_total{scope=\"cgroup\"} 7.5\n"));
    assert_false(says("encode_exporter_power_watts"));
    assert_false(says("encode_exporter_cpu_cores_used{scope=\"host\"}"));
    stop();
}

static void processes_that_were_never_seen_are_not_known_to_use_nothing(void **state)
{
    struct err e;

    (void)state;
    tree_process(1, "init", 1, 1, 0);
    tree_core_ticks(100);
    config.power.process = "ffmpeg";
    assert_int_equal(start(&e), 0);
    for (int i = 0; i < 5; i++)
        after_ns(GRID_NS);
    for (int k = 0; k < 5; k++)
        assert_unknown(cores(k));
    assert_false(says("encode_exporter_cpu_cores_used{scope=\"process\"}"));
    assert_false(says("encode_exporter_cpu_core_seconds_total{scope=\"process\"}"));
    assert_true(says("encode_exporter_cpu_cores_used{scope=\"host\"} 0\n"));
    tree_process(7, "ffmpeg", 50, 40, 10);
    after_ns(GRID_NS);
    assert_true(says("encode_exporter_cpu_cores_used{scope=\"process\"} 0.5\n"));
    tree_process(7, "ffmpeg", 50, 140, 10);
    after_ns(GRID_NS);
    tree_remove("proc/7");
    after_ns(GRID_NS);
    after_ns(GRID_NS);
    assert_unknown(cores(4));
    assert_near(cores(5), 0.998 * 0.5, 1e-12); /* its 2 ms before are known: none */
    assert_near(cores(6), 0.002 * 0.5 + 0.998 * 1, 1e-12);
    assert_near(cores(7), 0.002 * 1, 1e-12);
    assert_near(cores(8), 0, 0); /* 0 is a measurement now */
    stop();
}

static void a_model_estimates_where_there_is_no_counter(void **state)
{
    struct err e;

    (void)state;
    tree_core_ticks(100);
    config.power.model_text = "40,6.5";
    assert_int_equal(power_config_complete(&config.power, &e), 0);
    assert_int_equal(start(&e), 0);
    assert_int_equal(sampler_basis(sampler), ENERGY_ESTIMATED);
    tree_core_ticks(300); /* 2 cores: 40 + 13 W */
    after_ns(GRID_NS);
    assert_true(says("encode_exporter_power_watts{zone=\"model\"} 53\n"));
    assert_true(says("encode_exporter_energy_joules_total{zone=\"model\"} 53\n"));
    tree_core_ticks(300);
    after_ns(GRID_NS);
    assert_near(watts(1), 0.002 * 53 + 0.998 * 40, 1e-12);
    tree_put("proc/stat", "\n");
    after_ns(GRID_NS);
    assert_false(says("encode_exporter_power_watts"));
    assert_true(says("encode_exporter_power_read_errors_total{source=\"host\"} 1\n"));
    assert_near(sampler->model_j, 93, 1e-12);
    stop();
    unlink(scratch_path("proc/stat"));
    assert_int_equal(start(&e), -ENOENT);
    assert_non_null(strstr(e.text, "--power.model"));
    stop();
}

static void a_model_is_left_out_where_power_is_measured(void **state)
{
    struct err e;

    (void)state;
    tree_zone("intel-rapl:0", "package-0\n", 0, 262143328850);
    tree_core_ticks(100);
    config.power.model_text = "40,6.5";
    assert_int_equal(power_config_complete(&config.power, &e), 0);
    assert_int_equal(start(&e), 0);
    assert_int_equal(sampler_basis(sampler), ENERGY_SAMPLER);
    tree_energy("intel-rapl:0", 7000000);
    after_ns(GRID_NS);
    assert_true(says("encode_exporter_power_watts{zone=\"package_0\"} 7\n"));
    assert_false(says("encode_exporter_power_watts{zone=\"model\"}"));
    stop();
}

/* ---- what is served, and when nothing is ---------------------------------------------------- */

static void names_of_the_rapl_exporter_are_served_when_asked_for(void **state)
{
    struct err e;

    (void)state;
    tree_zone("intel-rapl:0", "package-0\n", 0, 262143328850);
    tree_zone("intel-rapl:0:0", "core\n", 0, 262143328850);
    config.power.rapl_names = true;
    assert_int_equal(start(&e), 0);
    tree_energy("intel-rapl:0", 7000000);
    tree_energy("intel-rapl:0:0", 3000000);
    after_ns(GRID_NS);
    assert_true(says("rapl_power_watts{zone=\"package_0\"} 7\n"));
    assert_true(says("rapl_power_watts{zone=\"package_0_core\"} 3\n"));
    assert_true(says("rapl_energy_joules_total{zone=\"package_0\"} 7\n"));
    assert_true(says("encode_exporter_power_watts{zone=\"package_0\"} 7\n"));
    assert_false(says("encode_exporter_power_watts{zone=\"package_0_core\"}"));
    stop();
    config.power.rapl_names = false;
    assert_int_equal(start(&e), 0);
    assert_false(says("rapl_"));
    stop();
}

static void nothing_to_read_is_no_sampler_and_no_timer(void **state)
{
    struct err e;

    (void)state;
    tree_core_ticks(1);
    assert_int_equal(start(&e), 0);
    assert_null(sampler);
    assert_false(uv_loop_alive(&loop));
    assert_false(says("encode_exporter_cpu_cores_used"));
    stop();
    tree_zone("intel-rapl:0", "package-0\n", 0, 262143328850);
    config.power.mode = POWER_OFF;
    assert_int_equal(start(&e), 0);
    assert_null(sampler);
    assert_false(uv_loop_alive(&loop));
    stop();
}

static void what_is_asked_for_by_name_has_to_be_there(void **state)
{
    struct err e;

    (void)state;
    config.power.mode = POWER_RAPL;
    assert_int_equal(start(&e), -ENODEV);
    assert_non_null(strstr(e.text, "give --power.model or --prometheus-url"));
    stop();
    tree_zone("intel-rapl:0", "package-0\n", 0, 262143328850);
    config.power.cgroup = "gone";
    assert_int_equal(start(&e), -ENOENT);
    assert_non_null(strstr(e.text, "gone"));
    stop();
    config.power.cgroup = NULL;
    config.power.process = "ffmpeg";
    assert_int_equal(start(&e), -ENOENT); /* no procfs there */
    stop();
    config.power.process = NULL;
    assert_int_equal(unlink(scratch_path("sys/class/powercap/intel-rapl:0/energy_uj")),
                     0);
    scratch_mkdir("sys/class/powercap/intel-rapl:0/energy_uj");
    assert_int_equal(start(&e), -EISDIR);
    assert_non_null(strstr(e.text, "intel-rapl:0/energy_uj: Is a directory"));
    stop();
    config.power.mode = POWER_AUTO;
    assert_int_equal(start(&e), 0);
    assert_null(sampler);
    stop();
}

static void what_cannot_be_looked_at_for_a_moment_is_looked_at_again(void **state)
{
    struct err e;
    uint64_t uj = 0;

    (void)state;
    tree_zone("intel-rapl:0", "", 0, 262143328850); /* no line: cannot be so */
    tree_put("proc/stat", "");
    assert_int_equal(start(&e), 0);
    assert_non_null(sampler);
    for (int i = 0; i < 3; i++)
        after_ns(GRID_NS);
    assert_false(says("encode_exporter_power_watts"));
    assert_true(says("encode_exporter_power_read_errors_total{source=\"host\"} 5\n"));
    tree_zone("intel-rapl:0", "package-0\n", 0, 262143328850);
    for (int i = 0; i < 5; i++) {
        tree_energy("intel-rapl:0", uj += 10000000);
        tree_core_ticks(uj / 100000);
        after_ns(GRID_NS);
    }
    assert_near(watts(7), 10, 1e-12);
    assert_true(says("encode_exporter_power_watts{zone=\"package_0\"} 10\n"));
    assert_true(says("encode_exporter_cpu_cores_used{scope=\"host\"} 1\n"));
    stop();
}

static void it_rests_when_it_turns_out_that_there_is_nothing(void **state)
{
    struct err e;

    (void)state;
    tree_zone("intel-rapl:0", "", 0, 262143328850);
    tree_core_ticks(1);
    assert_int_equal(start(&e), 0);
    assert_non_null(sampler_power(sampler));
    tree_remove("sys/class/powercap/intel-rapl:0");
    for (int i = 0; i < 3; i++)
        after_ns(GRID_NS);
    assert_null(sampler_power(sampler));
    assert_false(says("encode_exporter_cpu_cores_used"));
    for (int i = 0; uv_loop_alive(&loop) && i < 10; i++)
        uv_run(&loop, UV_RUN_ONCE);
    assert_false(uv_loop_alive(&loop)); /* the timer it had was the last */
    stop();
}

static void it_reads_by_itself_once_a_second(void **state)
{
    struct err e;

    (void)state;
    tree_zone("intel-rapl:0", "package-0\n", 0, 262143328850);
    assert_int_equal(start(&e), 0);
    for (int i = 0; told < 2 && i < 100; i++)
        uv_run(&loop, UV_RUN_ONCE);
    assert_int_equal(told, 2);
    /* Soon behind a second of the clock, however busy the machine; at the next one next. */
    assert_true(sampler->last.unix_ns % GRID_NS < 400 * MS);
    assert_true(uv_timer_get_due_in(&sampler->timer) <= 1500);
    stop();
}

static void a_host_is_here_by_any_of_its_names(void **state)
{
    struct err e;

    (void)state;
    tree_zone("intel-rapl:0", "package-0\n", 0, 262143328850);
    assert_int_equal(start(&e), 0);
    setenv("NODE_NAME", "worker-7", 1);
    snprintf(sampler->host_name, sizeof sampler->host_name, "enc1");
    assert_true(sampler_is_here(sampler, VIEW("")));
    assert_true(sampler_is_here(sampler, VIEW("enc1")));
    assert_true(sampler_is_here(sampler, VIEW("ENC1")));
    assert_true(sampler_is_here(sampler, VIEW("enc1.example.org")));
    assert_true(sampler_is_here(sampler, VIEW("localhost")));
    assert_true(sampler_is_here(sampler, VIEW("worker-7")));
    assert_false(sampler_is_here(sampler, VIEW("enc2")));
    assert_false(sampler_is_here(sampler, VIEW("enc10")));
    assert_false(sampler_is_here(sampler, VIEW("enc")));
    snprintf(sampler->host_name, sizeof sampler->host_name, "enc1.example.org");
    assert_true(sampler_is_here(sampler, VIEW("enc1")));
    assert_true(sampler_is_here(sampler, VIEW("enc1.example.org")));
    assert_false(sampler_is_here(sampler, VIEW("enc1.example.net")));
    unsetenv("NODE_NAME");
    assert_false(sampler_is_here(sampler, VIEW("worker-7")));
    stop();
}

/* ---- flags ------------------------------------------------------------------------------- */

static const char *refused(const char *zones, const char *model, const char *cgroup,
                           const char *process)
{
    static struct err e;
    struct power_config c = tree_config();

    c.zones_text = zones;
    c.model_text = model;
    c.cgroup = cgroup;
    c.process = process;
    return power_config_complete(&c, &e) < 0 ? e.text : "";
}

static void flags_that_contradict_are_refused(void **state)
{
    static const char *const models[] = { "40",   "40,", "40,6,1", "-1,6",
                                          "1,-6", "x,1", "nan,1",  "1,inf" };

    (void)state;
    assert_string_equal(refused("package,dram,gpu", NULL, NULL, NULL), "");
    assert_string_equal(refused(" package , dram", "0,0", "", "x"), "");
    assert_string_equal(refused("psys", "40,6.5", "x", ""), "");
    assert_non_null(strstr(refused("package,psys", NULL, NULL, NULL), "stands alone"));
    assert_non_null(strstr(refused("dram,psys", NULL, NULL, NULL), "stands alone"));
    assert_non_null(strstr(refused("core", NULL, NULL, NULL), "\"core\" is none of"));
    assert_non_null(strstr(refused("", NULL, NULL, NULL), "is none of"));
    assert_non_null(strstr(refused("package", NULL, "a", "b"), "--power.process"));
    for (size_t i = 0; i < sizeof models / sizeof *models; i++)
        assert_non_null(strstr(refused("package", models[i], NULL, NULL),
                               "is not IDLE_W,W_PER_CORE"));
}

#define sampler_test(f) cmocka_unit_test_setup_teardown(f, setup, scratch_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        sampler_test(energy_is_laid_on_whole_seconds_in_proportion),
        sampler_test(all_energy_is_on_the_grid_and_none_twice),
        sampler_test(a_reading_that_fails_is_bridged),
        sampler_test(a_clock_that_is_set_leaves_a_hole),
        sampler_test(a_machine_that_slept_leaves_a_hole),
        sampler_test(a_pause_of_a_minute_is_known_and_a_longer_one_is_not),
        sampler_test(a_day_is_kept_in_two_megabytes),
        sampler_test(zones_that_are_plugged_in_and_out_are_noticed),
        sampler_test(cores_of_the_cgroup_are_laid_as_energy_is),
        sampler_test(processes_that_were_never_seen_are_not_known_to_use_nothing),
        sampler_test(a_model_estimates_where_there_is_no_counter),
        sampler_test(a_model_is_left_out_where_power_is_measured),
        sampler_test(names_of_the_rapl_exporter_are_served_when_asked_for),
        sampler_test(nothing_to_read_is_no_sampler_and_no_timer),
        sampler_test(what_is_asked_for_by_name_has_to_be_there),
        sampler_test(what_cannot_be_looked_at_for_a_moment_is_looked_at_again),
        sampler_test(it_rests_when_it_turns_out_that_there_is_nothing),
        sampler_test(it_reads_by_itself_once_a_second),
        sampler_test(a_host_is_here_by_any_of_its_names),
        sampler_test(flags_that_contradict_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
