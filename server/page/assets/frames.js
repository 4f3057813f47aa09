/*
 * frames.js - the scenario that is chosen: what is known of it, and the scores of its encode
 * frame by frame, down to the worst ones.
 */
import {
    Pace, bitrate, cost, count, el, energy, finite, isActive, known, metricDigits, metricTitle,
    plain, power, score, setData, setText, span, stateText,
} from "./parts.js";
import { drawable, schemeColour, scoreEnds } from "./plots.js";

const PACE_MS = 2000; /* while an encode runs */
const POINTS_MAX = 1000;
const WORST = 10;
const AROUND = 50; /* frames on both sides of a bad one */

const NO_SCORES = "No scores by frame are known of it. They are read from logs of libvmaf and of " +
    "ffmpeg's psnr and ssim filters (NAME.vmaf.json, NAME.psnr.log, NAME.ssim.log) in the directory " +
    "that is watched.";

const HINT = "Drag over frames to see them closer. Keys: + and − zoom, ← and → move, 0 shows all.";

const stats = { mean: "Mean", harmonic_mean: "Harmonic mean", min: "Least", p1: "1 % below", p5: "5 % below",
    p10: "10 % below", p50: "Median", max: "Largest", stddev: "Standard deviation" };

const dates = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" });
const LAST_S = 8.64e12; /* no calendar here goes further */

const date = (seconds) => finite(seconds) && Math.abs(seconds) <= LAST_S && dates.format(seconds * 1000);

const facts = [
    ["Run", (r) => r.run], ["Source", (r) => r.source],
    ["Encoder", (r) => [r.encoder, r.preset].filter(Boolean).join(" ")],
    ["Codec", (r) => r.codec], ["Resolution", (r) => r.resolution],
    ["Began", (r) => date(r.start)],
    ["Bit rate", (r) => finite(r.bitrate_bps) ? bitrate(r.bitrate_bps) : r.bitrate],
    ["Duration", (r) => finite(r.duration_s) && span(r.duration_s)],
    ["Power", (r) => known(r.power_w) && power(r.power_w)],
    ["Energy", (r) => known(r.energy_j) && energy(r.energy_j)],
    ["Cost", (r, app) => known(r.cost) && cost(r.cost, app.feed.status.currency)],
    ["VMAF", (r) => known(r.vmaf) && score(r.vmaf, 2)],
    ["PSNR", (r) => known(r.psnr_db) && `${score(r.psnr_db, 2)} dB`],
    ["SSIM", (r) => known(r.ssim) && score(r.ssim, 4)],
    ["State", (r) => r.state && stateText(r.state)],
];

export class Frames {
    constructor(app) {
        this.app = app;
        this.key = "";
        this.encode = "";
        this.range = null; /* [from, to] of a part; null: all */
        this.answer = null;
        this.pace = new Pace(() => this.ask(), () => PACE_MS);
        this.root = this.build();
        this.setState("none");
        this.handle();
    }

    build() {
        this.title = el("h2", { id: "frames-title", tabindex: -1 }, "Frame by frame");
        this.facts = el("dl", { class: "facts" });
        this.said = el("p", { role: "status" });
        this.metric = el("select", { id: "frames-metric", onchange: () => this.refresh() });
        this.from = el("input", { id: "frames-from", type: "number", min: 0, inputmode: "numeric" });
        this.to = el("input", { id: "frames-to", type: "number", min: 0, inputmode: "numeric" });
        this.reset = el("button", { id: "frames-reset", type: "button", onclick: () => this.zoom(null) },
            "All frames");
        this.canvas = el("canvas", { id: "frames-plot", role: "img", "aria-describedby": "frames-keys" });
        this.area = el("div", { class: "selection", hidden: true });
        this.plot = el("div", { class: "plot tall", tabindex: 0, role: "group",
            "aria-label": "Scores by frame", "aria-describedby": "frames-keys" }, this.canvas, this.area);
        this.hint = el("p", { id: "frames-keys", class: "soft" }, HINT);
        this.figures = el("dl", { class: "figures" });
        this.worst = el("ol", { id: "worst" });
        this.worstTitle = el("h3", {}, "Worst frames");
        this.worstBox = el("div", { class: "worst" }, this.worstTitle, this.worst);
        this.scores = el("div", { hidden: true }, this.controls(), this.plot,
            this.hint,
            el("div", { class: "pair uneven" },
                el("div", {}, el("h3", {}, "All frames"), this.figures), this.worstBox));
        return el("section", { id: "frames", "aria-labelledby": "frames-title", hidden: true },
            this.title, this.facts, this.said, this.scores);
    }

