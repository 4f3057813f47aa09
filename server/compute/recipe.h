/*
 * recipe.h - two clips → whether they can be compared, how, and the command that does it.
 *
 * Files are /proc/self/fd/3 (the encode) and 4 (its reference) in the command, logs 5 to 7:
 * no name of a file, and no word out of one, is part of it.
 */
#ifndef SERVER_COMPUTE_RECIPE_H
#define SERVER_COMPUTE_RECIPE_H

#include "core/err.h"
#include "server/compute/clip.h"

enum {
    RECIPE_OUTPUT_FD = 3,
    RECIPE_REFERENCE_FD,
    RECIPE_PSNR_FD,
    RECIPE_SSIM_FD,
    RECIPE_VMAF_FD,
    RECIPE_ARGUMENTS_MAX = 64,
    RECIPE_PIXELS_MAX = 8192 * 8192,
};

struct recipe {
    const char *model;      /* of VMAF; NULL: without VMAF */
    uint32_t width, height; /* those of the reference */
    double peak;            /* the largest value of a sample, as it is compared */
    double frames;          /* that are to be expected; NaN: not known */
    char filters[1024];     /* of -filter_complex */
};

/*
 * can_vmaf: ffmpeg has the filter. threads: of libvmaf. -EINVAL: they cannot be compared, and
 * e says why.
 */
int recipe_make(const struct clip *output, const struct clip *reference, bool can_vmaf,
                uint32_t threads, struct recipe *out, struct err *e);

/* A command: argv ends with NULL; texts are our own, those of a recipe, or numbers. */
struct recipe_command {
    const char *argv[RECIPE_ARGUMENTS_MAX];
    size_t count;
    char threads[12], pixels[12];
};

/* program: argv[0], borrowed. */
void recipe_compare(const struct recipe *p, const char *program, uint32_t threads,
                    struct recipe_command *out);

/* ffprobe, of the file RECIPE_OUTPUT_FD. */
void recipe_probe(const char *program, struct recipe_command *out);

/* "ffmpeg -filters". */
void recipe_list_filters(const char *program, struct recipe_command *out);

/* Whether its answer names libvmaf. */
bool recipe_lists_vmaf(struct view answer);

#endif
