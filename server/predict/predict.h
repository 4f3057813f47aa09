/*
 * predict.h - what predict.so gives the program: modules/predict/ and what serves it.
 *
 * The library is opened unless --predict off says not to, so that the size of it is not the
 * program's. gate.c defines the functions of forecast.h in the program and passes them on;
 * what the library calls of the program, server/exports.txt names.
 */
#ifndef SERVER_PREDICT_PREDICT_H
#define SERVER_PREDICT_PREDICT_H

#include <stdint.h>

#include "server/predict/forecast.h"
#include "server/predict/prompt.h"

/* The one symbol that the library shows: a const struct predict. */
#define PREDICT_SYMBOL "encode_predict"

/* Every function of the program that the library gives, once. */
#define PREDICT_FUNCTIONS(F)                                                           \
    F(forecast_new)                                                                    \
    F(forecast_check)                                                                  \
    F(forecast_start)                                                                  \
    F(forecast_changed)                                                                \
    F(forecast_served)                                                                 \
    F(forecast_digest)                                                                 \
    F(forecast_learned)                                                                \
    F(forecast_learned_all)                                                            \
    F(forecast_read)                                                                   \
    F(forecast_take)                                                                   \
    F(forecast_refit)                                                                  \
    F(forecast_loaded)                                                                 \
    F(forecast_about)                                                                  \
    F(forecast_settled)                                                                \
    F(forecast_freeze)                                                                 \
    F(forecast_stop)                                                                   \
    F(forecast_free)                                                                   \
    F(predict_prompt)

#define PREDICT_MEMBER(name) __typeof__(name) *(name);

struct predict {
    uint32_t abi; /* ENCODE_ABI; first for ever, and looked at before all else */
    PREDICT_FUNCTIONS(PREDICT_MEMBER)
};

#endif
