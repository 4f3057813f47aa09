/*
 * watched.h - what the progress of an encode and logs of its frames tell.
 *
 * Known while it is encoded and afterwards; a results file that tells the same wins.
 */
#ifndef CORE_WATCHED_H
#define CORE_WATCHED_H

/* The run of encodes that no results file tells of. */
#define WATCHED_RUN "live"

struct watched {      /* NaN: not known */
    double content_s; /* length of what was encoded, so far */
    double frames, dropped_frames;
    double avg_fps; /* frames encoded per second of wall time */
    double actual_bitrate_bps;

    /* Over the frames of a log, as the fields of a results file of the same names. */
    double vmaf, vmaf_harmonic_mean, vmaf_min, vmaf_p1, vmaf_p5;
    double psnr_db, psnr_min_db; /* may be +Inf */
    double ssim;
    double vmaf_width, vmaf_height; /* pixels, at which VMAF was measured */
    double quality_s;               /* time that measuring them took */
};

/* Nothing known. */
struct watched watched_nothing(void);

#endif
