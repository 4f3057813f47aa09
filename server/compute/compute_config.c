#include "server/compute/compute_config.h"

#include <errno.h>

#define AT(field) offsetof(struct compute_config, field)

const struct option compute_options[] = {
    { "qoe.compute", OPT_BOOL, AT(on), NULL, NULL, NULL,
      "let ffmpeg measure the quality of encodes that name \"reference\" and "
      "\"output\" "
      "and have no scores; see docs/compute.md",
      "quality" },
    { "qoe.compute-timeout", OPT_DURATION, AT(timeout_ms), NULL, "4h", "D",
      "one measurement may take so long", "quality", .min = 1000, .max = 6.048e8 },
    { "qoe.compute-threads", OPT_U32, AT(threads), NULL, "1", "N",
      "threads for each decoder and filter of a measurement", "quality", .min = 1,
      .max = 64 },
    { "ffmpeg", OPT_STRING, AT(ffmpeg), NULL, "ffmpeg", "PATH",
      "the ffmpeg that measures, with ffprobe beside it; without a \"/\" found by the "
      "variable PATH",
      "quality" },
    { 0 },
};

int compute_config_check(const struct compute_config *c, bool live, struct err *e)
{
    if (c->on && !live)
        return err_set(e, -EINVAL,
                       "--qoe.compute: not with --live off, which watches no scores of "
                       "frames");
    if (c->on && !*c->ffmpeg)
        return err_set(e, -EINVAL,
                       "--ffmpeg: is empty; a program or its path is needed");
    return 0;
}