    controls() {
        const label = (title, control) => el("label", {}, el("span", {}, title), control);

        return el("form", { class: "filters", onsubmit: (e) => {
            e.preventDefault();
            this.zoom([Number(this.from.value), Number(this.to.value)]);
        } }, label("Metric", this.metric), label("From frame", this.from), label("To frame", this.to),
        el("button", { id: "frames-apply", type: "submit" }, "Show"), this.reset);
    }

    setState(state, text = "") {
        setData(this.root, "state", state);
        setText(this.said, text);
        this.said.hidden = !text;
        this.said.classList.toggle("bad", state === "error");
        this.scores.hidden = !this.answer;
    }

    /* ---- what is chosen ------------------------------------------------------------------ */

    /* key: of a scenario; encode: which one of it, if that is known. Either may be "". */
    choose(key, encode) {
        if (key !== this.key || encode && encode !== this.encode) {
            this.key = key;
            this.encode = encode;
            this.asked?.abort();
            this.range = null;
            this.answer = this.all = null;
            this.chart?.destroy();
            this.chart = null;
            this.metric.replaceChildren();
            this.setState("none");
        }
        this.update();
    }

    scenario() {
        return this.app.feed.records.scenario.get(this.key);
    }

    record() {
        const { encode } = this.app.feed.records;

        if (this.encode && encode.has(this.encode))
            return encode.get(this.encode);
        return [...encode.values()].find((e) => e.row && e.row === this.key);
    }

    update() {
        const scenario = this.scenario(), encode = this.record();

        this.root.hidden = !scenario && !encode;
        if (this.root.hidden)
            return;
        if (encode)
            this.follow(encode);
        setText(this.title, scenario?.name ?? encode.key);
        setData(this.root, "key", this.key);
        setData(this.root, "encode", encode?.key);
        this.fillFacts({ ...scenario, state: encode?.state ?? scenario?.state });
        if (encode?.metrics && Object.keys(encode.metrics).length)
            this.askIfNew(encode);
        else if (!this.answer)
            this.setState("none", NO_SCORES);
    }

    /* An encode that ends may belong to another scenario then: that of its results file. */
    follow(encode) {
        this.encode = encode.key;
        if (encode.row && encode.row !== this.key && !this.scenario()) {
            this.key = encode.row;
            this.app.settings.set("chosen", encode.row);
        }
    }

    fillFacts(record) {
        const known = facts.map(([title, value]) => [title, value(record, this.app)]).filter(([, v]) => v);
        const text = JSON.stringify(known);

        if (this.factsShown === text)
            return;
        this.factsShown = text;
        this.facts.replaceChildren(...known.map(([title, value]) =>
            el("div", {}, el("dt", {}, title), el("dd", {}, value))));
    }

    /* ---- asking ---------------------------------------------------------------------------- */

    askIfNew(encode) {
        const news = JSON.stringify(encode.metrics);

        if (this.answer && this.news === news)
            return;
        if (!this.answer && this.news === news && this.asking === encode.key)
            return;
        this.news = news;
        this.asking = encode.key;
        if (this.answer && isActive(encode))
            this.pace.ask();
        else
            this.pace.now();
    }

    refresh() {
        if (this.record())
            this.pace.now();
    }

    async ask() {
        const encode = this.record();
        const asked = new AbortController();

        if (!encode)
            return;
        this.asked?.abort();
        this.asked = asked;
        if (!this.answer)
            this.setState("loading", "Loading the scores…");
        try {
            const reply = await fetch(this.address(encode.key), { signal: asked.signal });

            if (!reply.ok)
                throw new Error(`${reply.status}: ${(await reply.text()).slice(0, 300).trim()}`);
            this.take(await reply.json());
        } catch (error) {
            if (error.name !== "AbortError" && asked === this.asked)
                this.setState("error", `The scores cannot be had: ${error.message}`);
        }
    }

    address(name) {
        const query = new URLSearchParams({ encode: name, worst: WORST,
            points: Math.min(POINTS_MAX, Math.max(200, Math.round(this.plot.clientWidth || POINTS_MAX))) });

        if (this.metric.value)
            query.set("metric", this.metric.value);
        if (this.range) {
            query.set("from", this.range[0]);
            query.set("to", this.range[1]);
        }
        return `/frames?${query}`;
    }

    /* ---- the answer -------------------------------------------------------------------------- */

    take(answer) {
        this.answer = answer;
        if (!this.range)
            this.all = answer;
        this.setState("ready");
        for (const name of ["metric", "frames", "from", "to"])
            setData(this.root, name, answer[name]);
        setData(this.root, "points", answer.points.length);
        this.fillMetrics(answer);
        if (document.activeElement !== this.from)
            this.from.value = answer.from;
        if (document.activeElement !== this.to)
            this.to.value = answer.to;
        this.reset.disabled = !this.range;
        setText(this.hint, answer.infinite
            ? `${HINT} Identical frames (∞) are drawn at the upper edge.` : HINT);
        this.fillFigures(answer);
        this.fillWorst(answer);
        this.draw();
    }

