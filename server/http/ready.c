#include "server/http/ready.h"

#include <assert.h>
#include <stdlib.h>

#include "core/mem.h"

void ready_answer_unref(struct ready_answer *r)
{
    if (r && --r->refs == 0)
        free(r);
}

bool ready_asked(const struct site *site, int endpoint, const struct request *rq,
                 struct ready_key *key)
{
    struct body *bodies[REPLY_BODIES_MAX];

    if (rq->method != METHOD_GET || rq->query.n || rq->if_none_match.n ||
        !view_eq(rq->path, VIEW("/metrics")))
        return false;
    key->endpoint = endpoint;
    key->accept = rq->accept;
    key->accept_encoding = rq->accept_encoding;
    key->count = site->bodies(site->ctx, endpoint, bodies);
    for (size_t i = 0; i < key->count; i++)
        key->generations[i] = bodies[i]->generation;
    return key->count > 0;
}

/* True if the slot is for a request in these words, whatever it was answered then. */
static bool same_words(const struct ready_slot *s, const struct ready_key *key)
{
    return s->endpoint == key->endpoint && s->accept_n == key->accept.n &&
           s->accept_encoding_n == key->accept_encoding.n &&
           view_eq((struct view){ s->words, s->accept_n }, key->accept) &&
           view_eq((struct view){ s->words + s->accept_n, s->accept_encoding_n },
                   key->accept_encoding);
}

static bool same_content(const struct ready_slot *s, const struct ready_key *key)
{
    return s->count == key->count &&
           memcmp(s->generations, key->generations,
                  key->count * sizeof(*key->generations)) == 0;
}

struct ready_answer *ready_find(const struct ready *r, const struct ready_key *key)
{
    for (size_t i = 0; i < READY_SLOTS; i++) {
        const struct ready_slot *s = &r->slots[i];

        if (!s->answer || !same_content(s, key) || !same_words(s, key))
            continue;
        s->answer->refs++;
        return s->answer;
    }
    return NULL;
}

static struct ready_slot *slot_for(struct ready *r, const struct ready_key *key)
{
    for (size_t i = 0; i < READY_SLOTS; i++)
        if (r->slots[i].answer && same_words(&r->slots[i], key))
            return &r->slots[i];
    return &r->slots[r->next++ % READY_SLOTS];
}

static void append(char *to, size_t *at, struct view v)
{
    if (v.n)
        memcpy(to + *at, v.p, v.n);
    *at += v.n;
}

void ready_keep(struct ready *r, const struct ready_key *key,
                const struct view pieces[], size_t count, size_t n)
{
    struct ready_slot *s;
    struct ready_answer *a;
    size_t at = 0;

    assert(n <= READY_BYTES_MAX && key->count <= REPLY_BODIES_MAX);
    if (key->accept.n + key->accept_encoding.n > READY_WORDS_MAX)
        return;
    a = mem_alloc(sizeof(*a) + n);
    a->refs = 1;
    a->n = n;
    for (size_t i = 0; i < count; i++)
        append(a->p, &at, pieces[i]);
    assert(at == n);

    s = slot_for(r, key);
    ready_answer_unref(s->answer);
    s->answer = a;
    s->endpoint = key->endpoint;
    s->accept_n = key->accept.n;
    s->accept_encoding_n = key->accept_encoding.n;
    at = 0;
    append(s->words, &at, key->accept);
    append(s->words, &at, key->accept_encoding);
    s->count = key->count;
    memcpy(s->generations, key->generations, key->count * sizeof(*key->generations));
}

void ready_clear(struct ready *r)
{
    for (size_t i = 0; i < READY_SLOTS; i++)
        ready_answer_unref(r->slots[i].answer);
    *r = (struct ready){ 0 };
}
