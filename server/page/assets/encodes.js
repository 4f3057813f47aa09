/*
 * encodes.js - the encodes that are watched: what runs as cards, what is over in a table
 * below them, and all of them in that table where they are too many for cards.
 */
import { Grid } from "./grid.js";
import {
    UNKNOWN, bitrate, cost, count, el, energy, figure, fixed, finite, isActive, known, metrics, power,
    score, setData, setFigure, setText, span, stateText, svg,
} from "./parts.js";

const CARDS_MAX = 48;
const CARDS_OF_ALL_MAX = 6; /* so few that those that are over remain cards */

const SCORES_ONLY = "scores only";

const order = { running: 0, stalled: 0, ended: 1, aborted: 1 };

/* What its scenario holds, as in the table: a PSNR is that of the mean error there. */
function quality(name, encode, scenario) {
    return scenario[name === "psnr" ? "psnr_db" : name] ?? encode.metrics?.[name]?.mean;
}

function worst(encode) {
    const name = Object.keys(metrics).find((m) => known(encode.metrics?.[m]?.min));

    return name && { name, min: encode.metrics[name].min };
}

/* Counts down between two blocks. Nothing counts while no block comes. */
function eta(encode, now) {
    if (encode.state !== "running" || !finite(encode.eta_s))
        return undefined;
    return Math.max(0, encode.eta_s - (now - encode.at) / 1000);
}

/*
 * key, title, value(encode, scenario, app), text(value, app, encode), rare: absent where it
 * is unknown, active: only while the encode is.
 */
const figures = [
    { key: "frames", title: "Frames", value: (e) => e.frames, text: (v) => figure(v) },
    { key: "fps", title: "Frame rate", value: (e) => e.fps, text: (v) => fps(v) },
    { key: "speed", title: "Speed", value: (e) => e.speed, text: (v) => speed(v) },
    { key: "bitrate", title: "Bit rate", value: (e, s) => e.bitrate_bps ?? s.bitrate_bps,
        text: bitrate },
    { key: "eta", title: "Time left", value: (e, s, app) => eta(e, app.time()), text: span,
        active: true },
    { key: "power", title: "Power", value: (e, s) => s.power_w, text: power },
    { key: "energy", title: "Energy so far", value: (e, s) => s.energy_j, text: energy, rare: true },
    { key: "cost", title: "Cost so far", value: (e, s) => s.cost, text: (v, app) =>
        known(v) ? cost(v, app.feed.status.currency) : UNKNOWN },
    ...Object.entries(metrics).map(([key, m]) => ({
        key, title: m.title, rare: true, value: (e, s) => quality(key, e, s),
        text: (v) => score(v, m.digits) + (m.unit && `\u00a0${m.unit}`),
    })),
    { key: "worst", title: "Worst frame", rare: true, value: (e) => worst(e)?.min,
        text: (v, app, e) => score(v, metrics[worst(e).name].digits) },
    { key: "dropped", title: "Dropped", value: (e) => e.dropped_frames || undefined,
        text: (v) => count(v), rare: true, bad: true },
    { key: "duplicated", title: "Duplicated", value: (e) => e.duplicated_frames || undefined,
        text: (v) => count(v), rare: true, bad: true },
];

const short = (value) => value < 100 ? fixed(value, value < 10 ? 2 : 1) : count(value);
const fps = (value) => finite(value) ? `${short(value)}\u00a0fps` : UNKNOWN;
const speed = (value) => finite(value) ? `${short(value)}×` : UNKNOWN;

function about(encode, scenario) {
    /* The run "live" holds what nobody else told of. */
    const parts = [encode.scenario !== encode.key ? encode.scenario : "",
        encode.run !== "live" && encode.run && `run ${encode.run}`,
        [scenario.encoder, scenario.preset].filter(Boolean).join(" "), scenario.resolution];

    return parts.filter(Boolean).join(" · ");
}

