/*
 * bcrypt_cost.h - the form of a bcrypt hash, which basic_auth_users holds.
 */
#ifndef SERVER_WEB_BCRYPT_COST_H
#define SERVER_WEB_BCRYPT_COST_H

#include "core/err.h"
#include "core/view.h"

/* Each step of the cost doubles the time of a check: 10 takes about 50 ms, 14 about a
 * second, 18 ten and more. Four is the least there is. */
enum { BCRYPT_COST_MIN = 4, BCRYPT_COST_SLOW = 14, BCRYPT_COST_MAX = 18 };

/* The cost of a hash, or -EINVAL: e says what is wrong, and never the hash itself. */
int bcrypt_cost(struct view hash, struct err *e);

#endif
