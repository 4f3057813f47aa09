#include "power_tree.h"

#include <errno.h>

#include "server/power/zones.h"

static const struct zone *zone(const struct zones *z, const char *name)
{
    for (size_t i = 0; i < z->count; i++)
        if (strcmp(z->all[i].name, name) == 0)
            return &z->all[i];
    return NULL;
}

static double read_zones(struct zones *z)
{
    bool failed = false;

    return zones_read(z, 1, &failed);
}

/* Zones of the tree by this list, read once. */
static struct power_config config;
static struct zones zones_of(const char *list)
{
    struct zones z;

    config = tree_config();
    config.zones_text = list;
    assert_int_equal(power_config_complete(&config, NULL), 0);
    zones_init(&z, &config);
    zones_scan(&z);
    assert_unknown(read_zones(&z));
    return z;
}

static void a_counter_that_begins_again_at_its_range_goes_on(void **state)
{
    uint64_t d;

    (void)state;
    assert_true(zone_delta(100, 350, 1000, &d));
    assert_int_equal(d, 250);
    /* 1000 - 900 up to the range, 50 since */
    assert_true(zone_delta(900, 50, 1000, &d));
    assert_int_equal(d, 150);
    assert_true(zone_delta(1000, 0, 1000, &d));
    assert_int_equal(d, 0);
    assert_true(zone_delta(UINT64_MAX - 5, UINT64_MAX, 0, &d));
    assert_int_equal(d, 5);
    assert_false(zone_delta(100, 50, 0, &d)); /* it never begins again */
    assert_false(zone_delta(2000, 50, 1000, &d));
}

static void packages_add_up_and_wrap_each_at_its_own_range(void **state)
{
    (void)state;
    tree_zone("intel-rapl:0", "package-0\n", 262143000000, 262143328850);
    tree_zone("intel-rapl:1", "package-1\n", 65532000000, 65532610987);

    struct zones z = zones_of("package");

    assert_int_equal(z.count, 2);
    /* 328850 + 79671150 µJ = 80 J; 610987 + 4389013 µJ = 5 J */
    tree_energy("intel-rapl:0", 79671150);
    tree_energy("intel-rapl:1", 4389013);
    assert_near(read_zones(&z), 85, 1e-12);
    assert_near(zone(&z, "package_0")->power_w, 80, 1e-12);
    assert_near(zone(&z, "package_1")->power_w, 5, 1e-12);
    tree_energy("intel-rapl:0", 80671150);
    tree_energy("intel-rapl:1", 4389014);
    assert_near(read_zones(&z), 1.000001, 1e-12);
    assert_near(zone(&z, "package_0")->energy_j, 81, 1e-12);
    assert_near(zone(&z, "package_1")->energy_j, 5.000001, 1e-12);
    zones_deinit(&z);
}

/* A laptop: package with core, uncore and dram inside it, psys beside it. */
static void laptop(void)
{
    tree_put("sys/class/powercap/intel-rapl/enabled", "1\n");
    tree_zone("intel-rapl:0", "package-0\n", 1000000, 262143328850);
    tree_zone("intel-rapl:0:0", "core\n", 1000000, 262143328850);
    tree_zone("intel-rapl:0:1", "uncore\n", 1000000, 262143328850);
    tree_zone("intel-rapl:0:2", "dram\n", 1000000, 65712999613);
    tree_zone("intel-rapl:1", "psys\n", 1000000, 262143328850);
    tree_zone("intel-rapl-mmio:0", "package-0\n", 1000000, 262143328850);
    tree_put("sys/class/powercap/dtpm:0/name", "dtpm\n"); /* no energy_uj */
}

static void use(void)
{
    tree_energy("intel-rapl:0", 31000000);      /* 30 J */
    tree_energy("intel-rapl:0:0", 21000000);    /* of which 20 */
    tree_energy("intel-rapl:0:1", 3000000);     /* and 2 */
    tree_energy("intel-rapl:0:2", 5000000);     /* 4 J */
    tree_energy("intel-rapl:1", 51000000);      /* 50 J */
    tree_energy("intel-rapl-mmio:0", 31000001); /* the same 30 again */
}

static void zones_that_overlap_are_never_added(void **state)
{
    static const struct {
        const char *list;
        size_t count;
        double joules;
    } cases[] = { { "package", 1, 30 },
                  { "package,dram", 2, 34 },
                  { "dram", 1, 4 },
                  { "psys", 1, 50 } };

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        laptop();

        struct zones z = zones_of(cases[i].list);

        use();
        assert_int_equal(z.count, cases[i].count);
        assert_int_equal(zones_counting(&z), cases[i].count);
        assert_int_equal(zones_missing(&z), 0);
        assert_near(read_zones(&z), cases[i].joules, 1e-12);
        zones_deinit(&z);
    }
}