/* How far it is, in words; the bar shows the same. */
function howFar(encode, now) {
    if (encode.state === "stalled" && finite(encode.last))
        return `no news for ${span(now - encode.last)}`;
    if (!isActive(encode))
        return finite(encode.end) ? `${span(now - encode.end)} ago` : "";
    if (finite(encode.progress))
        return `${fixed(Math.min(1, encode.progress) * 100, encode.progress < 0.1 ? 1 : 0)}\u00a0%`;
    return finite(encode.out_time_s) ? `${span(encode.out_time_s)} of video` : "";
}

/* Without a value it is indeterminate: the length is not known. */
function setBar(bar, encode) {
    if (finite(encode.progress) || !isActive(encode)) {
        const value = finite(encode.progress) ? encode.progress : encode.state === "ended" ? 1 : 0;

        if (bar.value !== value || !bar.hasAttribute("value"))
            bar.value = value;
    } else {
        bar.removeAttribute("value");
    }
}

/* ---- the frame rate of the last minutes --------------------------------------------- */

const TRACE_S = 180;
const TRACE_LEAST_S = 30;
const TRACE_LEAST = 4; /* points */

/* Drawn from what came while the page was open; the figures beside it are what counts. */
class Trace {
    constructor() {
        this.points = [];
        this.area = svg("path", { class: "area" });
        this.line = svg("path");
        this.root = svg("svg", { viewBox: "0 0 100 100", preserveAspectRatio: "none", class: "trace",
            "aria-hidden": "true" });
        this.root.append(this.area, this.line);
    }

    add(time, value) {
        const { points } = this;
        const last = points[points.length - 1];

        if (!finite(time) || !finite(value) || last && time - last[0] < 0.5)
            return;
        points.push([time, value]);
        while (points[0][0] < time - TRACE_S)
            points.shift();

        const most = Math.max(...points.map((p) => p[1])) || 1;
        const width = Math.max(TRACE_LEAST_S, time - points[0][0]);
        const x = (t) => (100 - 100 * (time - t) / width).toFixed(1);
        const line = points.map(([t, v]) => `L${x(t)} ${(100 - 90 * v / most).toFixed(1)}`).join("");

        if (points.length < TRACE_LEAST)
            return;
        this.area.setAttribute("d", `M${x(points[0][0])} 100${line}L100 100`);
        this.line.setAttribute("d", line.replace("L", "M"));
    }
}

/* ---- a card ------------------------------------------------------------------------ */

class Card {
    constructor(app, name) {
        const id = `encode-${Card.made++}`;

        this.app = app;
        this.state = el("span", { class: "state" });
        this.about = el("p", { class: "soft about" });
        this.bar = el("progress", { max: 1, "aria-labelledby": id });
        this.far = el("span", { class: "far" });
        this.cells = figures.map((f) => {
            const dd = el("dd");
            const dt = el("dt", {}, f.title);

            return { ...f, dt, dd,
                node: el("div", { "data-figure": f.key, class: f.bad ? "bad" : undefined }, dt, dd) };
        });
        this.trace = new Trace();
        this.button = el("button", { type: "button", "data-frames": true,
            onclick: () => app.choose(this.encode.row ?? "", name, true) }, "Frame by frame");
        this.root = el("article", { "data-name": name, class: "card", "aria-labelledby": id },
            el("div", { class: "title" }, el("h3", { id }, name), this.state), this.about,
            el("div", { class: "bar" }, this.bar, this.far),
            el("dl", {}, ...this.cells.map((c) => c.node)),
            el("div", { class: "foot" }, this.button, this.trace.root));
    }

