/*
 * pricing_file.c - the file of --pricing-config → tables.
 *
 * A file that says something wrong is refused as a whole, because half of a price list
 * is a wrong bill; the caller keeps the prices it had. null is the same as leaving the
 * key out. Keys that we do not know are ignored, so that a file may carry notes and
 * newer keys, with one exception: a key that we do know, at a level where it means
 * nothing, is a mistake that would silently leave a price unset. So is a key that
 * appears twice in one object.
 *
 * Flat maps are read first whatever the order in the file, because `regions` wins.
 */
#include "modules/cost/pricing.h"

#include "core/date.h"
#include "core/json.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#define GRAMS_PER_KG 1000.0
#define LIMIT        1e18 /* as for every number that is read */

struct reader {
    struct pricing *to;
    const char *file;
    struct err *e;
};

/* Keys on the way to the value that is being read; NULL or empty: not so deep. */
struct at {
    const char *map;
    struct view name;
    const char *key;
};

enum { TEXT_MAX = 64 };

/* Free text made fit for one line of a message. */
static const char *quotable(struct view v, char to[TEXT_MAX])
{
    size_t n = v.n < TEXT_MAX - 1 ? v.n : TEXT_MAX - 1;

    for (size_t i = 0; i < n; i++)
        to[i] = v.p[i];
    to[n] = '\0';
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)to[i] < ' ' || to[i] == 0x7f)
            to[i] = '?';
    return to;
}

