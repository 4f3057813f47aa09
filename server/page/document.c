#include "server/page/document.h"

#include <math.h>
#include <stdlib.h>

#include "core/mem.h"

/* ---- text and numbers ---------------------------------------------------------- */

static void escaped(struct buf *b, struct view v)
{
    for (size_t i = 0; i < v.n; i++) {
        switch (v.p[i]) {
        case '&':
            buf_str(b, "&amp;");
            break;
        case '<':
            buf_str(b, "&lt;");
            break;
        case '>':
            buf_str(b, "&gt;");
            break;
        case '"':
            buf_str(b, "&quot;");
            break;
        case '\'':
            buf_str(b, "&#39;");
            break;
        default:
            buf_char(b, v.p[i]);
        }
    }
}

static void text(struct buf *b, const char *s)
{
    escaped(b, view_of(s));
}

/* Four significant digits are what an eye compares; large numbers keep all of them. */
static void number(struct buf *b, double v)
{
    double size = fabs(v);
    int decimals = 0;

    if (v != 0 && fabs(v) < 1e-6) {
        buf_fmt(b, "%.3g", v);
        return;
    }
    while (size > 0 && size < 1000 && decimals < 9) {
        size *= 10;
        decimals++;
    }
    buf_fmt(b, "%.*f", decimals, v);
}

/* A cell of a column of numbers. */
static void cell(struct buf *b, double v)
{
    buf_str(b, "<td class=\"n\">");
    if (isnan(v))
        buf_str(b, "<span class=\"soft\">–</span>");
    else
        number(b, v);
    buf_str(b, "</td>");
}

static void age(struct buf *b, double s)
{
    static const struct {
        double seconds;
        const char *name;
    } units[] = {
        { 86400, "day" }, { 3600, "hour" }, { 60, "minute" }, { 1, "second" }
    };

    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (s < units[i].seconds)
            continue;
        double n = floor(s / units[i].seconds);

        buf_fmt(b, "%.0f %s%s ago", n, units[i].name, n == 1 ? "" : "s");
        return;
    }
    buf_str(b, "just now");
}

/* ---- the parts of the page ----------------------------------------------------- */

/* ":port" of an address, empty for a unix socket. */
static struct view port_of(const char *address)
{
    const char *colon = strrchr(address, ':');

    if (!colon || view_starts(view_of(address), VIEW("unix:")))
        return (struct view){ NULL, 0 };
    return view_of(colon + 1);
}

/* "host:9502" → "host"; empty if there is anything in it that no host's name has. */
static struct view host_name(struct view host)
{
    struct view name = host;

    for (size_t i = 0; i < host.n; i++) {
        unsigned char c = (unsigned char)host.p[i];

        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
              (c >= 'A' && c <= 'Z') || strchr(".-_[]:", c)))
            return (struct view){ "", 0 };
    }
    if (host.n && host.p[host.n - 1] != ']') /* [::1] has no port */
        for (size_t i = host.n; i > 0; i--)
            if (host.p[i - 1] == ':') {
                name.n = i - 1;
                break;
            }
    return name;
}

static void link_to(struct buf *b, struct view host, struct view port)
{
    if (port.n && host.n)
        /* By the protocol of this page: all ports speak the same. */
        buf_fmt(b, "<a href=\"//%.*s:%.*s/metrics\">/metrics on port %.*s</a>",
                VIEW_ARG(host), VIEW_ARG(port), VIEW_ARG(port));
    else if (port.n)
        buf_fmt(b, "/metrics on port %.*s", VIEW_ARG(port));
    else
        buf_str(b, "/metrics on its socket");
}

static void endpoints(const struct page_data *d, struct buf *b)
{
    buf_str(b, "<section>\n<h2>What is served</h2>\n<div class=\"wide\"><table>\n"
               "<thead><tr><th>Endpoint<th>Address<th>Metrics</tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < d->endpoint_count; i++) {
        const struct page_endpoint *e = &d->endpoints[i];

        buf_str(b, "<tr><th>");
        text(b, e->title);
        buf_str(b, "</th><td><code>");
        text(b, e->address);
        buf_str(b, "</code></td><td>");
        if (i == d->here) {
            buf_str(b, "<a href=\"/metrics\">/metrics</a>");
        } else {
            /* Which name this host goes by out there, the browser has said. */
            struct view port = port_of(e->address);

            link_to(b, host_name(d->host), port);
        }
        buf_str(b, "</td></tr>\n");
    }
    buf_str(
        b, "</tbody></table></div>\n"
           "<p>On every port: <a href=\"/metrics/all\">/metrics/all</a> (all endpoints "
           "in one answer), <a href=\"/health\">/health</a>, "
           "<a href=\"/ready\">/ready</a>.</p>\n</section>\n");
}

static void origin(const struct page_data *d, struct buf *b)
{
    buf_str(b, "<section>\n<h2>Where the data comes from</h2>\n<dl>\n<dt>Results "
               "directory<dd><code>");
    text(b, d->results_dir);
    buf_str(b, "</code>\n<dt>Noticed by<dd>");
    text(b, d->watch);
    buf_str(b, "\n<dt>Files<dd>");
    buf_u64(b, d->files_served);
    buf_str(b, " served, ");
    buf_u64(b, d->files_other);
    buf_str(b, " left out by --runs, ");
    if (d->files_failed)
        buf_str(b, "<span class=\"bad\">");
    buf_u64(b, d->files_failed);
    buf_str(b, d->files_failed ? " failed</span>, " : " failed, ");
    buf_u64(b, d->files_ignored);
    buf_str(b, " ignored\n</dl>\n</section>\n");
}