    update(encode) {
        const scenario = this.app.scenarioOf(encode);

        this.encode = encode;
        setData(this.root, "state", encode.state);
        /* Of an encode that only its logs tell of, nobody knows whether it runs. */
        setText(this.state, encode.state ? stateText(encode.state) : SCORES_ONLY);
        this.bar.parentNode.hidden = !encode.state;
        setText(this.about, about(encode, scenario));
        this.about.title = this.about.textContent;
        setBar(this.bar, encode);
        setText(this.far, howFar(encode, this.app.feed.now()));
        for (const cell of this.cells) {
            const value = cell.value(encode, scenario, this.app);

            cell.node.hidden = !known(value) && Boolean(cell.rare || !encode.state) ||
                Boolean(cell.active) && !isActive(encode);
            setText(cell.dt, isActive(encode) ? cell.title : cell.title.replace(" so far", ""));
            setFigure(cell.dd, known(value) ? cell.text(value, this.app, encode) : UNKNOWN);
            setData(this.root, cell.key, value);
        }
        this.button.hidden = !encode.metrics;
        this.trace.add(encode.last, encode.fps);
    }
}
Card.made = 0;

/* ---- the table --------------------------------------------------------------------- */

function barCell(app) {
    return (cell, encode) => {
        const bar = cell.firstChild ?? cell.appendChild(el("progress", { max: 1 }));
        const far = cell.children[1] ?? cell.appendChild(el("span", { class: "far" }));

        bar.setAttribute("aria-label", `Progress of ${encode.key}`);
        setBar(bar, encode);
        setText(far, howFar(encode, app.feed.now()));
    };
}

function columns(app) {
    const shown = ["frames", "fps", "speed", "bitrate", "eta", "power", "cost", "vmaf", "psnr", "ssim",
        "dropped"];

    return [
        { key: "name", title: "Encode", kind: "text", heads: true, text: (e) => e.key, value: (e) => e.key },
        { key: "state", title: "State", kind: "text", value: (e) => e.state,
            text: (e) => e.state ? stateText(e.state) : SCORES_ONLY },
        { key: "progress", title: "Progress", kind: "text", paint: barCell(app),
            value: (e) => isActive(e) ? e.progress : e.end },
        ...figures.filter((f) => shown.includes(f.key)).map((f) => ({
            key: f.key, title: f.title.replace(" so far", ""), kind: "number", value: f.value,
            text: (e) => {
                const value = f.value(e, app.scenarioOf(e), app);

                return known(value) ? f.text(value, app) : UNKNOWN;
            },
        })),
    ];
}

/* Progress is taken on one port, whose address the document shows on every one. */
function resultsPort() {
    const shown = [...document.querySelectorAll("main th")].find((th) => th.textContent === "Results");
    const address = shown?.nextElementSibling?.textContent ?? "";

    return /:(\d+)$/.exec(address.trim())?.[1] ?? "";
}

/* ---- all of them ------------------------------------------------------------------- */

export class Encodes {
    constructor(app) {
        this.app = app;
        this.cards = new Map();
        this.sorted = "";
        this.grid = new Grid({
            id: "encode-table", label: "Encodes", name: "data-name", sortName: "data-order",
            columns: columns(app),
            choose: (encode) => app.choose(encode.row ?? "", encode.key, true),
            sort: (key) => this.sort(key),
            mark: (tr, encode) => setData(tr, "state", encode.state),
        });
        this.summary = el("span", { class: "soft" });
        this.list = el("div", { class: "cards" });
        this.over = el("h3", {}, "Over");
        this.empty = this.howToStart();
        this.root = el("section", { id: "encodes", "aria-labelledby": "encodes-title" },
            el("div", { class: "heading" }, el("h2", { id: "encodes-title" }, "Encodes"), this.summary),
            this.empty, this.list, this.over, this.grid.scroller);
        this.empty.hidden = true;
        this.over.hidden = this.grid.scroller.hidden = true;
    }

    howToStart() {
        const { ingest } = this.app.root.dataset;
        const port = ingest === "off" ? "" : resultsPort();
        const host = `${location.protocol}//${location.hostname}:${port}`;
        const near = ingest === "all" ||
            /^(localhost|127\..*|\[::1\])$/.test(location.hostname);
        this.directory = el("span", {}, "results");
        if (ingest === "")
            return el("div", { id: "empty", class: "box" }, el("p", {}, "No encode is watched: " +
                "--live is off, or its library is not there."));
        const box = el("div", { id: "empty", class: "box" },
            el("p", {}, "Nothing is encoded now. Start an encode, and watch it here:"));

        if (port)
            box.append(el("pre", {}, `ffmpeg … -progress ${host}/progress/NAME`),
                el("p", {}, near ? "or, by a file in the directory that is watched:"
                    : "(from other machines with --ingest all only) or, by a file in the " +
                        "directory that is watched:"));
        box.append(el("pre", {}, "ffmpeg … -progress ", this.directory, "/NAME.progress"));
        return box;
    }

