#include "server/fetch/breaker.h"

const char *breaker_state_name(enum breaker_state s)
{
    static const char *const names[] = { "closed", "open", "half_open" };

    return names[s];
}

bool breaker_allows(struct breaker *b, uint64_t now_ms)
{
    if (b->state == BREAKER_CLOSED)
        return true;
    if (b->state == BREAKER_OPEN && now_ms >= b->due_ms)
        b->state = BREAKER_HALF_OPEN;
    if (b->state == BREAKER_OPEN || b->probing)
        return false;
    b->probing = true;
    return true;
}

bool breaker_good(struct breaker *b)
{
    bool changed = b->state != BREAKER_CLOSED;

    b->state = BREAKER_CLOSED;
    b->failures = 0;
    b->wait_ms = 0;
    b->probing = false;
    return changed;
}

/* What was let through before it opened may still end badly: that is no news. */
bool breaker_bad(struct breaker *b, uint64_t now_ms, uint32_t random)
{
    b->failures += b->failures < UINT32_MAX;
    if (b->state == BREAKER_OPEN ||
        (b->state == BREAKER_CLOSED && b->failures < b->rules.failures))
        return false;

    uint64_t doubled_ms =
        b->wait_ms > b->rules.longest_ms / 2 ? b->rules.longest_ms : b->wait_ms * 2;

    b->wait_ms = b->wait_ms ? doubled_ms : b->rules.first_ms;
    /* Half of it, and a random part of the other half: many that lost the same peer at
     * once do not come back at once. */
    b->due_ms = now_ms + b->wait_ms / 2 + (((b->wait_ms + 1) / 2 * random) >> 32);
    b->state = BREAKER_OPEN;
    b->probing = false;
    b->opened++;
    return true;
}

void breaker_abandoned(struct breaker *b)
{
    b->probing = false;
}
