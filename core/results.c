/*
 * results.c - the top of a results file, and what its next version takes over.
 *
 * A writer that adds one scenario rewrites the whole file. So the file is cut into its
 * scenarios without looking inside them, each is hashed, and those whose hash the run
 * before holds are taken from it: only what differs is parsed and computed. The hash
 * covers the scenario's bytes and the region it would inherit from its file.
 *
 * What is taken over was checked when it was parsed; everything else is checked to the
 * last byte, so that no half-written file passes.
 */
#include "core/results.h"
#include "core/field.h"
#include "core/hash.h"
#include "core/json.h"
#include "core/mem.h"
#include "core/results_scenario.h"
#include "core/utf8.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { SCHEMA_KNOWN = 1 };

static_assert((int)RESULTS_PADDING >= (int)JSON_PADDING, "");

struct results_parser {
    struct json_parser *json;
    struct arena file_mem;     /* of the members of the file */
    struct arena scenario_mem; /* of one scenario at a time */
};

/* One call of results_parse(). */
struct reading {
    struct results_parser *p;
    struct view text;
    const struct json_parts *parts;
    unsigned item_depth; /* brackets that may be open inside an item */
    struct view region;
    uint64_t seed; /* hash of what scenarios inherit */
    double schema_version;
    struct results_notes *notes;
    struct err *e;

    const struct run *before;
    uint32_t expected;     /* index in before of the scenario that is due */
    struct hash_index old; /* of before; made when the order has changed */

    const struct scenario **scenarios;
    uint32_t count;
};

struct results_parser *results_parser_new(void)
{
    struct results_parser *p = mem_zalloc(sizeof *p);

    p->json = json_parser_new();
    return p;
}

void results_parser_free(struct results_parser *p)
{
    if (!p)
        return;
    json_parser_free(p->json);
    arena_deinit(&p->file_mem);
    arena_deinit(&p->scenario_mem);
    free(p);
}

static enum results_verdict verdict_of(int code)
{
    return code == -E2BIG ? RESULTS_TOO_LARGE : RESULTS_INVALID_JSON;
}

/* Half of a surrogate pair at this byte; SIZE_MAX: there is none. */
static void note_lone(struct reading *rd, size_t byte)
{
    struct results_notes *n = rd->notes;

    if (byte == SIZE_MAX)
        return;
    n->invalid_values++;
    if (!n->first[0])
        snprintf(n->first, sizeof n->first,
                 "byte %zu: half of a surrogate pair; repaired", byte);
}

/* ---- the members of the file ---------------------------------------------------- */

/* The last list of scenarios is read item by item; everything else is checked here. */
static int check_members(struct reading *rd)
{
    const struct json_parts *parts = rd->parts;
    size_t list = SIZE_MAX;

    for (size_t i = 0; i < parts->member_count; i++)
        if (view_eq(parts->members[i].key, VIEW("scenarios")))
            list = i;
    for (size_t i = 0; i < parts->member_count; i++) {
        int rc;

        if (i == list && parts->list_is_array)
            continue;
        rc = json_parse_piece(rd->p->json, rd->text, parts->members[i].text,
                              JSON_DEPTH_MAX - 1, NULL, NULL, rd->e);
        if (rc < 0)
            return rc;
        note_lone(rd, json_lone(rd->p->json));
    }
    return 0;
}

/* The last member of this key, or NULL. */
static int file_member(struct reading *rd, struct view key,
                       const struct json_value **out)
{
    const struct json_parts *parts = rd->parts;

    *out = NULL;
    for (size_t i = parts->member_count; i-- > 0;)
        if (view_eq(parts->members[i].key, key))
            return json_parse_piece(rd->p->json, rd->text, parts->members[i].text,
                                    JSON_DEPTH_MAX - 1, &rd->p->file_mem, out, rd->e);
    return 0;
}

static int read_members(struct reading *rd)
{
    static const struct field_range range = { .min = 0,
                                              .max = INFINITY,
                                              .whole = true };
    struct field_reader r = { rd->notes, &rd->p->file_mem, { "", 0 } };
    const struct json_value *region = NULL, *version = NULL;
    int rc;

    note_lone(rd, rd->parts->lone);
    rc = check_members(rd);
    if (rc == 0)
        rc = file_member(rd, VIEW("region"), &region);
    if (rc == 0)
        rc = file_member(rd, VIEW("schema_version"), &version);
    if (rc < 0)
        return rc;
    rd->region = field_text(&r, FIELD("region"), region, false);
    rd->seed = hash_of(rd->region, 0).part[0];
    rd->schema_version = field_number(&r, FIELD("schema_version"), version, &range);
    if (isnan(rd->schema_version))
        rd->schema_version = 1;
    if (rd->schema_version > SCHEMA_KNOWN)
        snprintf(
            rd->notes->warning, sizeof rd->notes->warning,
            "schema_version %.17g is above %d, the last one known here; it is read as "
            "far as it is understood",
            rd->schema_version, SCHEMA_KNOWN);
    return 0;
}

/* ---- scenarios ------------------------------------------------------------------ */

static void index_before(struct reading *rd)
{
    hash_index_init(&rd->old, rd->before->count);
    for (uint32_t i = 0; i < rd->before->count; i++) {
        bool added;
        uint32_t *at = hash_index_at(&rd->old, rd->before->scenarios[i]->hash, &added);

        if (added)
            *at = i;
    }
}

