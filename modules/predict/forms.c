/*
 * forms.c - tables of forms.
 *
 * Which forms there are was found on 193 measured encodes of five clips by four encoders:
 * with more terms linear models err by tens of VMAF points on a clip never seen, with
 * these by about 4.
 */
#include "modules/predict/forms.h"

#define ALL(table)            (table), sizeof(table) / sizeof *(table)
#define FORMS(table, numbers) ((struct forms){ ALL(table), ALL(numbers) })

/* Ratios of the noise's variance to that of a coefficient. */
static const double known_penalties[] = { 0.01, 0.03, 0.1, 0.3 };
static const double quality_penalties[] = { 10, 1, 30 };
static const double compute_penalties[] = { 1, 0.1, 10 };

#define U_TERMS                                                                        \
    { BLOCK_ONE, FREE },                                                               \
    {                                                                                  \
        BLOCK_U, FIRST                                                                 \
    }
#define ENC_TERMS                                                                      \
    U_TERMS,                                                                           \
    {                                                                                  \
        BLOCK_ENC, FIRST                                                               \
    }

static const struct form known_quality[] = {
    { "mixed", "source", { { BLOCK_ONE, FREE } }, { { BLOCK_ONE, FIRST } } },
    { "mixed",
      "log_bits_per_pixel,source",
      { U_TERMS },
      { { BLOCK_ONE, FIRST }, { BLOCK_U, FIRST } } },
    { "mixed",
      "log_bits_per_pixel,encoder,source",
      { ENC_TERMS },
      { { BLOCK_ONE, FIRST }, { BLOCK_U, FIRST }, { BLOCK_ENC, SECOND } } },
    { "mixed",
      "log_bits_per_pixel^2*encoder,preset*encoder,pixel_rate,source",
      { ENC_TERMS,
        { BLOCK_U2, FIRST },
        { BLOCK_ENC_U, FIRST },
        { BLOCK_ENC_U2, SECOND },
        { BLOCK_ENC_E, FIRST },
        { BLOCK_ENC_E2, FIRST },
        { BLOCK_ENC_EU, SECOND },
        { BLOCK_LP, FIRST } },
      { { BLOCK_ONE, FIRST },
        { BLOCK_U, FIRST },
        { BLOCK_U2, SECOND },
        { BLOCK_ENC, SECOND },
        { BLOCK_ENC_U, SECOND },
        { BLOCK_ENC_E, SECOND },
        { BLOCK_E, FIRST },
        { BLOCK_EU, SECOND } } },
};

#define PIXEL_TERMS                                                                    \
    { BLOCK_LP, FIRST },                                                               \
    {                                                                                  \
        BLOCK_LOG_STREAMS, FIRST                                                       \
    }

static const struct form known_compute[] = {
    { "mixed", "pixel_rate,source", { { BLOCK_ONE, FREE } }, { { BLOCK_ONE, FIRST } } },
    { "mixed",
      "pixel_rate,log_bits_per_pixel,streams,source",
      { U_TERMS, PIXEL_TERMS },
      { { BLOCK_ONE, FIRST }, { BLOCK_U, FIRST } } },
    { "mixed",
      "pixel_rate,log_bits_per_pixel,encoder,streams,source",
      { ENC_TERMS, PIXEL_TERMS },
      { { BLOCK_ONE, FIRST }, { BLOCK_U, FIRST }, { BLOCK_ENC, SECOND } } },
    { "mixed",
      "pixel_rate,log_bits_per_pixel^2*encoder,preset*encoder,outputs,streams,source",
      { ENC_TERMS,
        PIXEL_TERMS,
        { BLOCK_U2, FIRST },
        { BLOCK_ENC_U, FIRST },
        { BLOCK_ENC_U2, SECOND },
        { BLOCK_ENC_E, FIRST },
        { BLOCK_ENC_E2, FIRST },
        { BLOCK_ENC_EU, SECOND },
        { BLOCK_PRESET, FIRST },
        { BLOCK_REAL_TIME, SECOND },
        { BLOCK_LOG_OUTPUTS, SECOND } },
      { { BLOCK_ONE, FIRST },
        { BLOCK_U, FIRST },
        { BLOCK_U2, SECOND },
        { BLOCK_ENC, SECOND },
        { BLOCK_ENC_U, SECOND },
        { BLOCK_ENC_E, SECOND },
        { BLOCK_E, FIRST },
        { BLOCK_EU, SECOND } } },
};

/* ---- power ------------------------------------------------------------------------ */

#define STREAMS_TERMS                                                                  \
    { BLOCK_ONE, FREE },                                                               \
    {                                                                                  \
        BLOCK_STREAMS, FREE                                                            \
    }
#define POWER_TERMS                                                                    \
    { BLOCK_ONE, FREE }, { BLOCK_STREAMS, FIRST }, { BLOCK_U, FIRST },                 \
        { BLOCK_LP, FIRST }, { BLOCK_ENC, FIRST },                                     \
    {                                                                                  \
        BLOCK_ENC_E, FIRST                                                             \
    }

#define POWER_MEAN                                                                     \
    {                                                                                  \
        "mean", "", { { BLOCK_ONE, FREE } },                                           \
        {                                                                              \
            {                                                                          \
                BLOCK_END                                                              \
            }                                                                          \
        }                                                                              \
    }
