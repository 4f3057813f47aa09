/*
 * library.h - finds and opens a shared object that belongs to this program.
 */
#ifndef SERVER_LIBRARY_H
#define SERVER_LIBRARY_H

#include <stddef.h>

#include "core/err.h"

/*
 * Path of a library by the name of its file: beside the executable, else in the library
 * directory it was installed with, and nowhere else. 0, or a negative errno: then e names
 * the places.
 */
int library_find(const char *file, char *path, size_t size, struct err *e);

/*
 * Opens the file at path (which has a '/') and finds its one symbol, which stays until the
 * process ends. The symbol is a struct that begins with its ABI number, a uint32_t. On
 * failure e names path and reason, and nothing stays open. needs: what to install, for the
 * message.
 */
int library_open(const char *path, const char *symbol, unsigned abi, const char *needs,
                 const void **out, struct err *e);

#endif
