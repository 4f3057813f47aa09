/*
 * requests.h - POST /progress/NAME → encodes: who may, and what became of it.
 */
#ifndef SERVER_LIVE_REQUESTS_H
#define SERVER_LIVE_REQUESTS_H

#include "server/http/intake.h"

struct live;
struct live_requests;
struct roll_entry;

struct live_requests *live_requests_new(struct live *l);

/* As live_intake(). */
struct intake *live_requests_take(struct live_requests *q,
                                  const struct intake_request *rq,
                                  struct reply *refusal);

/* The entry goes though requests tell of it: their bytes are heard and dropped. */
void live_requests_let_go(struct live_requests *q, struct roll_entry *e);

/* After all intakes have ended. */
void live_requests_free(struct live_requests *q);

#endif
