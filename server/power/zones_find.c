/*
 * zones_find.c - counters by the names of their drivers.
 *
 * /sys/class/powercap is flat: intel-rapl:0 is a package, intel-rapl:0:1 lies inside it.
 * AMD's processors have the same driver; before Linux 5.8 theirs was amd_energy, in hwmon.
 * Of graphics cards those are known that tell the power of the whole card.
 */
#include "server/power/zones_find.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/mem.h"
#include "server/power/kept.h"

/*
 * amd_energy multiplies its 64-bit count of 2^-16 J by 10^6 before it divides by 2^16, so
 * what it shows begins again at 2^48 µJ (drivers/hwmon/amd_energy.c, amd_add_delta()).
 */
#define AMD_RANGE_UJ (UINT64_C(1) << 48)

/* Beyond any machine's; ends the search for the last one. */
enum { AMD_COUNTERS_MAX = 4096 };

struct finding {
    const struct power_config *c;
    struct zones_found *out;
    const char *class; /* directory below SYSFS/class */
    const char *entry; /* in it */
};

static bool path_of(const struct finding *f, const char *entry, const char *file,
                    char path[PATH_MAX])
{
    int n = snprintf(path, PATH_MAX, "%s/class/%s/%s/%s", f->c->sysfs, f->class, entry,
                     file);

    return n > 0 && n < PATH_MAX;
}

static int text_of(const struct finding *f, const char *entry, const char *file,
                   char text[KEPT_MAX], struct view *out)
{
    char path[PATH_MAX];

    return path_of(f, entry, file, path) ? kept_once(path, text, out) : -ENAMETOOLONG;
}

/* What could not be read of what is listed. */
static void note(const struct finding *f, int rc, bool hides)
{
    const bool gone = rc == 0 || rc == -ENOENT || rc == -ENODEV || rc == -ENOTDIR;

    if (hides)
        f->out->hidden = rc;
    if (!gone)
        f->out->failed = rc;
}

/* A zone whose counter is that file of the entry, if there is one and it is wanted. */
static struct zone *add(const struct finding *f, unsigned kind, const char *file)
{
    struct zones_found *out = f->out;
    char path[PATH_MAX];

    if (!(kind & f->c->zones) && !f->c->rapl_names)
        return NULL;
    if (!path_of(f, f->entry, file, path) ||
        (access(path, F_OK) < 0 && errno == ENOENT))
        return NULL;
    out->all = mem_resize(out->all, out->count + 1, sizeof *out->all);
    out->all[out->count] = (struct zone){ .path = mem_strdup(path),
                                          .kind = kind,
                                          .counts = kind & f->c->zones,
                                          .fd = -1,
                                          .power_w = NAN };
    return &out->all[out->count++];
}

/* package-0 and dram → package_0_dram */
static void name_zone(struct zone *z, struct view parent, struct view own)
{
    snprintf(z->name, sizeof z->name, "%.*s%s%.*s", VIEW_ARG(parent),
             parent.n > 0 ? "_" : "", VIEW_ARG(own));
    for (char *p = z->name; *p; p++)
        if (*p == '-')
            *p = '_';
}

static unsigned kind_of(struct view name, bool inside)
{
    if (view_eq(name, VIEW("dram")))
        return 1U << ZONE_DRAM;
    if (view_starts(name, VIEW("package")) && !inside)
        return 1U << ZONE_PACKAGE;
    return view_eq(name, VIEW("psys")) && !inside ? 1U << ZONE_PSYS : 0;
}

static void find_powercap(const struct finding *f)
{
    char text[KEPT_MAX], parent_text[KEPT_MAX], parent_entry[NAME_MAX + 1];
    const char *first = strchr(f->entry, ':'), *last = strrchr(f->entry, ':');
    struct view name, parent = { "", 0 }, range;

    if (!first) /* a driver, not a zone */
        return;

    int rc = text_of(f, f->entry, "name", text, &name);

    if (first != last) {
        snprintf(parent_entry, sizeof parent_entry, "%.*s", (int)(last - f->entry),
                 f->entry);
        rc = rc < 0 ? rc : text_of(f, parent_entry, "name", parent_text, &parent);
    }
    if (rc < 0) {
        note(f, rc, true);
        return;
    }

    struct zone *z = add(f, kind_of(name, parent.n > 0), "energy_uj");

    if (!z)
        return;
    name_zone(z, parent, name);
    z->second = strstr(f->entry, "mmio") != NULL;
    rc = text_of(f, f->entry, "max_energy_range_uj", text, &range);
    note(f, rc, false);
    if (rc == 0)
        kept_number(&range, &z->range_uj);
}

