/*
 * plots.js - quality against bit rate and against cost, with the encodes that no other of
 * their set beats (docs/comparison.md).
 *
 * A front is that of the whole set, whatever the filter leaves of it: a filter does not make
 * an encode better than it is. Thousands of points stay fluid because points of one look
 * share one set of options, nothing is animated, and nothing is drawn out of sight.
 */
import {
    Pace, UNKNOWN, cost, el, finite, kbits, metrics, plain, score, setData, setText, svg,
} from "./parts.js";

const COLOURS = 8;
const STYLES = ["circle", "triangle", "rect", "rectRot", "crossRot", "star", "cross", "rectRounded"];
/* The same shapes for the legend, in a box from -5 to 5. */
const SHAPES = ["M0-4a4 4 0 1 0 .01 0z", "M0-4.5 4.2 3H-4.2z", "M-3.5-3.5h7v7h-7z",
    "M0-4.8 4.8 0 0 4.8-4.8 0z", "M-3.5-3.5l7 7m0-7l-7 7", "M-4 0h8M0-4v8M-3-3l6 6m0-6l-6 6", "M-4.5 0h9M0-4.5v9",
    "M-1.5-3.5h3a2 2 0 0 1 2 2v3a2 2 0 0 1-2 2h-3a2 2 0 0 1-2-2v-3a2 2 0 0 1 2-2z"];
const PACE_MS = 2000;
const MANY = 1500; /* points, from which they are drawn smaller and less often */
const LEGEND_MAX = 40;
const ROWS_MAX = 500;
const NAMES_MAX = 6;
/* Beyond these an axis has no end, and drawing it neither. */
const LEAST = 1e-15, MOST = 1e18, LEAST_ROOM = 1e-9;

const axes = {
    bitrate: { title: "Bit rate", unit: () => "kbit/s", value: (r) => r.bitrate_bps / 1000,
        text: (x) => `${kbits(x * 1000)} kbit/s` },
    cost: { title: "Cost", unit: (app) => app.feed.status.currency ?? "", value: (r) => r.cost,
        text: (x, app) => cost(x, app.feed.status.currency) },
};

const member = (quality) => quality === "psnr" ? "psnr_db" : quality;
const groupOf = (r) => [r.encoder, r.preset].filter(Boolean).join(" ") || "encoder not told";

/* A score, or what stands on an axis. */
export const drawable = (value) => finite(value) && Math.abs(value) <= MOST;