#define POWER_LINE                                                                     \
    {                                                                                  \
        "linear", "streams", { STREAMS_TERMS },                                        \
        {                                                                              \
            {                                                                          \
                BLOCK_END                                                              \
            }                                                                          \
        }                                                                              \
    }
#define POWER_SQUARE                                                                   \
    {                                                                                  \
        "quadratic", "streams^2", { STREAMS_TERMS, { BLOCK_STREAMS2, FREE } },         \
        {                                                                              \
            {                                                                          \
                BLOCK_END                                                              \
            }                                                                          \
        }                                                                              \
    }

static const struct form power_line[] = { POWER_MEAN, POWER_LINE };
static const struct form power_square[] = { POWER_MEAN, POWER_SQUARE };

static const struct form known_power[] = {
    POWER_MEAN,
    POWER_LINE,
    POWER_SQUARE,
    { "linear",
      "log_bitrate",
      { { BLOCK_ONE, FREE }, { BLOCK_LOG_RATE, FREE } },
      { { BLOCK_END } } },
    { "linear",
      "streams,log_bits_per_pixel,pixel_rate",
      { STREAMS_TERMS, { BLOCK_U, FREE }, { BLOCK_LP, FREE } },
      { { BLOCK_END } } },
    { "ridge",
      "streams,log_bits_per_pixel,pixel_rate,preset*encoder",
      { POWER_TERMS },
      { { BLOCK_END } } },
    { "mixed",
      "streams,log_bits_per_pixel^2,pixel_rate,preset*encoder,source",
      { POWER_TERMS, { BLOCK_U2, FIRST } },
      { { BLOCK_ONE, FIRST },
        { BLOCK_U, FIRST },
        { BLOCK_ENC, SECOND },
        { BLOCK_E, FIRST } } },
};

/* Fewer counts than this are too few for a bend. */
#define STREAM_COUNTS_FOR_SQUARE 6

struct forms forms_known(enum kind k, size_t streams)
{
    switch (k) {
    case KIND_QUALITY:
        return FORMS(known_quality, known_penalties);
    case KIND_COMPUTE:
        return FORMS(known_compute, known_penalties);
    case KIND_POWER:
        return FORMS(known_power, known_penalties);
    default:
        break;
    }
    if (streams < STREAM_COUNTS_FOR_SQUARE)
        return FORMS(power_line, known_penalties);
    return FORMS(power_square, known_penalties);
}

/* ---- content never seen ----------------------------------------------------------- */

#define NEW_TERMS                                                                      \
    ENC_TERMS, { BLOCK_ENC_U, FIRST },                                                 \
    {                                                                                  \
        BLOCK_ENC_E, FIRST                                                             \
    }

static const struct form new_quality[] = {
    { "ridge",
      "log_bits_per_pixel*encoder,preset*encoder,preset*log_bits_per_pixel",
      { NEW_TERMS, { BLOCK_EU, FIRST } },
      { { BLOCK_END } } },
    { "ridge",
      "log_bits_per_pixel,encoder,preset*encoder",
      { ENC_TERMS, { BLOCK_ENC_E, FIRST } },
      { { BLOCK_END } } },
    { "ridge", "log_bits_per_pixel", { U_TERMS }, { { BLOCK_END } } },
};

#define COMPUTE_TERMS                                                                  \
    NEW_TERMS, { BLOCK_ENC_E2, FIRST }, { BLOCK_PRESET, FIRST }, { BLOCK_LP, FIRST },  \
    {                                                                                  \
        BLOCK_LOG_STREAMS, FIRST                                                       \
    }

/* None without the pixel rate but the plainest: it errs less wherever one source alone is
 * larger than the others, and more on the next one. */
static const struct form new_compute[] = {
    { "ridge",
      "pixel_rate*encoder,log_bits_per_pixel*encoder,preset*encoder,streams",
      { COMPUTE_TERMS, { BLOCK_ENC_LP, FIRST } },
      { { BLOCK_END } } },
    { "ridge",
      "pixel_rate,log_bits_per_pixel*encoder,preset*encoder,streams",
      { COMPUTE_TERMS },
      { { BLOCK_END } } },
    { "ridge",
      "pixel_rate",
      { { BLOCK_ONE, FREE }, { BLOCK_LP, FIRST } },
      { { BLOCK_END } } },
};

static const struct form new_power[] = {
    { "ridge",
      "streams,log_bits_per_pixel,pixel_rate,preset*encoder",
      { POWER_TERMS },
      { { BLOCK_END } } },
    { "ridge",
      "streams,log_bits_per_pixel,pixel_rate",
      { { BLOCK_ONE, FREE },
        { BLOCK_STREAMS, FIRST },
        { BLOCK_U, FIRST },
        { BLOCK_LP, FIRST } },
      { { BLOCK_END } } },
    { "ridge",
      "streams",
      { { BLOCK_ONE, FREE }, { BLOCK_STREAMS, FIRST } },
      { { BLOCK_END } } },
    POWER_MEAN,
};

struct forms forms_new(enum kind k)
{
    if (k == KIND_QUALITY)
        return FORMS(new_quality, quality_penalties);
    if (k == KIND_COMPUTE)
        return FORMS(new_compute, compute_penalties);
    return FORMS(new_power, compute_penalties);
}
