/*
 * err.h - what went wrong, as a code and one sentence for a person.
 */
#ifndef CORE_ERR_H
#define CORE_ERR_H

struct err {
    int code;       /* negative errno, 0 while nothing went wrong */
    char text[480]; /* one sentence, no newline; where and why */
};

/* Fills e (which may be NULL) and returns code, so: return err_set(e, -EINVAL, …). */
int err_set(struct err *e, int code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
