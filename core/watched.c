#include "core/watched.h"

#include <math.h>

struct watched watched_nothing(void)
{
    return (struct watched){
        .content_s = NAN,
        .frames = NAN,
        .dropped_frames = NAN,
        .avg_fps = NAN,
        .actual_bitrate_bps = NAN,
        .vmaf = NAN,
        .vmaf_width = NAN,
        .vmaf_height = NAN,
        .vmaf_harmonic_mean = NAN,
        .vmaf_min = NAN,
        .vmaf_p1 = NAN,
        .vmaf_p5 = NAN,
        .psnr_db = NAN,
        .psnr_min_db = NAN,
        .ssim = NAN,
        .quality_s = NAN,
    };
}
