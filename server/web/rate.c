#include "server/web/rate.h"

void rate_init(struct rate *r, uint64_t interval_ns, uint32_t burst, uint64_t now_ns)
{
    uint64_t full_ns = interval_ns * burst;

    if (burst && interval_ns > UINT64_MAX / burst)
        full_ns = UINT64_MAX;
    *r = (struct rate){ interval_ns, full_ns, full_ns, now_ns };
}

bool rate_allow(struct rate *r, uint64_t now_ns)
{
    uint64_t gained_ns = now_ns - r->at_ns;

    if (r->interval_ns == 0)
        return true;
    r->at_ns = now_ns;
    r->held_ns =
        gained_ns < r->full_ns - r->held_ns ? r->held_ns + gained_ns : r->full_ns;
    if (r->held_ns < r->interval_ns)
        return false;
    r->held_ns -= r->interval_ns;
    return true;
}
