/*
 * kept.h - small files of the kernel that are opened once and read again and again.
 */
#ifndef SERVER_POWER_KEPT_H
#define SERVER_POWER_KEPT_H

#include <stdint.h>

#include "core/view.h"

enum { KEPT_MAX = 512 }; /* what is read of a file, at most */

/* The descriptor, or a negative errno. */
int kept_open(const char *path);

/* The whole lines of the file, from its beginning, into text; *out is a view of them
 * without blanks at their ends. 0 or a negative errno; no whole line is -EIO. */
int kept_read(int fd, char text[KEPT_MAX], struct view *out);

/* Opened, read and closed. */
int kept_once(const char *path, char text[KEPT_MAX], struct view *out);

/* Takes blanks and a decimal number off the front of v. False: there is none; v is as it
 * was. */
bool kept_number(struct view *v, uint64_t *out);

/* A file that holds one number and nothing else: 0, a negative errno, or -EINVAL. */
int kept_value(int fd, uint64_t *out);

#endif
