/*
 * bcrypt.c - the system's libcrypt, asked about one password.
 *
 * Only what follows the salt is compared, all of it in every case: some programs leave
 * bits in the last letter of the salt that mean nothing, and libcrypt clears them in what
 * it returns.
 */
#include "server/toolbox/bcrypt.h"

#include <errno.h>
#include <string.h>

#include <crypt.h>

enum { SALT_END = 29, HASH_CHARS = 60 };

int bcrypt_matches(const char *hash, const char *password)
{
    struct crypt_data work = { 0 };
    /* Not crypt_r(): AddressSanitizer puts one of its own in front of it, which finds no
     * libcrypt that is loaded later. */
    const char *got = crypt_rn(password, hash, &work, (int)sizeof work);
    unsigned different = 0;
    int rc = -ENOTSUP;

    if (got && strlen(got) == HASH_CHARS) {
        for (size_t i = SALT_END; i < HASH_CHARS; i++)
            different |= (unsigned)(got[i] ^ hash[i]);
        rc = different == 0;
    }
    explicit_bzero(&work, sizeof work);
    return rc;
}
