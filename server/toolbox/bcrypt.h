/*
 * bcrypt.h - is this the password of this hash: see toolbox.h.
 */
#ifndef SERVER_TOOLBOX_BCRYPT_H
#define SERVER_TOOLBOX_BCRYPT_H

int bcrypt_matches(const char *hash, const char *password);

#endif