    fillMetrics({ metrics, metric }) {
        if ([...this.metric.options].map((o) => o.value).join() !== metrics.join())
            this.metric.replaceChildren(...metrics.map((m) => el("option", { value: m }, metricTitle(m))));
        this.metric.value = metric;
    }

    fillFigures({ metric, frames, infinite, model, stats: values }) {
        const digits = metricDigits(metric);
        const pairs = [["frames", "Frames", count(frames)],
            ...Object.entries(stats).filter(([name]) => known(values[name]))
                .map(([name, title]) => [name, title, score(values[name], digits)]),
            ...infinite ? [["infinite", "Identical", count(infinite)]] : [],
            ...model ? [["model", "Model", model]] : []];

        this.figures.replaceChildren(...pairs.map(([name, title, text]) => {
            const value = name === "frames" ? frames : values[name];

            return el("div", { "data-stat": name, "data-value": known(value) ? value : undefined },
                el("dt", {}, title), el("dd", {}, text));
        }));
    }

    fillWorst({ worst, metric, from, to }) {
        const focused = this.worst.contains(document.activeElement)
            ? document.activeElement.parentNode.dataset.frame : "";

        this.worstBox.hidden = !worst.length;
        setText(this.worstTitle, this.range
            ? `Worst frames from ${count(from)} to ${count(to)}` : "Worst frames");
        this.worst.replaceChildren(...worst.map(([frame, value]) =>
            el("li", { "data-frame": frame, "data-score": value },
                el("button", { type: "button", title: "Show the frames around",
                    onclick: () => this.around(frame) },
                el("span", {}, `Frame ${count(frame)}`),
                el("b", {}, score(value, metricDigits(metric)))))));
        if (focused)
            this.worst.querySelector(`[data-frame="${CSS.escape(focused)}"] button`)?.focus();
    }

    /* ---- zoom -------------------------------------------------------------------------------- */

    around(frame) {
        this.zoom([frame - AROUND, frame + AROUND]);
        this.plot.scrollIntoView({ block: "nearest" });
    }

    /*
     * Numbers of the first and the last frame. Some logs count from 0, others from 1, and
     * some hold every fifth only; of one that grew since, the last is reckoned.
     */
    bounds() {
        const { from, to, frames } = this.all ?? this.answer;
        const step = frames > 1 ? (to - from) / (frames - 1) : 1;

        return [from, from + Math.max(1, Math.round(step * (this.answer.frames - 1)))];
    }

    zoom(range) {
        if (!this.answer)
            return;
        this.range = null;
        if (range && range.every(Number.isFinite)) {
            const [a, b] = [Math.min(...range), Math.max(...range)].map(Math.round);
            const [first, last] = this.bounds();
            const from = Math.max(first, Math.min(a, last - 1));
            const to = Math.min(last, Math.max(b, from + 1));

            if (from > first || to < last)
                this.range = [from, to];
        }
        this.pace.now();
    }

    zoomBy(event) {
        const { from, to } = this.answer ?? {};
        const size = to - from;
        const [first, last] = this.answer ? this.bounds() : [0, 0];
        const left = Math.min(size / 5, from - first), right = Math.min(size / 5, last - to);
        const ranges = {
            "+": [from + size / 4, to - size / 4], "=": [from + size / 4, to - size / 4],
            "-": [from - size / 2, to + size / 2], "0": null, Escape: null,
            ArrowLeft: [from - left, to - left], ArrowRight: [from + right, to + right],
        };

        if (event.target !== this.plot || !this.answer || event.ctrlKey || event.metaKey || event.altKey ||
            !(event.key in ranges))
            return;
        event.preventDefault();
        this.zoom(ranges[event.key]);
    }

    handle() {
        this.plot.addEventListener("keydown", (e) => this.zoomBy(e));
        this.plot.addEventListener("pointerdown", (e) => this.press(e));
        this.plot.addEventListener("pointermove", (e) => this.drag(e));
        this.plot.addEventListener("pointerup", (e) => this.release(e));
        this.plot.addEventListener("pointercancel", () => this.drop());
    }

    within(event) {
        const box = this.canvas.getBoundingClientRect();
        const { left, right } = this.chart.chartArea;

        return Math.max(left, Math.min(right, event.clientX - box.left));
    }

    press(event) {
        if (!this.chart || event.button !== 0)
            return;
        this.pressed = this.within(event);
        this.plot.setPointerCapture(event.pointerId);
    }

