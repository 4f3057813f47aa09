/*
 * logins.h - what becomes of requests where there is a web config; for who counts them.
 */
#ifndef SERVER_WEB_LOGINS_H
#define SERVER_WEB_LOGINS_H

enum login {
    LOGIN_RIGHT,   /* let in with a name and a password */
    LOGIN_WRONG,   /* these were wrong */
    LOGIN_MISSING, /* none came, or not in a form that can be read */
    LOGIN_BUSY,    /* too many checks were waiting */
    LOGIN_LIMITED, /* beyond rate_limit */
    LOGIN_COUNT,
};

#endif