static void names_of_the_rapl_exporter_bring_the_zones_that_do_not_count(void **state)
{
    static const struct {
        const char *name;
        bool counts;
        double watts;
    } wanted[] = { { "package_0", true, 30 },
                   { "package_0_core", false, 20 },
                   { "package_0_dram", false, 4 },
                   { "package_0_uncore", false, 2 },
                   { "psys", false, 50 } };

    (void)state;
    laptop();
    config = tree_config();
    config.rapl_names = true;

    struct zones z;

    zones_init(&z, &config);
    zones_scan(&z);
    read_zones(&z);
    use();
    assert_near(read_zones(&z), 30, 1e-12);
    assert_int_equal(z.count, 5);
    for (size_t i = 0; i < 5; i++) {
        assert_string_equal(z.all[i].name, wanted[i].name);
        assert_int_equal(z.all[i].counts, wanted[i].counts);
        assert_near(z.all[i].power_w, wanted[i].watts, 1e-12);
    }
    assert_int_equal(zones_counting(&z), 1);
    zones_deinit(&z);
}

static void the_same_package_by_mmio_takes_the_place_of_one_that_is_shut(void **state)
{
    (void)state;
    laptop();
    assert_int_equal(unlink(scratch_path("sys/class/powercap/intel-rapl:0/energy_uj")),
                     0);
    scratch_mkdir("sys/class/powercap/intel-rapl:0/energy_uj"); /* EISDIR for all */

    struct zones z = zones_of("package");

    assert_int_equal(z.count, 1);
    assert_null(zones_unreadable(&z));
    tree_energy("intel-rapl-mmio:0", 9000000);
    assert_near(read_zones(&z), 8, 1e-12);
    zones_deinit(&z);
}

static void dies_are_packages_of_their_own(void **state)
{
    (void)state;
    tree_zone("intel-rapl:0", "package-0-die-0\n", 1, 1000000000);
    tree_zone("intel-rapl:1", "package-0-die-1\n", 1, 1000000000);

    struct zones z = zones_of("package");

    assert_non_null(zone(&z, "package_0_die_0"));
    assert_non_null(zone(&z, "package_0_die_1"));
    assert_int_equal(zones_counting(&z), 2);
    zones_deinit(&z);
}

static void a_package_that_cannot_be_read_makes_all_unknown(void **state)
{
    bool failed = false;

    (void)state;
    tree_zone("intel-rapl:0", "package-0\n", 1000000, 262143328850);
    tree_zone("intel-rapl:1", "package-1\n", 1000000, 262143328850);

    struct zones z = zones_of("package");

    tree_energy("intel-rapl:0", 2000000);
    tree_put("sys/class/powercap/intel-rapl:1/energy_uj", "");
    assert_unknown(zones_read(&z, 1, &failed));
    assert_true(failed);
    assert_near(zone(&z, "package_0")->power_w, 1, 1e-12);
    assert_unknown(zone(&z, "package_1")->power_w);
    assert_int_equal(zone(&z, "package_1")->errors, 1);
    /* the next one is only its new base */
    tree_energy("intel-rapl:0", 3000000);
    tree_energy("intel-rapl:1", 9000000);
    assert_unknown(read_zones(&z));
    tree_energy("intel-rapl:0", 5000000);
    tree_energy("intel-rapl:1", 12000000);
    assert_near(read_zones(&z), 5, 1e-12);
    tree_put("sys/class/powercap/intel-rapl:1/energy_uj", "12x\n");
    assert_unknown(read_zones(&z));
    tree_put("sys/class/powercap/intel-rapl:1/energy_uj", "99999999999999999999999\n");
    assert_unknown(read_zones(&z));
    assert_int_equal(zone(&z, "package_1")->errors, 3);
    /* no end of the line: there may be more of the number */
    tree_put("sys/class/powercap/intel-rapl:1/energy_uj", "1300000");
    assert_unknown(read_zones(&z));
    assert_int_equal(zone(&z, "package_1")->errors, 4);
    zones_deinit(&z);
}

static void a_step_that_no_machine_makes_is_unknown(void **state)
{
    (void)state;
    tree_zone("intel-rapl:0", "package-0\n", 100000000000, 262143328850);

    struct zones z = zones_of("package");

    /* Set back to 0: by the range 162143 J in a second. */
    tree_energy("intel-rapl:0", 1);
    assert_unknown(read_zones(&z));
    assert_near(zone(&z, "package_0")->energy_j, 0, 0);
    tree_energy("intel-rapl:0", 25000001);
    assert_near(read_zones(&z), 25, 1e-12);
    zones_deinit(&z);
}

