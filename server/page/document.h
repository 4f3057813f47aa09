/*
 * document.h - the page at "/" as it is without a script.
 *
 * Facts in, HTML out: whoever asks for a page fills a struct page_data and owns what it
 * points to until document_render() returns. Numbers that are NaN are unknown and shown so.
 */
#ifndef SERVER_PAGE_DOCUMENT_H
#define SERVER_PAGE_DOCUMENT_H

#include "core/about.h"
#include "core/buf.h"
#include "core/module.h"

struct page_endpoint {
    const char *title;   /* "Results", for people */
    const char *address; /* as bound: "[::]:9502", "unix:/run/x.sock" */
};

struct page_scenario {
    struct view name, bitrate, resolution;
    double duration_s, energy_j, cost, vmaf;
};

enum { PAGE_SCENARIOS_MAX = 50, PAGE_ENDPOINTS_MAX = 8 };

struct page_data {
    const char *version, *revision;
    bool ready;

    struct page_endpoint endpoints[PAGE_ENDPOINTS_MAX];
    size_t endpoint_count;
    struct view host; /* that the page was asked at; empty: unknown */
    size_t here;      /* the one that was asked */

    /* Who may send progress (--ingest: loopback, all, off); NULL: no encode is watched. */
    const char *ingest;
    const char *results_dir;
    const char *watch; /* "inotify" or "poll" */
    uint64_t files_served, files_other, files_failed, files_ignored;

    struct view newest;       /* its run; empty: there is none */
    double newest_changed_s;  /* when its file did; Unix time */
    double now_s;             /* Unix time */
    bool newest_ok;           /* its last read was good */
    const char *newest_error; /* why not; NULL: none */

    struct page_scenario scenarios[PAGE_SCENARIOS_MAX];
    size_t scenario_count;   /* in scenarios[] */
    uint64_t scenario_total; /* in the newest run that is served */
    const char *currency;    /* of cost; NULL: no cost known */

    const struct about *about; /* prices in force and the like; NULL: none */
};

void document_render(const struct page_data *d, struct buf *html);

#endif
