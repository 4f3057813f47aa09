/*
 * json.cc - the top of a document by simdjson's on-demand API; all that knows simdjson.
 *
 * One pass of its vector code (stage 1) checks UTF-8, quotes and control characters and
 * finds every bracket, comma and value; walking over them skips what is inside a piece
 * without reading it. What the library says about a fault has no place, so a document
 * that it refuses is read once more by json_tree.c, which names the byte.
 *
 * No C++ exception can leave: they are compiled out, and memory that we need comes from
 * mem.h, which does not fail; operator new is told to end the process likewise.
 */
/* C keeps the names of structs and of functions apart. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
extern "C" {
#include "core/json.h"
#include "core/json_tree.h"
#include "core/mem.h"
#include "core/utf8.h"
}
#pragma GCC diagnostic pop

#define SIMDJSON_EXCEPTIONS 0

#include <cassert>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string_view>
#include <utility>

#include <simdjson.h>

namespace ondemand = simdjson::ondemand;

static_assert(JSON_PADDING >= simdjson::SIMDJSON_PADDING, "callers promise too little");

/*
 * Indices of a large document (4 bytes for each bracket, comma and value) are memory
 * that is worth more to others between two of its versions.
 */
static constexpr size_t CAPACITY_KEPT = 1024 * 1024;

struct json_splitter {
    ondemand::parser parser{};
    struct arena keys;
    struct json_parts out;
    size_t member_cap, item_cap;
};

namespace
{

struct pass {
    struct json_parser *p;
    struct json_splitter *s;
    struct view text;
    struct view list_key;
    size_t max_items;
    bool too_many;
};

struct view trimmed(const char *from, const char *to)
{
    return view_trim(view{ from, static_cast<size_t>(to - from) });
}

void add_item(struct pass &pass, struct view item)
{
    struct json_parts &out = pass.s->out;

    if (out.item_count == pass.s->item_cap) {
        pass.s->item_cap = pass.s->item_cap ? pass.s->item_cap * 2 : 64;
        out.items = static_cast<struct view *>(
            mem_resize(out.items, pass.s->item_cap, sizeof *out.items));
    }
    out.items[out.item_count++] = item;
}

struct json_piece *add_member(struct pass &pass)
{
    struct json_parts &out = pass.s->out;

    if (out.member_count == pass.s->member_cap) {
        pass.s->member_cap = pass.s->member_cap ? pass.s->member_cap * 2 : 16;
        out.members = static_cast<struct json_piece *>(
            mem_resize(out.members, pass.s->member_cap, sizeof *out.members));
    }
    return &out.members[out.member_count++];
}

bool ends_value(char c)
{
    return c == ',' || c == ']' || c == '}';
}

/* The bytes of a value that is skipped, and whatever blanks follow it. */
simdjson::error_code skip(ondemand::value value, struct view *piece)
{
    std::string_view raw;
    simdjson::error_code error = simdjson::SUCCESS;

    switch (*value.raw_json_token().data()) {
    case '{': {
        ondemand::object object;

        if ((error = value.get_object().get(object)) ||
            (error = object.raw_json().get(raw)))
            return error;
        break;
    }
    case '[': {
        ondemand::array array;

        if ((error = value.get_array().get(array)) ||
            (error = array.raw_json().get(raw)))
            return error;
        break;
    }
    default:
        /*
         * The iterator steps over it. Because it would also step over what must not
         * follow (a text and a colon look like a key to it), that is looked at here.
         */
        raw = value.raw_json_token();
        if (!ends_value(raw.data()[raw.size()]))
            return simdjson::TAPE_ERROR;
        break;
    }
    *piece = trimmed(raw.data(), raw.data() + raw.size());
    return simdjson::SUCCESS;
}

simdjson::error_code split_array(struct pass &pass, ondemand::array &array)
{
    pass.s->out.item_count = 0;
    for (auto element : array) {
        ondemand::value value;
        struct view item;
        simdjson::error_code error = std::move(element).get(value);

        if (error || (error = skip(value, &item)))
            return error;
        if (pass.max_items && pass.s->out.item_count == pass.max_items) {
            pass.too_many = true;
            return simdjson::CAPACITY;
        }
        add_item(pass, item);
    }
    return simdjson::SUCCESS;
}

/* The key between its quotes and the value that begins at value. */
bool read_key(struct pass &pass, const char *quote, const char *value, struct view *key)
{
    struct view raw = trimmed(quote, value);

    assert(raw.n > 0);
    raw.n--; /* the colon */
    raw = view_trim(raw);

    const struct json_value *text;

    if (json_parse_piece(pass.p, pass.text, raw, 0, &pass.s->keys, &text, nullptr) < 0)
        return false;
    if (pass.s->out.lone == SIZE_MAX)
        pass.s->out.lone = json_lone(pass.p);
    *key = json_text(text);
    return true;
}

simdjson::error_code split_object(struct pass &pass, ondemand::object &object)
{
    struct json_parts &out = pass.s->out;

    for (auto member : object) {
        ondemand::field field;
        simdjson::error_code error = std::move(member).get(field);

        if (error)
            return error;

        ondemand::value value = field.value();
        const char *from = value.raw_json_token().data();
        struct json_piece *piece = add_member(pass);

        *piece = {};
        if (!read_key(pass, field.key().raw() - 1, from, &piece->key))
            return simdjson::STRING_ERROR;
        if (!view_eq(piece->key, pass.list_key)) {
            if ((error = skip(value, &piece->text)))
                return error;
            continue;
        }
        out.list_found = true;
        out.list_is_array = *from == '[';
        out.item_count = 0;
        if (!out.list_is_array) {
            if ((error = skip(value, &piece->text)))
                return error;
            continue;
        }

        ondemand::array array;

        if ((error = value.get_array().get(array)) ||
            (error = split_array(pass, array)))
            return error;

        /* Its bracket is the first byte behind the last element that is no blank. */
        const char *end = from + 1;

        if (out.item_count)
            end = out.items[out.item_count - 1].p + out.items[out.item_count - 1].n;
        while (*end != ']')
            end++;
        piece->text = trimmed(from, end + 1);
    }
    return simdjson::SUCCESS;
}

simdjson::error_code split(struct pass &pass, struct view text)
{
    struct json_parts &out = pass.s->out;
    ondemand::document doc;
    ondemand::json_type type;
    simdjson::error_code error =
        pass.s->parser.iterate(text.p, text.n, text.n + JSON_PADDING).get(doc);

    if (error || (error = doc.type().get(type)))
        return error;
    if (type == ondemand::json_type::object) {
        ondemand::object object;

        out.type = JSON_OBJECT;
        if ((error = doc.get_object().get(object)) ||
            (error = split_object(pass, object)))
            return error;
    } else if (type == ondemand::json_type::array) {
        ondemand::array array;

        out.type = JSON_ARRAY;
        if ((error = doc.get_array().get(array)) || (error = split_array(pass, array)))
            return error;
    } else {
        return simdjson::INCORRECT_TYPE; /* a lone scalar; json_split() reads it */
    }
    /* Nothing may follow. */
    return doc.current_location().error() == simdjson::OUT_OF_BOUNDS
               ? simdjson::SUCCESS
               : simdjson::TRAILING_CONTENT;
}

/* The library's own memory, too: neither a null pointer nor an exception gets to it. */
[[noreturn]] void on_exhausted()
{
    mem_exhausted(0);
}

/* Why a text was refused; 0: it is one scalar, which is JSON, but has no parts. */
int explain(struct pass &pass, struct view text, simdjson::error_code error,
            struct err *e)
{
    if (pass.too_many)
        return err_set(e, -E2BIG, "more than %zu elements", pass.max_items);
    if (error == simdjson::MEMALLOC)
        mem_exhausted(0);