    drag(event) {
        if (this.pressed === undefined)
            return;
        const at = this.within(event);
        const { top, bottom } = this.chart.chartArea;
        const { style } = this.area;

        this.area.hidden = false;
        style.left = `${Math.min(at, this.pressed)}px`;
        style.width = `${Math.abs(at - this.pressed)}px`;
        style.top = `${top}px`;
        style.height = `${bottom - top}px`;
    }

    release(event) {
        if (this.pressed === undefined)
            return;
        const ends = [this.pressed, this.within(event)];

        this.drop();
        /* A click is no selection. */
        if (Math.abs(ends[0] - ends[1]) > 4)
            this.zoom(ends.map((x) => this.chart.scales.x.getValueForPixel(x)));
    }

    drop() {
        this.pressed = undefined;
        this.area.hidden = true;
    }

    /* ---- Chart.js ------------------------------------------------------------------------------ */

    draw() {
        if (!globalThis.Chart || !this.answer)
            return;
        const data = { datasets: this.datasets() };
        const options = this.options();

        this.canvas.setAttribute("aria-label", `${metricTitle(this.answer.metric)} of frames ` +
            `${this.answer.from} to ${this.answer.to}`);
        if (this.chart) {
            this.chart.data = data;
            this.chart.options = options;
            this.chart.update("none");
        } else {
            this.chart = new Chart(this.canvas, { type: "line", data, options });
        }
    }

    /* All scores that can be drawn. */
    values() {
        return this.answer.points.flatMap(([, ...scores]) => scores.filter(drawable));
    }

    datasets() {
        /* Identical frames have an infinite PSNR: drawn at the upper edge. */
        const values = this.values();
        const top = values.length ? values.reduce((a, b) => Math.max(a, b)) : 100;
        const line = (i) => this.answer.points.map((p) => ({ x: p[0], y: drawable(p[i]) ? p[i] : top }));
        const ink = schemeColour("link"), bad = schemeColour("bad");
        const plain = { pointRadius: 0, pointHitRadius: 0, borderWidth: 0, tension: 0 };
        const { from, to, points } = this.answer;
        const worst = this.answer.worst.filter(([f, v]) => f >= from && f <= to && drawable(v));

        return [
            { label: "worst", data: worst.map(([x, y]) => ({ x, y })), showLine: false, pointRadius: 4,
                pointStyle: "rectRot", backgroundColor: bad, borderColor: bad },
            { ...plain, label: "mean", data: line(2), borderColor: ink, borderWidth: 1.5,
                pointRadius: points.length <= 150 ? 2 : 0, pointHitRadius: 6, backgroundColor: ink },
            { ...plain, label: "most", data: line(3), fill: "+1", backgroundColor: `${ink}33` },
            { ...plain, label: "least", data: line(1) },
        ];
    }

    options() {
        const soft = schemeColour("soft"), line = schemeColour("line");
        const base = { grid: { color: line, borderColor: line } };
        const { metric, from, to } = this.answer;
        const values = this.values();

        return {
            animation: false, parsing: false, normalized: true, maintainAspectRatio: false,
            interaction: { mode: "nearest", axis: "x", intersect: false },
            scales: {
                x: { ...base, type: "linear", min: from, max: Math.max(to, from + 1),
                    title: { display: true, text: "Frame", color: soft },
                    ticks: { color: soft, maxRotation: 0, precision: 0, callback: (v) =>
                        Number.isInteger(v) ? count(v) : null } },
                y: { ...base, ...scoreEnds(metric, values),
                    title: { display: true, text: metricTitle(metric), color: soft },
                    ticks: { color: soft, display: values.length > 0, includeBounds: false,
                        callback: (v) => plain(v) } },
            },
            plugins: { legend: { display: false }, tooltip: this.tooltip() },
        };
    }

    tooltip() {
        const { metric, points, to } = this.answer;
        const digits = metricDigits(metric);
        const text = (v) => score(v, digits);

        return {
            animation: false, displayColors: false, filter: (item) => item.dataset.label === "mean",
            callbacks: {
                title: ([item]) => {
                    const i = item?.dataIndex ?? 0;
                    const end = (points[i + 1]?.[0] ?? to + 1) - 1;

                    return !item ? "" : points[i][0] === end ? `Frame ${count(end)}`
                        : `Frames ${count(points[i][0])} to ${count(end)}`;
                },
                label: ({ dataIndex }) => {
                    const [, least, mean, most] = points[dataIndex];

                    return least === most ? text(mean)
                        : [`mean ${text(mean)}`, `least ${text(least)}`, `most ${text(most)}`];
                },
            },
        };
    }
}
