/*
 * self.h - what the process says about itself: process_* and encode_exporter_*.
 *
 * Counting is cheap and done at once. The body is rendered at most once a second, when
 * a scrape finds it older. Loop thread only.
 */
#ifndef SERVER_SELF_H
#define SERVER_SELF_H

#include "core/store.h"
#include "server/body.h"
#include "server/http/limits.h"
#include "server/web/logins.h"

/* Label values of encode_exporter_file_errors_total. */
enum fault {
    FAULT_UNREADABLE,
    FAULT_TOO_LARGE,
    FAULT_INVALID_JSON,
    FAULT_WRONG_SHAPE,
    FAULT_INVALID_VALUE,
    FAULT_COUNT,
};

/* Label values of encode_exporter_events_total. */
enum event_kind {
    EVENT_CHANGED,
    EVENT_REMOVED,
    EVENT_OVERFLOW,
    EVENT_RESCAN,
    EVENT_COUNT
};

enum { SELF_STALE_MAX = 64 };

struct self;

struct self *self_new(const char *version, const char *revision);
void self_free(struct self *s);

void self_fault(struct self *s, enum fault f, uint64_t count);
void self_event(struct self *s, enum event_kind k);
void self_visible(struct self *s, double seconds); /* event read → served */
void self_changed(struct self *s, double unix_s);  /* served values changed */
void self_watch_mode(struct self *s, bool polling);
/* An endpoint that will answer requests; name lives as long as the program. */
void self_endpoint(struct self *s, const char *name);
/* seconds: request complete → answer with the kernel; NaN: an answer to no request. */
void self_request(struct self *s, const char *endpoint, int status, double seconds);
void self_connections(struct self *s, int delta);

struct self_web {
    bool on;   /* there is a web config */
    bool good; /* its last reading was */
    double good_unix_s;
    uint64_t logins[LOGIN_COUNT];
    uint64_t checks; /* of passwords, with bcrypt */
};

/* What is asked for anew at each rendering. */
struct self_snapshot {
    struct store_counts files;
    uint64_t ignored_files;
    uint64_t scenarios_repeated;
    uint64_t refused[HTTP_LIMIT_COUNT]; /* clients and requests, by limit */
    struct {
        struct view run_id;
        enum fault reason;
    } stale[SELF_STALE_MAX]; /* runs served as they were before their file went bad */
    size_t stale_count;
    struct {
        const char *endpoint;
        uint64_t bytes;
    } responses[8];
    size_t response_count;
    struct self_web web;
};
typedef void self_snapshot_fn(void *ctx, struct self_snapshot *out);
void self_source(struct self *s, self_snapshot_fn *fn, void *ctx);

/*
 * Families of another part of the program, behind those here in the order in which parts
 * are added, before the first body is asked for. collect adds samples with the index of a
 * family in its own table. families lives as long as the program.
 */
struct self_part {
    const struct family *families;
    uint16_t family_count;
    void (*collect)(void *ctx, struct series *out);
    void *ctx;
};
void self_add(struct self *s, const struct self_part *part);

/* The current body, borrowed; rendered again when older than a second. now_ms: any
 * monotonic clock. */
struct body *self_body(struct self *s, uint64_t now_ms);

/* The families in the order they are served. For docs and tests. */
const struct family *self_families(size_t *count);

#endif
