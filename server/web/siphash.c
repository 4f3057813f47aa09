#include "server/web/siphash.h"

struct state {
    uint64_t v[4];
};

static uint64_t turned(uint64_t x, int bits)
{
    return x << bits | x >> (64 - bits);
}

/* Eight bytes as a number, the first one lowest; n: as many as there are. */
static uint64_t word_of(const char *p, size_t n)
{
    uint64_t word = 0;

    for (size_t i = 0; i < n; i++)
        word |= (uint64_t)(unsigned char)p[i] << 8 * i;
    return word;
}

static void rounds(struct state *s, int count)
{
    uint64_t *v = s->v;

    while (count-- > 0) {
        v[0] += v[1];
        v[1] = turned(v[1], 13) ^ v[0];
        v[0] = turned(v[0], 32);
        v[2] += v[3];
        v[3] = turned(v[3], 16) ^ v[2];
        v[0] += v[3];
        v[3] = turned(v[3], 21) ^ v[0];
        v[2] += v[1];
        v[1] = turned(v[1], 17) ^ v[2];
        v[2] = turned(v[2], 32);
    }
}

static void take(struct state *s, uint64_t word)
{
    s->v[3] ^= word;
    rounds(s, 2);
    s->v[0] ^= word;
}

static uint64_t end(struct state *s)
{
    rounds(s, 4);
    return s->v[0] ^ s->v[1] ^ s->v[2] ^ s->v[3];
}

struct digest siphash(const struct siphash_key *key, struct view text)
{
    uint64_t last = (uint64_t)text.n << 56;
    struct digest out;
    struct state s = { {
        key->part[0] ^ 0x736f6d6570736575,
        key->part[1] ^ 0x646f72616e646f6d ^ 0xee, /* 0xee: 128 bits are wanted */
        key->part[0] ^ 0x6c7967656e657261,
        key->part[1] ^ 0x7465646279746573,
    } };

    for (; text.n >= 8; text = view_skip(text, 8))
        take(&s, word_of(text.p, 8));
    take(&s, last | word_of(text.p, text.n));
    s.v[2] ^= 0xee;
    out.part[0] = end(&s);
    s.v[1] ^= 0xdd;
    out.part[1] = end(&s);
    return out;
}
