/*
 * library.c - the one symbol of record.so.
 */
#include "server/record/record.h"

extern const struct record encode_record;

__attribute__((visibility("default")))
const struct record encode_record = { .abi = ENCODE_ABI, .command = record_command };
