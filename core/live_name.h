/*
 * live_name.h - which encode a file belongs to, by its name.
 *
 * NAME.progress, NAME.psnr.log and NAME.vmaf.json belong together: what stands before the
 * suffix is the name of the encode. The suffix tells what is looked for in the file;
 * libvmaf logs tell by their first bytes in which of their formats they are, for people
 * name them one way and write another (log_fmt was XML by default for years).
 *
 * Suffixes, in lower case:
 *   .progress  .progress.txt  .progress.log                            progress
 *   .psnr.log  .psnr.txt  .psnr                                        PSNR by frame
 *   .ssim.log  .ssim.txt  .ssim                                        SSIM by frame
 *   .vmaf.json .vmaf.xml .vmaf.csv .vmaf.sub .vmaf.log .vmaf.txt .vmaf libvmaf's log
 */
#ifndef CORE_LIVE_NAME_H
#define CORE_LIVE_NAME_H

#include "core/buf.h"

enum live_kind {
    LIVE_NONE, /* another file */
    LIVE_PROGRESS,
    LIVE_PSNR,
    LIVE_SSIM,
    LIVE_VMAF,
};

/* file: a name without directory. *name: what stands before its suffix, never empty. It
 * is untouched where the result is LIVE_NONE. */
enum live_kind live_name(struct view file, struct view *name);

/*
 * Appends the form in which two names are compared: who makes a file name of "a: b/c 5M"
 * writes "a__b_c_5M" or "a_b_c_5M", depending on taste. ASCII letters, digits, "." "-" "+"
 * and all that is not ASCII stay; each run of others becomes one "_", none at the ends. A
 * name of nothing but such characters stays as it is. Case counts.
 *
 * Names may be equal in this form and different as they are: the one that is equal as it
 * is comes first, and of several others none is meant.
 */
void live_name_canonical(struct view name, struct buf *out);

#endif
