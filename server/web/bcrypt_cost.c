#include "server/web/bcrypt_cost.h"

#include <errno.h>

enum { HASH_CHARS = 60, COST_AT = 4, SALT_AT = 7 };

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '.' || c == '/';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool has_form(struct view h)
{
    if (h.n != HASH_CHARS || !is_digit(h.p[COST_AT]) || !is_digit(h.p[COST_AT + 1]) ||
        h.p[COST_AT + 2] != '$')
        return false;
    for (size_t i = SALT_AT; i < h.n; i++)
        if (!is_letter(h.p[i]))
            return false;
    return true;
}

int bcrypt_cost(struct view h, struct err *e)
{
    int cost;

    if (!view_starts(h, VIEW("$2a$")) && !view_starts(h, VIEW("$2b$")) &&
        !view_starts(h, VIEW("$2y$")))
        return err_set(e, -EINVAL,
                       "no bcrypt hash: it begins with none of $2a$, $2b$, $2y$ "
                       "(htpasswd -nBC 10 \"\" | tr -d ':\\n' makes one)");
    if (!has_form(h))
        return err_set(e, -EINVAL,
                       "no bcrypt hash: after $2y$ come two digits, $, and 53 letters, "
                       "digits, dots or slashes; cut off or mistyped?");
    cost = (h.p[COST_AT] - '0') * 10 + h.p[COST_AT + 1] - '0';
    if (cost < BCRYPT_COST_MIN)
        return err_set(e, -EINVAL, "cost %d: bcrypt begins at %d", cost,
                       BCRYPT_COST_MIN);
    if (cost > BCRYPT_COST_MAX)
        return err_set(e, -EINVAL,
                       "cost %d: each check of a password would take many seconds; at "
                       "most %d is accepted, 10 to 12 is usual",
                       cost, BCRYPT_COST_MAX);
    return cost;
}
