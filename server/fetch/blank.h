/*
 * blank.h - our own secrets out of what a peer said, before it is shown: who answers may
 * well quote the request.
 */
#ifndef SERVER_FETCH_BLANK_H
#define SERVER_FETCH_BLANK_H

#include <stddef.h>

/* Each place of secret in the n bytes of text becomes '*', and so does its beginning where
 * text was cut within it. Nothing where secret is NULL or shorter than 4 bytes, which is found in any text. */
void blank_secret(char *text, size_t n, const char *secret);

/* The same with both as basic authentication sends them (RFC 7617). */
void blank_basic(char *text, size_t n, const char *username, const char *password);

#endif