static void newest(const struct page_data *d, struct buf *b)
{
    buf_str(b, "<section>\n<h2>Newest run</h2>\n");
    if (!d->newest.n) {
        buf_str(b, d->ready ? "<p>There is no results file yet.</p>\n</section>\n"
                            : "<p>The first scan is under way.</p>\n</section>\n");
        return;
    }
    buf_str(b, "<dl>\n<dt>Run<dd><code>");
    escaped(b, d->newest);
    buf_str(b, "</code>\n");
    if (!isnan(d->newest_changed_s)) {
        buf_str(b, "<dt>Changed<dd>");
        age(b, d->now_s - d->newest_changed_s);
        buf_char(b, '\n');
    }
    buf_str(b, "<dt>Scenarios served<dd>");
    buf_u64(b, d->scenario_total);
    buf_str(b, "\n<dt>Last read<dd>");
    if (d->newest_ok) {
        buf_str(b, "<span class=\"good\">good</span>\n");
    } else {
        buf_str(b,
                "<span class=\"bad\">failed</span>; the last good content is served");
        if (d->newest_error) {
            buf_str(b, "<br>");
            text(b, d->newest_error);
        }
        buf_char(b, '\n');
    }
    buf_str(b, "</dl>\n</section>\n");
}

static void scenarios(const struct page_data *d, struct buf *b)
{
    if (!d->scenario_count)
        return;
    /* Where scripts run, all of them are shown above. */
    buf_str(b, "<noscript>\n<section>\n"
               "<h2>Scenarios</h2>\n<div class=\"wide\"><table>\n<thead><tr>"
               "<th>Scenario<th>Bit rate<th>Resolution<th class=\"n\">Duration, s"
               "<th class=\"n\">Energy, J<th class=\"n\">Cost");
    if (d->currency) {
        buf_str(b, ", ");
        text(b, d->currency);
    }
    buf_str(b, "<th class=\"n\">VMAF</tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < d->scenario_count; i++) {
        const struct page_scenario *s = &d->scenarios[i];

        buf_str(b, "<tr><th>");
        escaped(b, s->name);
        buf_str(b, "</th><td>");
        escaped(b, s->bitrate);
        buf_str(b, "</td><td>");
        escaped(b, s->resolution);
        buf_str(b, "</td>");
        cell(b, s->duration_s);
        cell(b, s->energy_j);
        cell(b, s->cost);
        cell(b, s->vmaf);
        buf_str(b, "</tr>\n");
    }
    buf_str(b, "</tbody></table></div>\n");
    if (d->scenario_total > d->scenario_count) {
        buf_str(b, "<p class=\"soft\">The first ");
        buf_u64(b, d->scenario_count);
        buf_str(b, " of ");
        buf_u64(b, d->scenario_total);
        buf_str(b, "; the metrics hold all of them.</p>\n");
    }
    buf_str(b, "</section>\n</noscript>\n");
}

static void facts(const struct about *a, struct buf *b)
{
    const char *section = NULL;
    bool open = false;

    for (size_t i = 0; i < a->count; i++) {
        const struct about_fact *row = &a->rows[i];

        if (!open || row->section != section) {
            if (open)
                buf_str(b, "</tbody></table></div>\n</section>\n");
            buf_str(b, "<section>\n<h2>");
            text(b, row->section ? row->section : "In force");
            buf_str(b,
                    "</h2>\n<div class=\"wide\"><table>\n"
                    "<thead><tr><th>What<th>Value<th>Source</tr></thead>\n<tbody>\n");
            section = row->section;
            open = true;
        }
        buf_str(b, "<tr><th>");
        escaped(b, row->what);
        buf_str(b, "</th><td>");
        escaped(b, row->value);
        buf_str(b, "</td><td>");
        escaped(b, row->source);
        buf_str(b, "</td></tr>\n");
    }
    if (open)
        buf_str(b, "</tbody></table></div>\n</section>\n");
}

static void head(const struct page_data *d, struct buf *b)
{
    buf_str(b, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
               "<meta name=\"viewport\" content=\"width=device-width\">\n"
               "<title>encode_exporter</title>\n"
               "<link rel=\"icon\" href=\"data:,\">\n"
               "<link rel=\"stylesheet\" href=\"/page.css\">\n"
               "<script src=\"/chart.js\" defer></script>\n"
               "<script src=\"/page.js\" type=\"module\"></script>\n</head>\n<body>\n"
               "<header>\n<h1>encode_exporter</h1>\n"
               "<p>Cost and quality of video encodes for Prometheus. Version ");
    text(b, d->version);
    buf_str(b, ", revision ");
    text(b, d->revision);
    buf_str(b, ". ");
    buf_str(b, d->ready ? "<span class=\"good\">Ready</span>"
                        : "<span class=\"bad\">Not ready</span>");
    buf_str(b, "</p>\n</header>\n");
}

void document_render(const struct page_data *d, struct buf *html)
{
    static void (*const parts[])(const struct page_data *d,
                                 struct buf *b) = { scenarios, newest, endpoints,
                                                    origin };

    head(d, html);
    buf_str(html, "<main>\n<div id=\"app\" data-ingest=\"");
    text(html, d->ingest ? d->ingest : "");
    buf_str(html, "\"></div>\n<div id=\"about\">\n");
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        parts[i](d, html);
    if (d->about)
        facts(d->about, html);
    buf_str(html, "</div>\n</main>\n</body>\n</html>\n");
}
