/*
 * record.h - `encode_exporter record`: runs a command and writes what it did into the
 * results directory. It lies in record.so, which gate.c opens.
 */
#ifndef SERVER_RECORD_RECORD_H
#define SERVER_RECORD_RECORD_H

#include <stdint.h>

enum {
    RECORD_FAILED = 125,  /* wrong flags; with --strict: it could not be recorded */
    RECORD_NOT_RUN = 126, /* the command is there and cannot be run */
    RECORD_NOT_FOUND = 127,
};

/*
 * argv[0] is "record"; flags and the command follow. Returns the status to exit with: that of
 * the command, or one of those above. A command that a signal ended ends us by the same one.
 */
int record_command(int argc, char **argv);

/* The one symbol of the library: a const struct record. */
#define RECORD_SYMBOL "encode_record"

struct record {
    uint32_t abi; /* ENCODE_ABI; first for ever, and looked at before all else */
    __typeof__(record_command) *command;
};

#endif
