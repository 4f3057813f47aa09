/*
 * browser.h - requests that a page of another site makes a browser send.
 *
 * For paths that change something or stream. Three signs, each enough: the browser says
 * so (Sec-Fetch-Site), it names another origin, or it believes to talk to a name that is
 * not ours: a name of the attacker's that was pointed at this machine (DNS rebinding).
 */
#ifndef SERVER_HTTP_BROWSER_H
#define SERVER_HTTP_BROWSER_H

#include "server/http/route.h"

/*
 * NULL: rq may be served. Else one sentence on why not. allowed: names separated by
 * commas that Host may have besides IP addresses and localhost; may be empty.
 */
const char *browser_refused(const struct request *rq, struct view allowed);

#endif