static void a_counter_that_stands_still_is_none(void **state)
{
    (void)state;
    tree_zone("intel-rapl:0", "package-0\n", 0, 262143328850);

    struct zones z = zones_of("package");

    assert_unknown(read_zones(&z));
    assert_unknown(read_zones(&z));
    assert_int_equal(z.all[0].errors, 2);
    tree_energy("intel-rapl:0", 7000000);
    assert_near(read_zones(&z), 7, 1e-12);
    zones_deinit(&z);
}

static void zones_come_and_go_while_we_look(void **state)
{
    (void)state;
    tree_zone("intel-rapl:0", "package-0\n", 1000000, 262143328850);

    struct zones z = zones_of("package");

    tree_energy("intel-rapl:0", 2000000);
    tree_zone("intel-rapl:1", "package-1\n", 500, 262143328850);
    zones_scan(&z);
    assert_int_equal(zones_counting(&z), 2);
    assert_unknown(read_zones(&z)); /* what the new one used before is not known */
    assert_near(zone(&z, "package_0")->energy_j, 1, 1e-12); /* goes on */
    tree_energy("intel-rapl:0", 3000000);
    tree_energy("intel-rapl:1", 2000500);
    assert_near(read_zones(&z), 3, 1e-12);

    tree_put("sys/class/powercap/intel-rapl:0/energy_uj", "");
    tree_remove("sys/class/powercap/intel-rapl:0");
    tree_energy("intel-rapl:1", 3000500);
    assert_unknown(read_zones(&z));
    zones_scan(&z);
    assert_int_equal(z.count, 1);
    tree_energy("intel-rapl:1", 5000500);
    assert_near(read_zones(&z), 2, 1e-12);
    assert_near(zone(&z, "package_1")->energy_j, 5, 1e-12);

    tree_put("sys/class/powercap/intel-rapl:1/energy_uj", "");
    tree_remove("sys/class/powercap/intel-rapl:1");
    read_zones(&z);
    zones_scan(&z);
    assert_int_equal(z.count, 0);
    assert_unknown(read_zones(&z)); /* nothing is not 0 */
    zones_deinit(&z);
}

static void a_zone_that_comes_back_is_opened_again(void **state)
{
    (void)state;
    tree_zone("intel-rapl:0", "package-0\n", 1000000, 262143328850);

    struct zones z = zones_of("package");

    tree_put("sys/class/powercap/intel-rapl:0/energy_uj", "");
    tree_remove("sys/class/powercap/intel-rapl:0");
    assert_unknown(read_zones(&z));
    tree_zone("intel-rapl:0", "package-0\n", 4000000, 262143328850);
    zones_scan(&z);
    assert_unknown(read_zones(&z));
    tree_energy("intel-rapl:0", 5500000);
    assert_near(read_zones(&z), 1.5, 1e-12);
    zones_deinit(&z);
}

static void zones_stay_when_not_all_can_be_looked_at(void **state)
{
    (void)state;
    tree_zone("intel-rapl:0", "package-0\n", 1000000, 262143328850);
    tree_zone("intel-rapl:1", "package-1\n", 1000000, 262143328850);

    struct zones z = zones_of("package");

    tree_put("sys/class/powercap/intel-rapl:1/name", ""); /* no line: cannot be so */
    tree_zone("intel-rapl:2", "package-2\n", 1000000, 262143328850);
    zones_scan(&z);
    assert_int_equal(z.failed, -EIO);
    tree_energy("intel-rapl:0", 3000000);
    tree_energy("intel-rapl:1", 4000000);
    assert_near(read_zones(&z), 5, 1e-12);
    tree_put("sys/class/powercap/intel-rapl:1/name", "package-1\n");
    zones_scan(&z);
    assert_int_equal(z.failed, 0);
    assert_int_equal(z.count, 3);
    zones_deinit(&z);
}

static void what_cannot_be_opened_is_named(void **state)
{
    (void)state;
    tree_zone("intel-rapl:0", "package-0\n", 1000000, 262143328850);
    tree_zone("intel-rapl:1", "package-1\n", 1000000, 262143328850);
    assert_int_equal(unlink(scratch_path("sys/class/powercap/intel-rapl:1/energy_uj")),
                     0);
    scratch_mkdir("sys/class/powercap/intel-rapl:1/energy_uj");

    struct zones z = zones_of("package");
    const struct zone *shut = zones_unreadable(&z);

    assert_non_null(shut);
    assert_string_equal(shut->name, "package_1");
    assert_int_equal(shut->problem, -EISDIR);
    zones_deinit(&z);
}

static void zones_that_a_container_runtime_masks_are_hidden(void **state)
{
    (void)state;
    tree_put("sys/class/powercap/intel-rapl/enabled", "1\n");
    scratch_link("../../devices/virtual/powercap/intel-rapl/intel-rapl:0",
                 "sys/class/powercap/intel-rapl:0");

    struct zones z = zones_of("package");

    assert_int_equal(z.count, 0);
    assert_int_equal(z.hidden, -ENOENT);
    assert_int_equal(zones_missing(&z), 1U << ZONE_PACKAGE);
    zones_deinit(&z);
}

