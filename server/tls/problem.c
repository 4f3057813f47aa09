#include "server/tls/problem.h"

#include <string.h>

#include <openssl/err.h>

#include "core/mem.h"

const char *problem_reason(void)
{
    unsigned long code = ERR_peek_error();
    const char *text = NULL;

    if (ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE)
        mem_exhausted(0);
    if (ERR_SYSTEM_ERROR(code))
        text = strerror(ERR_GET_REASON(code));
    else if (code)
        text = ERR_reason_error_string(code);
    ERR_clear_error();
    return text ? text : "no reason given";
}