    sort(key) {
        const { sorted } = this;

        this.sorted = sorted === key ? `-${key}` : sorted === `-${key}` ? "" : key;
        this.grid.setSorted(this.sorted);
        this.update();
    }

    /* What runs first, what began last first among it; then what ended last. */
    ordered() {
        const list = [...this.app.feed.records.encode.values()];
        const when = (e) => (order[e.state] ? e.end ?? e.last : e.start) ?? 0;

        return list.sort((a, b) => (order[a.state] ?? 1) - (order[b.state] ?? 1) || when(b) - when(a) ||
            (a.key < b.key ? -1 : 1));
    }

    bySort(list) {
        const key = this.sorted.replace(/^-/, "");
        const column = this.grid.columns.find((c) => c.key === key);

        return column ? this.app.sorted(list, (e) => column.value(e, this.app.scenarioOf(e), this.app),
            this.sorted.startsWith("-")) : list;
    }

    update() {
        const list = this.ordered();
        const active = list.filter(isActive);
        const cards = active.length > CARDS_MAX ? []
            : list.length <= CARDS_OF_ALL_MAX ? list : active;
        const rows = cards.length === list.length ? []
            : cards.length ? list.filter((e) => !isActive(e)) : list;

        setData(this.root, "count", list.length);
        setData(this.root, "running", active.length);
        setText(this.summary, summary(list));
        setText(this.directory, this.app.feed.status.results_dir ?? "results");
        this.empty.hidden = list.length > 0 || !this.app.feed.whole || this.app.root.dataset.live === "off";
        this.root.hidden = this.app.root.dataset.live === "off" && !list.length;
        this.place(cards);
        this.over.hidden = !rows.length || !cards.length;
        this.grid.scroller.hidden = !rows.length;
        this.grid.setHidden(new Set(this.unknown(rows)));
        this.grid.setRows(this.bySort(rows));
        this.grid.repaint();
    }

    unknown(rows) {
        return ["eta", "power", "cost", "vmaf", "psnr", "ssim", "dropped"].filter((key) => {
            const { value } = figures.find((f) => f.key === key);

            return !rows.some((e) => known(value(e, this.app.scenarioOf(e), this.app)));
        });
    }

    /* A card that moves loses the focus within it, so only those out of place move. */
    place(list) {
        const focused = document.activeElement;
        const names = new Set(list.map((e) => e.key));
        let next = this.list.firstChild;

        for (const [name, card] of this.cards)
            if (!names.has(name)) {
                if (next === card.root)
                    next = next.nextSibling;
                card.root.remove();
                this.cards.delete(name);
            }
        for (const encode of list) {
            const card = this.cards.get(encode.key) ?? new Card(this.app, encode.key);

            this.cards.set(encode.key, card);
            card.update(encode);
            if (card.root === next)
                next = next.nextSibling;
            else
                this.list.insertBefore(card.root, next);
        }
        if (focused !== document.activeElement && this.list.contains(focused))
            focused.focus({ preventScroll: true });
    }

    /* What moves without news: time left, time since. */
    tick() {
        for (const card of this.cards.values())
            card.update(card.encode);
        if (!this.grid.scroller.hidden)
            this.grid.repaint();
    }
}

function summary(list) {
    const counts = {};

    for (const { state = "scored" } of list)
        counts[state] = (counts[state] ?? 0) + 1;
    return ["running", "stalled", "ended", "aborted", "scored"].filter((s) => counts[s])
        .map((s) => `${count(counts[s])} ${s}`).join(" · ");
}