static bool has_kind(const struct zones_found *found, enum zone_kind kind)
{
    for (size_t i = 0; i < found->count; i++)
        if (found->all[i].kind == 1U << kind)
            return true;
    return false;
}

static void find_amd(const struct finding *f)
{
    char text[KEPT_MAX], file[32];
    struct view label;
    int rc = 0;

    for (int i = 1; rc == 0 && i < AMD_COUNTERS_MAX; i++) {
        snprintf(file, sizeof file, "energy%d_label", i);
        rc = text_of(f, f->entry, file, text, &label);
        if (rc < 0 || !view_starts(label, VIEW("Esocket")))
            continue;
        snprintf(file, sizeof file, "energy%d_input", i);

        struct zone *z = add(f, 1U << ZONE_PACKAGE, file);

        if (z) {
            name_zone(z, VIEW("package"), view_skip(label, strlen("Esocket")));
            z->range_uj = AMD_RANGE_UJ;
        }
    }
    note(f, rc, rc == -EACCES);
}

/* The address of the card tells which one it is, whatever the order of drivers. */
static void name_card(const struct finding *f, struct zone *z)
{
    char path[PATH_MAX], target[PATH_MAX];
    ssize_t n = path_of(f, f->entry, "device", path)
                    ? readlink(path, target, sizeof target - 1)
                    : -1;
    const char *id = f->entry;

    if (n > 0) {
        target[n] = '\0';
        id = strrchr(target, '/') ? strrchr(target, '/') + 1 : target;
    }
    snprintf(z->name, sizeof z->name, "gpu_%.40s", id);
}

static void find_card(const struct finding *f, bool counts_energy)
{
    static const char *const files[2][2] = { { "power1_average", "power1_input" },
                                             { "energy1_input", "energy2_input" } };
    const unsigned kind = 1U << ZONE_GPU;
    struct zone *z;

    if (!(f->c->zones & kind)) /* the RAPL exporter had none either */
        return;
    z = add(f, kind, files[counts_energy][0]);
    if (!z)
        z = add(f, kind, files[counts_energy][1]);
    if (!z)
        return;
    z->is_power = !counts_energy;
    name_card(f, z);
}

static void find_hwmon(const struct finding *f)
{
    char text[KEPT_MAX];
    struct view name;

    int rc = text_of(f, f->entry, "name", text, &name);

    note(f, rc, false);
    if (rc < 0)
        return;
    if (view_eq(name, VIEW("amd_energy")))
        find_amd(f);
    else if (view_eq(name, VIEW("amdgpu")) || view_eq(name, VIEW("nouveau")))
        find_card(f, false);
    else if (view_eq(name, VIEW("i915")) || view_eq(name, VIEW("xe")))
        find_card(f, true);
}

static void each(struct finding *f, void (*fn)(const struct finding *f))
{
    char path[PATH_MAX];
    DIR *dir = path_of(f, "", "", path) ? opendir(path) : NULL;

    if (!dir)
        note(f, -errno, false);
    while (dir) {
        errno = 0;

        const struct dirent *d = readdir(dir);

        if (!d) {
            note(f, -errno, false);
            closedir(dir);
            break;
        }
        f->entry = d->d_name;
        if (*f->entry != '.')
            fn(f);
    }
}

static int in_order(const void *a, const void *b)
{
    const struct zone *x = a, *y = b;
    int by = strcmp(x->name, y->name);

    if (by == 0)
        by = x->second - y->second;
    return by ? by : strcmp(x->path, y->path);
}

void zones_find(const struct power_config *c, struct zones_found *out)
{
    struct finding f = { c, out, "powercap", NULL };

    *out = (struct zones_found){ 0 };
    each(&f, find_powercap);
    f.class = "hwmon";
    if (!has_kind(out, ZONE_PACKAGE) || c->zones & 1U << ZONE_GPU)
        each(&f, find_hwmon);
    if (out->count > 1)
        qsort(out->all, out->count, sizeof *out->all, in_order);
}