export function schemeColour(name) {
    return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

/*
 * Points { x, y } of one set that no other beats: none is at least as good in both and
 * better in one. Equal points are on the front together or not at all.
 */
export function front(points) {
    const byX = [...points].sort((a, b) => a.x - b.x || b.y - a.y);
    const found = [];
    let best = -Infinity;

    for (const point of byX) {
        const last = found[found.length - 1];

        if (point.y > best || last && point.y === last.y && point.x === last.x)
            found.push(point);
        best = Math.max(best, point.y);
    }
    return found;
}

/* Ends of a logarithmic axis (or a straight one) with some room around the points. */
function ends(values, logarithmic) {
    let low = Infinity, high = -Infinity;

    for (const value of values) {
        low = Math.min(low, value);
        high = Math.max(high, value);
    }
    if (low > high)
        return {};
    if (logarithmic) {
        const room = Math.max(1.06, (high / low) ** 0.04);

        return { min: low / room, max: high * room };
    }
    const room = Math.max((high - low || Math.abs(high) || 1) * 0.05, LEAST_ROOM);

    return { min: low - room, max: high + room };
}

/* Of an axis of scores: next to no room above the best there can be. */
export function scoreEnds(metric, values) {
    const limits = ends(values, false);
    const most = /^vmaf/.test(metric) ? 100 : /ssim/.test(metric) ? 1 : Infinity;

    if (limits.max > most && values.every((value) => value <= most))
        limits.max = most + (most - limits.min) * 0.02;
    return limits;
}

/* 1, 2 and 5 of each decade; more where the axis spans less than one. */
function logTick(value, index, ticks) {
    const span = ticks.length ? ticks[ticks.length - 1].value / ticks[0].value : 1;
    const lead = Number(value.toExponential(3).split("e")[0]);
    const round = (tick) => Math.abs(tick.value / Number(tick.value.toPrecision(2)) - 1) < 1e-6;

    /* The ends of the axis are no round figures; they count where there are hardly others. */
    if (!round(ticks[index]) && ticks.filter(round).length > 1)
        return null;
    return span < 8 || [1, 2, 5].includes(lead) && (span < 2000 || lead === 1) ? plain(value) : null;
}

function drawFronts({ ctx, scales: { x, y } }, fronts) {
    ctx.save();
    ctx.strokeStyle = schemeColour("soft");
    ctx.lineWidth = fronts.length > 20 ? 0.75 : 1.5;
    ctx.beginPath();
    for (const points of fronts)
        points.forEach((p, i) => {
            const at = [x.getPixelForValue(p.x), y.getPixelForValue(p.y)];

            if (i)
                ctx.lineTo(...at);
            else
                ctx.moveTo(...at);
        });
    ctx.stroke();
    ctx.restore();
}

/* What each line is of, below its first point; of many, the tooltips tell. */
function nameFronts(chart, fronts) {
    const { ctx, chartArea, scales: { x, y } } = chart;
    const placed = [];

    if (fronts.length > NAMES_MAX)
        return;
    ctx.save();
    ctx.font = "12px system-ui, sans-serif";
    ctx.textAlign = "left";
    ctx.lineWidth = 4;
    ctx.strokeStyle = schemeColour("bg");
    ctx.fillStyle = schemeColour("soft");
    for (const [first] of fronts) {
        const text = [first.record.source, first.record.resolution].filter(Boolean).join(" ");
        const { width } = ctx.measureText(text);
        const left = Math.min(x.getPixelForValue(first.x) + 10, chartArea.right - width);
        const top = Math.min(y.getPixelForValue(first.y) + 14, chartArea.bottom - 4);

        /* No name over another. */
        if (placed.some((p) => Math.abs(p.top - top) < 14 && left < p.right && p.left < left + width))
            continue;
        placed.push({ left, top, right: left + width });
        ctx.strokeText(text, left, top);
        ctx.fillText(text, left, top);
    }
    ctx.restore();
}

export class Plots {
    constructor(app) {
        this.app = app;
        this.records = [];
        this.groups = new Map(); /* name → number; a filter changes no colour */
        this.off = new Set(); /* groups that somebody put away */
        this.plots = Object.keys(axes).map((name) => this.plot(name));
        this.pace = new Pace(() => this.update(), () => this.records.length > MANY ? 2 * PACE_MS : PACE_MS);
        this.root = this.build();
        this.inSight = false;
        new IntersectionObserver((entries) => {
            this.inSight = entries[entries.length - 1].isIntersecting;
            this.draw();
        }, { rootMargin: "300px" }).observe(this.root);
    }

    plot(name) {
        const axis = axes[name];
        const canvas = el("canvas", { id: `plot-${name}`, role: "img" });
        const rows = el("tbody");
        const head = el("tr");
        const table = el("table", { id: `front-${name}` }, el("thead", {}, head), rows);
        const none = el("p", { class: "soft none" }, "");
        const details = el("details", {}, el("summary", {}, "The fronts as a table"),
            el("div", { class: "wide" }, table));
        const figureNode = el("figure", {}, el("figcaption", {}, ""), none,
            el("div", { class: "plot" }, canvas), details);

        return { name, axis, canvas, rows, head, none, details, figure: figureNode, chart: null,
            stale: true };
    }

    build() {
        this.quality = el("select", { id: "quality", onchange: () => {
            this.app.settings.set("quality", this.quality.value === "vmaf" ? "" : this.quality.value);
            this.pace.now();
        } }, ...Object.entries(metrics).map(([key, m]) => el("option", { value: key }, m.title)));
        this.legend = el("ul", { id: "legend", "aria-label": "Encoders and presets" });

        return el("section", { id: "plots", "aria-labelledby": "plots-title", hidden: true },
            el("div", { class: "heading" }, el("h2", { id: "plots-title" }, "Quality for bit rate and cost"),
                el("label", {}, el("span", {}, "Quality"), this.quality)),
            el("p", { class: "soft" }, "Of the scenarios that the filter leaves. Large points on a line " +
                "are the front of their set: nothing else there is as good for less."),
            this.legend, el("div", { class: "pair" }, ...this.plots.map((p) => p.figure)));
    }

    /* records: those that the filter leaves. now: because somebody asked for them. */
    show(records, now) {
        this.records = records;
        if (!now) {
            this.pace.ask();
            return;
        }
        /* Somebody who types a word sees the table at once, and this after the word. */
        clearTimeout(this.soon);
        this.soon = setTimeout(() => this.pace.now(), records.length > MANY ? 150 : 0);
    }

    /* ---- what is drawn ------------------------------------------------------------------- */

    update() {
        const quality = this.app.settings.get("quality") || "vmaf";
        const all = this.app.feed.records.scenario;

        this.quality.value = Object.hasOwn(metrics, quality) ? quality : "vmaf";
        this.root.hidden = !all.size;
        this.nameGroups(all);
        for (const plot of this.plots)
            this.collect(plot, this.quality.value, all);
        this.drawLegend();
        this.draw();
    }

    nameGroups(all) {
        const fresh = new Set();

        for (const record of all.values())
            if (!this.groups.has(groupOf(record)))
                fresh.add(groupOf(record));
        for (const name of [...fresh].sort())
            this.groups.set(name, this.groups.size);
    }

    collect(plot, quality, all) {
        const point = (record) => ({ x: plot.axis.value(record), y: record[member(quality)], record });
        const drawn = (p) => drawable(p.x) && drawable(p.y) && p.x >= LEAST;
        const sets = this.fronts([...all.values()].filter((r) => r.set !== undefined)
            .map(point).filter(drawn));
        const best = new Set(sets.flat().map((p) => p.record));
        const shown = new Set(this.records.filter((r) => !this.off.has(groupOf(r))));

        plot.points = [...shown].map(point).filter(drawn).sort((a, b) => a.x - b.x);
        plot.fronts = sets.map((set) => set.filter((p) => shown.has(p.record))).filter((s) => s.length);
        plot.best = best;
        plot.quality = quality;
        plot.stale = true;
        setData(plot.canvas, "points", plot.points.length);
        setData(plot.canvas, "front", plot.fronts.flat().length);
        setData(plot.canvas, "sets", plot.fronts.length);
        this.describe(plot);
    }

    /* A set that has one point only has no front. */
    fronts(points) {
        const sets = new Map();

        for (const point of points) {
            const name = point.record.set;

            if (!sets.has(name))
                sets.set(name, []);
            sets.get(name).push(point);
        }
        return [...sets.values()].filter((set) => set.length > 1).map(front);
    }

    describe(plot) {
        const title = `${metrics[plot.quality].title} against ${plot.axis.title.toLowerCase()}`;
        const fronts = plot.fronts.flat().length;

        setText(plot.figure.firstChild, title);
        plot.canvas.setAttribute("aria-label", `${title}: ${plot.points.length} points, ${fronts} of them on ` +
            `${plot.fronts.length} fronts, which the table below tells`);
        setText(plot.none, plot.points.length ? ""
            : `No scenario here has both ${metrics[plot.quality].title} and ${plot.axis.title.toLowerCase()}.`);
        plot.canvas.parentNode.hidden = !plot.points.length;
        plot.details.hidden = !fronts;
        this.fillTable(plot);
    }

    /* For those who do not see the plot, or want to read the figures. */
    fillTable(plot) {
        const { axis, quality } = plot;
        const points = plot.fronts.flat().slice(0, ROWS_MAX);
        const shown = JSON.stringify([quality, points.map(({ x, y, record }) => [record.key, x, y])]);
        const cells = ({ x, y, record }) => [record.source ?? UNKNOWN, record.resolution ?? UNKNOWN,
            groupOf(record), axis.text(x, this.app), score(y, metrics[quality].digits)];
        const row = (point) => el("tr", { "data-key": point.record.key },
            el("th", { scope: "row" }, el("button", { type: "button",
                onclick: () => this.app.choose(point.record.key, "", false) }, point.record.name)),
            ...cells(point).map((text) => el("td", {}, text)));

        if (plot.shown === shown)
            return;
        plot.shown = shown;
        plot.head.replaceChildren(...["Scenario", "Source", "Resolution", "Encoder", axis.title,
            metrics[quality].title].map((text) => el("th", { scope: "col" }, text)));
        plot.rows.replaceChildren(...points.map(row));
    }

    drawLegend() {
        const shown = new Set(this.plots.flatMap((plot) => plot.points.map((p) => groupOf(p.record))));

        for (const record of this.records)
            if (this.off.has(groupOf(record)))
                shown.add(groupOf(record));

        const names = [...this.groups.keys()].filter((name) => shown.has(name)).slice(0, LEGEND_MAX);
        const wanted = names.map((name) => `${name}\n${this.off.has(name)}`).join("\n");

        if (this.legend.dataset.names === wanted)
            return;
        this.legend.dataset.names = wanted;
        this.legend.replaceChildren(...names.map((name) => el("li", {}, this.legendButton(name))));
    }

    legendButton(name) {
        const { colour, style } = this.look(name);
        const sign = svg("svg", { viewBox: "-6 -6 12 12", "aria-hidden": "true", class: `g${colour}` });

        sign.append(svg("path", { d: SHAPES[style] }));
        return el("button", { type: "button", "aria-pressed": String(!this.off.has(name)),
            onclick: (e) => this.putAway(name, e.currentTarget) }, sign, name);
    }

    putAway(name) {
        if (!this.off.delete(name))
            this.off.add(name);
        this.pace.now();
        [...this.legend.querySelectorAll("button")].find((b) => b.textContent === name)?.focus();
    }

    /* Eight colours and as many shapes, which come in other pairs every time around. */
    look(name) {
        const i = this.groups.get(name);

        return { colour: i % COLOURS, style: (i + Math.floor(i / COLOURS)) % STYLES.length };
    }

    /* ---- Chart.js ------------------------------------------------------------------------ */

    draw() {
        if (!globalThis.Chart)
            return;
        for (const plot of this.plots) {
            /* Once in any case: pages are printed, too. */
            if (!plot.stale || !plot.points?.length || plot.chart && !this.inSight)
                continue;
            plot.stale = false;
            this.drawPlot(plot);
        }
    }

    drawPlot(plot) {
        const data = { datasets: this.datasets(plot) };
        const options = this.options(plot);

        if (plot.chart) {
            plot.chart.data = data;
            plot.chart.options = options;
            plot.chart.update("none");
        } else {
            plot.chart = new Chart(plot.canvas, { type: "scatter", data, options,
                plugins: [{ beforeDatasetsDraw: (chart) => drawFronts(chart, plot.fronts),
                    afterDatasetsDraw: (chart) => nameFronts(chart, plot.fronts) }] });
        }
    }

    datasets(plot) {
        const groups = new Map();

        for (const point of plot.points) {
            const name = groupOf(point.record);

            if (!groups.has(name))
                groups.set(name, [[], []]);
            groups.get(name)[plot.best.has(point.record) ? 1 : 0].push(point);
        }
        /* Those that come first are drawn last. */
        return [this.chosenPoint(plot),
            ...[...groups].map(([name, [, best]]) => this.group(plot, name, best, true)),
            ...[...groups].map(([name, [rest]]) => this.group(plot, name, rest, false))]
            .filter((set) => set.data.length);
    }

    group(plot, name, data, best) {
        const { colour, style } = this.look(name);
        const ink = schemeColour(`g${colour}`);
        const lines = /cross|star/i.test(STYLES[style]); /* shapes without an inside */
        const size = plot.points.length > MANY ? 0.65 : 1;

        return { label: name, data, pointStyle: STYLES[style], pointRadius: size * (best ? 6 : 3.5),
            pointHoverRadius: best ? 8 : 6, pointBorderColor: best && !lines ? schemeColour("fg") : ink,
            pointHoverBorderColor: schemeColour("fg"), pointBackgroundColor: best ? ink : `${ink}99`,
            borderWidth: size * (!lines ? 1 : best ? 2.5 : 1.5) };
    }

    chosenPoint(plot) {
        const data = plot.points.filter((p) => p.record.key === this.app.settings.get("chosen"));

        return { label: "", data, pointStyle: "circle", pointRadius: 11, pointHoverRadius: 11,
            pointHitRadius: 0, pointBackgroundColor: "transparent", borderWidth: 2.5,
            pointBorderColor: schemeColour("link") };
    }

    options(plot) {
        const soft = schemeColour("soft"), line = schemeColour("line");
        const xs = plot.points.map((p) => p.x);
        const title = (text) => ({ display: true, text, color: soft });
        const base = { grid: { color: line, borderColor: line }, ticks: { color: soft } };
        const { unit } = metrics[plot.quality];
        const xUnit = plot.axis.unit(this.app);

        return {
            animation: false, parsing: false, normalized: true, maintainAspectRatio: false,
            interaction: { mode: "nearest", intersect: true },
            onClick: (event, hits) => this.chooseHit(plot, hits),
            onHover: (event, hits) => {
                plot.canvas.style.cursor = hits.length ? "pointer" : "";
            },
            scales: {
                x: { ...base, ...ends(xs, true), type: "logarithmic",
                    title: title(xUnit ? `${plot.axis.title}, ${xUnit}` : plot.axis.title),
                    ticks: { ...base.ticks, callback: logTick, maxRotation: 0, autoSkipPadding: 12 } },
                y: { ...base, ...scoreEnds(plot.quality, plot.points.map((p) => p.y)),
                    title: title(metrics[plot.quality].title + (unit && `, ${unit}`)),
                    ticks: { ...base.ticks, includeBounds: false } },
            },
            plugins: { legend: { display: false }, tooltip: this.tooltip(plot) },
        };
    }

    chooseHit(plot, hits) {
        const hit = hits.map((h) => plot.chart.data.datasets[h.datasetIndex].data[h.index])
            .find((p) => p?.record);

        if (hit)
            this.app.choose(hit.record.key, "", false);
    }

    tooltip(plot) {
        const point = (item) => item.raw;

        return {
            animation: false, displayColors: false,
            filter: (item, i) => i === 0 && Boolean(point(item).record),
            callbacks: {
                title: ([item]) => item ? point(item).record.name : "",
                label: (item) => {
                    const { x, y, record } = point(item);

                    return [groupOf(record), [record.source, record.resolution].filter(Boolean).join(", "),
                        `${plot.axis.title} ${plot.axis.text(x, this.app)}`,
                        `${metrics[plot.quality].title} ${score(y, metrics[plot.quality].digits)}`,
                        plot.best.has(record) ? "on the front of its set" : ""].filter(Boolean);
                },
            },
        };
    }

    setChosen() {
        for (const plot of this.plots)
            plot.stale = true;
        this.draw();
    }

    recolour() {
        this.setChosen();
    }
}