static int refuse(struct reader *r, struct at at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static int refuse(struct reader *r, struct at at, const char *fmt, ...)
{
    char name[TEXT_MAX], why[160];
    va_list args;

    va_start(args, fmt);
    vsnprintf(why, sizeof why, fmt, args);
    va_end(args);
    quotable(at.name, name);
    return err_set(r->e, -EINVAL, "%s: %s%s%s%s%s: %s", r->file, at.map,
                   name[0] ? "." : "", name, at.key ? "." : "", at.key ? at.key : "",
                   why);
}

/* The value of a key; NULL where it is absent or null. */
static const struct json_value *given(const struct json_value *object, struct view key)
{
    const struct json_value *v = json_member(object, key);

    return v && v->type != JSON_NULL ? v : NULL;
}

/* A number from 0 (or above it, for a rate) to LIMIT. */
static int read_number(struct reader *r, struct at at, const struct json_value *v,
                       bool zero_allowed, double *out)
{
    if (v->type != JSON_NUMBER)
        return refuse(r, at, "%s where a number is due", json_type_name(v->type));
    if (v->number < 0)
        return refuse(r, at, "negative (%.15g)", v->number);
    if (v->number > LIMIT)
        return refuse(r, at, "beyond 1e18 (%.15g)", v->number);
    if (v->number == 0 && !zero_allowed)
        return refuse(r, at, "0 is no rate");
    *out = v->number;
    return 0;
}

static int read_currency(struct reader *r, struct at at, struct view code,
                         currency_id *out)
{
    char text[TEXT_MAX];

    if (!currency_code_valid(code))
        return refuse(r, at, "\"%s\" is no currency code (three capital letters)",
                      quotable(code, text));
    if (pricing_add_currency(r->to, code, out) < 0)
        return refuse(r, at, "more than %d currencies", CURRENCIES_MAX);
    return 0;
}

/* Checks that an object is one, and that no key is in it twice. */
static int check_object(struct reader *r, struct at at, const struct json_value *v)
{
    struct table seen = { 0 };
    char text[TEXT_MAX];
    int rc = 0;

    if (v->type != JSON_OBJECT)
        return refuse(r, at, "%s where an object is due", json_type_name(v->type));
    for (uint32_t i = 0; i < v->n && rc == 0; i++) {
        struct json_member *m = &v->members[i];

        if (table_get(&seen, m->key))
            rc = refuse(r, at, "\"%s\" appears twice", quotable(m->key, text));
        else
            table_put(&seen, m->key, m);
    }
    table_deinit(&seen);
    return rc;
}

/* A key of ours where it has no effect. */
static int check_misplaced(struct reader *r, struct at at, const struct json_value *v,
                           const char *const keys[], size_t count, const char *belongs)
{
    for (size_t i = 0; i < count; i++)
        if (given(v, view_of(keys[i]))) {
            if (!at.map)
                at.map = keys[i];
            else
                at.key = keys[i];
            return refuse(r, at, "has no effect here; it belongs %s", belongs);
        }
    return 0;
}

/* {"us-east-1": 0.10, …} */
static int read_flat(struct reader *r, const struct json_value *root, const char *map,
                     bool prices)
{
    const struct json_value *v = given(root, view_of(map));
    struct at at = { .map = map };
    int rc;

    if (!v)
        return 0;
    rc = check_object(r, at, v);
    for (uint32_t i = 0; rc == 0 && i < v->n; i++) {
        const struct json_member *m = &v->members[i];
        struct price_region *region;
        double n = 0;

        if (m->value.type == JSON_NULL)
            continue;
        if (m->key.n == 0)
            return refuse(r, at, "a region without a name");
        at.name = m->key;
        rc = read_number(r, at, &m->value, true, &n);
        if (rc < 0)
            break;
        region = pricing_add_region(r->to, m->key);
        if (prices) {
            currency_id usd = r->to->cpu_per_hour.currency;

            region->per_kwh = (struct price){ n, usd, PRICE_FILE };
            region->own_price = true;
        } else {
            region->co2_kg_per_kwh = n / GRAMS_PER_KG;
            region->co2_source = PRICE_FILE;
            region->own_co2 = true;
        }
    }
    return rc;
}

static int read_as_of(struct reader *r, struct at at, const struct json_value *v,
                      double *out)
{
    char text[TEXT_MAX];

    if (v->type != JSON_STRING)
        return refuse(r, at, "%s where a date is due", json_type_name(v->type));
    if (!date_read(json_text(v), out))
        return refuse(r, at, "\"%s\" is neither YYYY-MM-DD nor RFC 3339",
                      quotable(json_text(v), text));
    return 0;
}

/* {"electricity_price": 0.74, "currency": "SEK", …} */
static int read_region(struct reader *r, const struct json_member *m)
{
    static const char *const misplaced[] = { "electricity_prices", "co2_intensity",
                                             "exchange_rates", "cpu_cost_per_hour",
                                             "gpu_cost_per_hour" };
    struct at at = { .map = "regions", .name = m->key };
    const struct json_value *v = &m->value, *price, *currency, *co2, *source, *as_of;
    struct price per_kwh = { NAN, r->to->cpu_per_hour.currency, PRICE_FILE };
    double kg = NAN, as_of_s = NAN;
    struct price_region *region;

    if (check_object(r, at, v) < 0 ||
        check_misplaced(r, at, v, misplaced, sizeof misplaced / sizeof *misplaced,
                        "at the top of the file") < 0)
        return -EINVAL;

    price = given(v, VIEW("electricity_price"));
    at.key = "electricity_price";
    if (price && read_number(r, at, price, true, &per_kwh.amount) < 0)
        return -EINVAL;

    currency = given(v, VIEW("currency"));
    at.key = "currency";
    if (currency && currency->type != JSON_STRING)
        return refuse(r, at, "%s where text is due", json_type_name(currency->type));
    if (currency && !price)
        return refuse(r, at, "given without an electricity_price");
    if (currency && read_currency(r, at, json_text(currency), &per_kwh.currency) < 0)
        return -EINVAL;

    co2 = given(v, VIEW("co2_kg_per_kwh"));
    at.key = "co2_kg_per_kwh";
    if (co2 && read_number(r, at, co2, true, &kg) < 0)
        return -EINVAL;

    source = given(v, VIEW("source"));
    at.key = "source";
    if (source && source->type != JSON_STRING)
        return refuse(r, at, "%s where text is due", json_type_name(source->type));

    as_of = given(v, VIEW("as_of"));
    at.key = "as_of";
    if (as_of && read_as_of(r, at, as_of, &as_of_s) < 0)
        return -EINVAL;

    region = pricing_add_region(r->to, m->key);
    if (price) {
        region->per_kwh = per_kwh;
        region->price_as_of_s = as_of_s;
        region->own_price = true;
    }
    if (co2) {
        region->co2_kg_per_kwh = kg;
        region->co2_source = PRICE_FILE;
        region->co2_as_of_s = as_of_s;
        region->own_co2 = true;
    }
    if (source)
        region->note = arena_copy(&r->to->mem, json_text(source));
    return 0;
}

static int read_regions(struct reader *r, const struct json_value *root)
{
    const struct json_value *v = given(root, VIEW("regions"));
    struct at at = { .map = "regions" };
    int rc;

    if (!v)
        return 0;
    rc = check_object(r, at, v);
    for (uint32_t i = 0; rc == 0 && i < v->n; i++) {
        if (v->members[i].value.type == JSON_NULL)
            continue;
        if (v->members[i].key.n == 0)
            return refuse(r, at, "a region without a name");
        rc = read_region(r, &v->members[i]);
    }
    return rc;
}

/* {"USD": {"EUR": 0.92, …}, …} */
static int read_rates_from(struct reader *r, const struct json_member *from)
{
    struct at at = { .map = "exchange_rates", .name = from->key };
    char key[TEXT_MAX];
    currency_id a = 0, b = 0;
    double rate = NAN;

    if (read_currency(r, at, from->key, &a) < 0 ||
        check_object(r, at, &from->value) < 0)
        return -EINVAL;
    for (uint32_t i = 0; i < from->value.n; i++) {
        const struct json_member *to = &from->value.members[i];

        if (to->value.type == JSON_NULL)
            continue;
        at.key = quotable(to->key, key);
        if (read_currency(r, at, to->key, &b) < 0 ||
            read_number(r, at, &to->value, false, &rate) < 0)
            return -EINVAL;
        if (a == b && rate != 1)
            return refuse(r, at, "%.15g for the same currency", rate);
        pricing_set_rate(r->to, a, b, rate);
    }
    return 0;
}

static int read_rates(struct reader *r, const struct json_value *root)
{
    const struct json_value *v = given(root, VIEW("exchange_rates"));
    int rc;

    if (!v)
        return 0;
    rc = check_object(r, (struct at){ .map = "exchange_rates" }, v);
    for (uint32_t i = 0; rc == 0 && i < v->n; i++)
        if (v->members[i].value.type != JSON_NULL)
            rc = read_rates_from(r, &v->members[i]);
    return rc;
}

static int read_hourly(struct reader *r, const struct json_value *root, const char *key,
                       struct price *out)
{
    const struct json_value *v = given(root, view_of(key));
    double n = NAN;

    if (!v)
        return 0;
    if (read_number(r, (struct at){ .map = key }, v, true, &n) < 0)
        return -EINVAL;
    *out = (struct price){ n, r->to->cpu_per_hour.currency, PRICE_FILE };
    return 0;
}

static int read_root(struct reader *r, const struct json_value *root)
{
    static const char *const misplaced[] = { "electricity_price", "currency",
                                             "co2_kg_per_kwh" };

    if (root->type != JSON_OBJECT)
        return err_set(r->e, -EINVAL, "%s: %s where an object is due", r->file,
                       json_type_name(root->type));
    if (check_object(r, (struct at){ .map = "the file" }, root) < 0 ||
        check_misplaced(r, (struct at){ 0 }, root, misplaced,
                        sizeof misplaced / sizeof *misplaced,
                        "to a region: regions.NAME") < 0 ||
        read_flat(r, root, "electricity_prices", true) < 0 ||
        read_flat(r, root, "co2_intensity", false) < 0 || read_regions(r, root) < 0 ||
        read_rates(r, root) < 0 ||
        read_hourly(r, root, "cpu_cost_per_hour", &r->to->cpu_per_hour) < 0 ||
        read_hourly(r, root, "gpu_cost_per_hour", &r->to->gpu_per_hour) < 0)
        return -EINVAL;
    pricing_complete(r->to);
    return 0;
}

int pricing_read(struct pricing *p, struct view text, const char *file, struct err *e)
{
    struct reader r = { p, file, e };
    struct json_parser *parser = json_parser_new();
    const struct json_value *root;
    struct arena tree = { 0 };
    struct err why = { 0 };
    int rc;

    rc = json_parse(parser, text, &tree, &root, &why);
    if (rc < 0)
        rc = err_set(e, -EINVAL, "%s: %s", file, why.text);
    else
        rc = read_root(&r, root);
    arena_deinit(&tree);
    json_parser_free(parser);
    return rc;
}