/* The scenario of the run before that has this hash, or NULL. */
static const struct scenario *take_over(struct reading *rd, struct hash h)
{
    const struct run *before = rd->before;

    if (!before)
        return NULL;
    if (rd->expected < before->count &&
        hash_eq(before->scenarios[rd->expected]->hash, h.part))
        return before->scenarios[rd->expected++];
    if (!rd->old.slots)
        index_before(rd);

    const uint32_t *at = hash_index_find(&rd->old, h.part);

    if (!at) {
        rd->expected++; /* most likely it was changed where it stands */
        return NULL;
    }
    rd->expected = *at + 1;
    return before->scenarios[*at];
}

static void note_shape(struct reading *rd, size_t index, size_t offset, const char *why)
{
    struct results_notes *n = rd->notes;

    n->wrong_shapes++;
    if (!n->first[0])
        snprintf(n->first, sizeof n->first, "scenarios[%zu] at byte %zu: %s", index,
                 offset, why);
}

static int read_item(struct reading *rd, size_t index)
{
    struct view item = rd->parts->items[index];
    struct hash h = hash_of(item, rd->seed);
    const struct scenario *same = take_over(rd, h);

    if (same) {
        rd->scenarios[rd->count++] = scenario_ref(same);
        return 0;
    }

    const struct json_value *v;
    const char *why;
    int rc = json_parse_piece(rd->p->json, rd->text, item, rd->item_depth,
                              &rd->p->scenario_mem, &v, rd->e);

    if (rc == 0) {
        note_lone(rd, json_lone(rd->p->json));

        struct scenario *s =
            results_scenario(v, rd->region, &rd->p->scenario_mem, rd->notes, &why);

        if (s) {
            memcpy(s->hash, h.part, sizeof s->hash);
            rd->scenarios[rd->count++] = s;
        } else {
            note_shape(rd, index, v->offset, why);
        }
    }
    arena_release(&rd->p->scenario_mem);
    return rc;
}

static int read_items(struct reading *rd)
{
    size_t n = rd->parts->item_count;
    int rc = 0;

    rd->scenarios = mem_alloc(n * sizeof *rd->scenarios);
    for (size_t i = 0; i < n && rc == 0; i++)
        rc = read_item(rd, i);
    return rc;
}

/* ---- the file ------------------------------------------------------------------- */

static enum results_verdict read_file(struct reading *rd, uint64_t max_scenarios)
{
    size_t max = max_scenarios > SIZE_MAX ? SIZE_MAX : (size_t)max_scenarios;
    int rc =
        json_split(rd->p->json, rd->text, VIEW("scenarios"), max, &rd->parts, rd->e);

    if (rc == -E2BIG && max && rd->text.n < UINT32_MAX)
        err_set(rd->e, rc, "more than %zu scenarios in one run", max);
    if (rc < 0)
        return verdict_of(rc);
    if (rd->parts->type != JSON_OBJECT && rd->parts->type != JSON_ARRAY) {
        err_set(rd->e, -EINVAL, "%s where an object with scenarios is due",
                json_type_name(rd->parts->type));
        return RESULTS_WRONG_SHAPE;
    }
    rc = read_members(rd);
    if (rc < 0)
        return verdict_of(rc);
    if (rd->parts->type == JSON_OBJECT && !rd->parts->list_is_array) {
        err_set(rd->e, -EINVAL,
                rd->parts->list_found ? "\"scenarios\" is not an array"
                                      : "no member \"scenarios\"");
        return RESULTS_WRONG_SHAPE;
    }
    rd->item_depth = JSON_DEPTH_MAX - (rd->parts->type == JSON_OBJECT ? 2 : 1);
    rc = read_items(rd);
    return rc < 0 ? verdict_of(rc) : RESULTS_OK;
}

enum results_verdict results_parse(struct results_parser *p, struct view text,
                                   struct view id, const struct run *before,
                                   uint64_t max_scenarios, const struct run **out,
                                   struct results_notes *notes, struct err *e)
{
    struct err why = { 0 };
    struct reading rd = {
        .p = p, .text = text, .before = before, .notes = notes, .e = &why
    };
    struct buf repaired = { 0 };
    enum results_verdict verdict;

    *notes = (struct results_notes){ 0 };
    verdict = read_file(&rd, max_scenarios);
    if (verdict == RESULTS_INVALID_JSON && why.code == -EILSEQ) {
        static const char padding[RESULTS_PADDING];

        utf8_repair(text, &repaired);
        rd.text = buf_as_view(&repaired);
        buf_add(&repaired, padding, sizeof padding);
        rd.text.p = repaired.p;
        for (uint32_t i = 0; i < rd.count; i++)
            scenario_unref(rd.scenarios[i]);
        free(rd.scenarios);
        rd.scenarios = NULL;
        rd.count = 0;
        *notes = (struct results_notes){ .invalid_values = 1 };
        snprintf(notes->first, sizeof notes->first, "%.380s; repaired", why.text);
        verdict = read_file(&rd, max_scenarios);
    }
    if (verdict == RESULTS_OK) {
        struct run *run = run_new(id, rd.scenarios, rd.count);

        run->schema_version =
            rd.schema_version < INT32_MAX ? (int)rd.schema_version : INT32_MAX;
        *out = run;
    } else {
        for (uint32_t i = 0; i < rd.count; i++)
            scenario_unref(rd.scenarios[i]);
        err_set(e, why.code, "%s", why.text);
    }
    free(rd.scenarios);
    hash_index_deinit(&rd.old);
    buf_deinit(&repaired);
    arena_release(&p->file_mem);
    return verdict;
}
