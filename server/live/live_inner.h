/*
 * live_inner.h - what the parts of the room for live encodes share. For nobody else.
 *
 *   live.c       life, time, what reaches the store and the meter
 *   files.c      growing files and logs of frames → encodes
 *   requests.c   requests to /progress/NAME → encodes
 *   measured.c   scores that were measured here → encodes
 *   sheets.c     encodes → bodies
 *   records.c    encodes → the page
 *   frames.c     scores by frame of one encode → whoever asks
 */
#ifndef SERVER_LIVE_LIVE_INNER_H
#define SERVER_LIVE_LIVE_INNER_H

#include "core/results.h"
#include "server/live/belonging.h"
#include "server/live/files.h"
#include "server/live/live.h"
#include "server/live/measured.h"
#include "server/live/requests.h"
#include "server/live/roll.h"
#include "server/live/sheets.h"

enum { LIVE_NAME_MAX = 256 }; /* bytes of the name of an encode */

struct live_counts {
    uint64_t blocks_of_files, blocks_of_requests;
    uint64_t faults;  /* lines, and whole files, that could not be read */
    uint64_t dropped; /* encodes that there was no room for */
};

struct live {
    struct live_host host;
    const struct live_config *c;
    struct roll *roll;
    struct belonging belonging;
    struct live_files *files;
    struct live_requests *requests;
    struct live_measures *measures;
    struct live_sheets *sheets;
    struct meter_watch watch;
    struct live_counts counts;
    uint64_t changes; /* grows with every change of any encode */

    uv_timer_t
        beat; /* what is due next: news to tell, an encode that stalls or is old */
    bool told_full;     /* the log says that there are too many */
    bool owed;          /* the store or the meter is to hear of something */
    uint64_t told_ms;   /* uv_now() when they heard last */
    uint64_t roll_told; /* roll_version() then */
    double look_s; /* Unix time at which an encode is to be looked at; +Inf: never */
    double now_s;  /* Unix time when somebody wanted to look last */
    bool started;  /* the first scan is served */
    bool closing;
    struct results_parser *parser;
    struct buf text, put; /* the run that belongs to none, and as it was put last */
    struct buf newest;    /* id of the newest run */
    uint64_t renamed;     /* how often that was another one */
    uint64_t records;     /* versions of records that were given */
};

double live_now_s(void); /* Unix time */

/* The entry of this name, for one more source; NULL: there is no room, which is counted
 * and logged unless it was so before (*full), or its time is over (--series.ttl). news_s:
 * Unix time of its last news. */
struct roll_entry *live_open_name(struct live *l, struct view name, double news_s,
                                  bool *full);

/* A source let go of it. */
void live_close_name(struct live *l, struct roll_entry *e);

/* How does it stand, at this moment? */
void live_look(struct live *l, struct roll_entry *e);

/* Something was told of it. */
void live_heard(struct live *l, struct roll_entry *e);

#endif