static void amd_energy_counts_where_there_is_no_powercap(void **state)
{
    (void)state;
    tree_put("sys/class/hwmon/hwmon0/name", "k10temp\n");
    tree_put("sys/class/hwmon/hwmon3/name", "amd_energy\n");
    tree_put("sys/class/hwmon/hwmon3/energy1_label", "Ecore000\n");
    tree_number("sys/class/hwmon/hwmon3/energy1_input", 5);
    tree_put("sys/class/hwmon/hwmon3/energy2_label", "Esocket0\n");
    tree_number("sys/class/hwmon/hwmon3/energy2_input", 281474976710000);
    tree_put("sys/class/hwmon/hwmon3/energy3_label", "Esocket1\n");
    tree_number("sys/class/hwmon/hwmon3/energy3_input", 1000);

    struct zones z = zones_of("package");

    assert_int_equal(z.count, 2);
    assert_string_equal(z.all[0].name, "package_0");
    assert_string_equal(z.all[1].name, "package_1");
    /* 2^48 = 281474976710656: 656 µJ up to it, 999344 behind it */
    tree_number("sys/class/hwmon/hwmon3/energy2_input", 999344);
    tree_number("sys/class/hwmon/hwmon3/energy3_input", 2001000);
    assert_near(read_zones(&z), 3, 1e-12);
    zones_deinit(&z);

    tree_zone("intel-rapl:0", "package-0\n", 0, 262143328850);
    z = zones_of("package");
    assert_int_equal(z.count, 1);
    assert_non_null(strstr(z.all[0].path, "powercap"));
    zones_deinit(&z);
}

static void cards_count_when_they_are_asked_for(void **state)
{
    (void)state;
    tree_zone("intel-rapl:0", "package-0\n", 1000000, 262143328850);
    tree_put("sys/class/hwmon/hwmon1/name", "amdgpu\n");
    tree_number("sys/class/hwmon/hwmon1/power1_average", 100000000);
    scratch_link("../../../0000:03:00.0", "sys/class/hwmon/hwmon1/device");
    tree_put("sys/class/hwmon/hwmon2/name", "xe\n");
    tree_number("sys/class/hwmon/hwmon2/energy1_input", 1000000);

    struct zones z = zones_of("package");

    assert_int_equal(z.count, 1);
    zones_deinit(&z);
    z = zones_of("package,gpu");
    assert_int_equal(z.count, 3);
    tree_energy("intel-rapl:0", 11000000);
    /* (100 W + 140 W) / 2 for 1 s */
    tree_number("sys/class/hwmon/hwmon1/power1_average", 140000000);
    tree_number("sys/class/hwmon/hwmon2/energy1_input", 8000000);
    assert_near(read_zones(&z), 10 + 120 + 7, 1e-12);
    assert_near(zone(&z, "gpu_0000:03:00.0")->power_w, 120, 1e-12);
    assert_near(zone(&z, "gpu_hwmon2")->power_w, 7, 1e-12);
    /* a card may sleep, and a processor does not */
    tree_energy("intel-rapl:0", 12000000);
    assert_near(read_zones(&z), 1 + 140 + 0, 1e-12);
    zones_deinit(&z);
}

static void kinds_that_are_not_there_are_told(void **state)
{
    (void)state;
    tree_zone("intel-rapl:0", "package-0\n", 1000000, 262143328850);

    struct zones z = zones_of("package,dram,gpu");

    assert_int_equal(zones_missing(&z), 1U << ZONE_DRAM | 1U << ZONE_GPU);
    zones_deinit(&z);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_counter_that_begins_again_at_its_range_goes_on),
        tree_test(packages_add_up_and_wrap_each_at_its_own_range),
        tree_test(zones_that_overlap_are_never_added),
        tree_test(names_of_the_rapl_exporter_bring_the_zones_that_do_not_count),
        tree_test(the_same_package_by_mmio_takes_the_place_of_one_that_is_shut),
        tree_test(dies_are_packages_of_their_own),
        tree_test(a_package_that_cannot_be_read_makes_all_unknown),
        tree_test(a_step_that_no_machine_makes_is_unknown),
        tree_test(a_counter_that_stands_still_is_none),
        tree_test(zones_come_and_go_while_we_look),
        tree_test(a_zone_that_comes_back_is_opened_again),
        tree_test(zones_stay_when_not_all_can_be_looked_at),
        tree_test(what_cannot_be_opened_is_named),
        tree_test(zones_that_a_container_runtime_masks_are_hidden),
        tree_test(amd_energy_counts_where_there_is_no_powercap),
        tree_test(cards_count_when_they_are_asked_for),
        tree_test(kinds_that_are_not_there_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
