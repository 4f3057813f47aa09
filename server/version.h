/*
 * version.h - what this program is called when it tells others.
 */
#ifndef SERVER_VERSION_H
#define SERVER_VERSION_H

extern const char version_text[];     /* "0.1.0" */
extern const char version_revision[]; /* of the source, "unknown" outside a checkout */
extern const char version_compiler[];

#endif
