/*
 * app.h - the whole program: built up in one order, torn down in the other.
 */
#ifndef SERVER_APP_H
#define SERVER_APP_H

#include "server/config.h"

/* Serves until a signal says stop. Exit status: 0, or 1 after a line in the log. */
int app_serve(const struct config *c);

/* Reads and checks what the flags name. 0, or the exit status with e filled: 2 for a
 * wrong flag or variable, 1 for a file. */
int app_check(const struct config *c, struct err *e);

#endif
