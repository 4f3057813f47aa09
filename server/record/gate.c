/*
 * gate.c - opens record.so for `encode_exporter record`.
 *
 * A program without its library, or with that of another version, still runs the command:
 * what is recorded matters less than the encode.
 */
#include "server/record/record.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "server/library.h"

static int run_unrecorded(int argc, char **argv)
{
    int at = 1;

    while (at < argc && strcmp(argv[at], "--") != 0)
        if (strcmp(argv[at++], "--strict") == 0)
            return RECORD_FAILED;
    if (at + 1 >= argc)
        return RECORD_FAILED;
    execvp(argv[at + 1], argv + at + 1);

    int rc = errno == ENOENT ? RECORD_NOT_FOUND : RECORD_NOT_RUN;

    fprintf(stderr, "encode_exporter: record: %s: %s\n", argv[at + 1], strerror(errno));
    return rc;
}

int record_command(int argc, char **argv)
{
    char path[PATH_MAX + 256];
    const void *found;
    struct err e = { 0 };
    int rc = library_find("record.so", path, sizeof path, &e);

    if (rc == 0)
        rc = library_open(path, RECORD_SYMBOL, ENCODE_ABI, "nothing else", &found, &e);
    if (rc == 0)
        return ((const struct record *)found)->command(argc, argv);
    fprintf(stderr, "encode_exporter: record: nothing is recorded: %s\n", e.text);
    return run_unrecorded(argc, argv);
}
