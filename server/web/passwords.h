/*
 * passwords.h - who may come in: names and passwords of a web config, and how many
 * requests there may be.
 *
 * What it costs to find out is bounded: one check on the pool at a time, 16 waiting, and
 * what was found out is remembered. Loop thread only.
 */
#ifndef SERVER_WEB_PASSWORDS_H
#define SERVER_WEB_PASSWORDS_H

#include <uv.h>

#include "server/http/door.h"
#include "server/web/logins.h"
#include "server/web/web_config.h"

enum {
    PASSWORDS_WAITING_MAX = 16,
    PASSWORDS_WRONG_MAX = 256,
    PASSWORDS_WRONG_MS = 10 * 1000,
};

struct passwords;

/* toolbox: borrowed. On failure there is no random number in this system, and e says so. */
int passwords_new(uv_loop_t *loop, const struct toolbox *t, struct passwords **out,
                  struct err *e);

/* After the loop has run dry, which takes until the check under way is done. */
void passwords_free(struct passwords *p); /* NULL is accepted */

/*
 * From now on this config counts; takes the reference. What was remembered is forgotten,
 * and who waits is judged by the new one. Without users everybody may come in. The rate
 * goes on as it was where it is the same. Before the first one everybody may come in, too.
 */
void passwords_configure(struct passwords *p, struct web_config *config);

/* Its context lives as long as p. */
struct door passwords_door(struct passwords *p);

uint64_t passwords_count(const struct passwords *p, enum login which);

/* How often bcrypt was asked. */
uint64_t passwords_checks(const struct passwords *p);

#endif
