/*
 * library.c - the one symbol of predict.so.
 */
#include "server/predict/predict.h"

extern const struct predict encode_predict;

#define REAL(name) .name = (name),

__attribute__((visibility("default")))
const struct predict encode_predict = { .abi = ENCODE_ABI, PREDICT_FUNCTIONS(REAL) };
