/*
 * problem.h - what OpenSSL says went wrong, in words.
 */
#ifndef SERVER_TLS_PROBLEM_H
#define SERVER_TLS_PROBLEM_H

/*
 * The reason of the oldest error that OpenSSL has noted on this thread, and forgets them
 * all. Never NULL, lives for ever. Ends the process if memory ran out.
 */
const char *problem_reason(void);

#endif
