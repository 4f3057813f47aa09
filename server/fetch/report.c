#include "server/fetch/report.h"

void report_collect(void *fetcher, struct series *out)
{
    const struct fetch_counts c = fetcher_counts(fetcher);
    const struct {
        struct view result;
        uint64_t count;
    } all[] = { { VIEW("good"), c.good },
                { VIEW("refused"), c.refused },
                { VIEW("bad"), c.bad },
                { VIEW("skipped"), c.skipped } };

    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        struct labels l = labels_open(out);

        labels_add(out, &l, "result", all[i].result);
        series_add(out, REPORT_REQUESTS, l, (double)all[i].count);
    }
    series_add(out, REPORT_LAST_SUCCESS, labels_open(out), c.last_good_unix_s);
}
