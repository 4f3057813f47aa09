/*
 * credentials.h - a name and a password, as a request brings them (RFC 7617).
 */
#ifndef SERVER_WEB_CREDENTIALS_H
#define SERVER_WEB_CREDENTIALS_H

#include "core/view.h"
#include "server/web/web_config.h"

/* Longer than any password that bcrypt looks at to its end (72), and what libcrypt takes. */
enum {
    PASSWORD_BYTES_MAX = 511,
    CREDENTIAL_BYTES_MAX = WEB_NAME_BYTES_MAX + 1 + PASSWORD_BYTES_MAX
};

struct credentials {
    struct view name,
        password; /* in room; no control characters, NUL behind password */
    char room[CREDENTIAL_BYTES_MAX + 1];
};

/*
 * Reads the value of an Authorization field. False where it is not Basic, no base64 as
 * RFC 4648 has it, without a colon, too long, or holds a control character: a NUL would
 * end the password for the C library, and what follows would not count. In any case
 * credentials_wipe() ends it.
 */
bool credentials_read(struct view authorization, struct credentials *out);
void credentials_wipe(struct credentials *c);

#endif