    int rc =
        json_parse_piece(pass.p, pass.text, text, JSON_DEPTH_MAX, nullptr, nullptr, e);

    if (rc < 0)
        return rc;

    size_t good = utf8_prefix(pass.text);

    if (good < pass.text.n)
        return err_set(e, -EILSEQ, "byte %zu: not UTF-8", good);

    struct arena a = {};
    const struct json_value *scalar;

    rc = json_parse_piece(pass.p, pass.text, text, 0, &a, &scalar, nullptr);
    if (rc == 0)
        pass.s->out.type = scalar->type;
    else
        err_set(e, rc, "%s", simdjson::error_message(error));
    arena_deinit(&a);
    return rc;
}

} // namespace

extern "C" struct json_parser *json_parser_new(void)
{
    return static_cast<struct json_parser *>(mem_zalloc(sizeof(struct json_parser)));
}

extern "C" void json_parser_free(struct json_parser *p)
{
    if (!p)
        return;
    if (p->splitter) {
        arena_deinit(&p->splitter->keys);
        free(p->splitter->out.members);
        free(p->splitter->out.items);
        p->splitter->~json_splitter();
        free(p->splitter);
    }
    free(p->stack.p);
    free(p);
}

extern "C" int json_split(struct json_parser *p, struct view text, struct view list_key,
                          size_t max_items, const struct json_parts **out,
                          struct err *e)
{
    if (text.n >= UINT32_MAX)
        return err_set(e, -E2BIG, "byte 0: 4 GiB or more");
    if (!p->splitter) {
        std::set_new_handler(on_exhausted);
        p->splitter = new (mem_alloc(sizeof(struct json_splitter))) json_splitter{};
    }

    struct json_splitter *s = p->splitter;
    struct view body = text;

    if (view_starts(text, view{ "\xEF\xBB\xBF", 3 })) /* byte order mark */
        body = view_skip(text, 3);
    arena_release(&s->keys);
    s->out.type = JSON_NULL;
    s->out.member_count = s->out.item_count = 0;
    s->out.lone = SIZE_MAX;
    s->out.list_found = s->out.list_is_array = false;

    struct pass pass = { p, s, text, list_key, max_items, false };
    simdjson::error_code error = body.n ? split(pass, body) : simdjson::EMPTY;
    int rc = 0;

    if (error)
        rc = explain(pass, body, error, e);
    if (s->parser.capacity() > CAPACITY_KEPT)
        s->parser = ondemand::parser();
    if (rc == 0)
        *out = &s->out;
    return rc;
}

#define TEXT(x) #x
#define NAME(x) TEXT(x)

extern "C" const char *json_library(void)
{
    static const char name[] = "simdjson " NAME(SIMDJSON_VERSION);

    return name;
}
