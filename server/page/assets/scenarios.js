/*
 * scenarios.js - all scenarios as one table that can be sorted and filtered. The filter is
 * also what the plots show.
 */
import { Grid } from "./grid.js";
import {
    UNKNOWN, Pace, cost, count, el, figure, finite, kbits, known, score, setData, setText, stateText,
} from "./parts.js";

const MANY = 2000; /* so many are not ordered anew more often than once a second */

const text = (key) => (r) => r[key] || UNKNOWN;

/* Runs differ at the end of their names: that part of it stays in sight (page.css). */
const paintEnd = (key) => (cell, record) => {
    setText(cell.firstChild ?? cell.appendChild(el("bdi")), record[key] ?? UNKNOWN);
    cell.title = record[key] ?? "";
};

/* Size of a picture, to order by: "1280x720" comes before "1920x1080". */
export function pixels(resolution) {
    const [, width, height] = /^(\d+)\s*[x×]\s*(\d+)$/i.exec(resolution ?? "") ?? [];

    return width ? width * height : resolution || undefined;
}

const columns = [
    { key: "name", title: "Name", kind: "text", heads: true, text: text("name"), value: (r) => r.name },
    { key: "run", title: "Run", kind: "text", paint: paintEnd("run"), value: (r) => r.run },
    { key: "source", title: "Source", kind: "text", text: text("source"), value: (r) => r.source },
    { key: "encoder", title: "Encoder", kind: "text", text: text("encoder"), value: (r) => r.encoder },
    { key: "preset", title: "Preset", kind: "text", text: text("preset"), value: (r) => r.preset },
    { key: "resolution", title: "Resolution", kind: "text", text: text("resolution"),
        value: (r) => pixels(r.resolution) },
    { key: "bitrate", title: "Bit rate", unit: "kbit/s", kind: "number",
        text: (r) => finite(r.bitrate_bps) ? kbits(r.bitrate_bps) : r.bitrate || UNKNOWN,
        value: (r) => r.bitrate_bps },
    { key: "duration", title: "Duration", unit: "s", kind: "number", text: (r) => figure(r.duration_s),
        value: (r) => r.duration_s },
    { key: "energy", title: "Energy", unit: "J", kind: "number", text: (r) => figure(r.energy_j),
        value: (r) => r.energy_j },
    { key: "cost", title: "Cost", kind: "number", text: (r) => known(r.cost) ? cost(r.cost) : UNKNOWN,
        value: (r) => r.cost },
    { key: "vmaf", title: "VMAF", kind: "number", text: (r) => score(r.vmaf, 2), value: (r) => r.vmaf },
    { key: "psnr", title: "PSNR", unit: "dB", kind: "number", text: (r) => score(r.psnr_db, 2),
        value: (r) => r.psnr_db === "inf" ? Infinity : r.psnr_db },
    { key: "ssim", title: "SSIM", kind: "number", text: (r) => score(r.ssim, 4), value: (r) => r.ssim },
    { key: "state", title: "State", kind: "text", text: (r) => stateText(r.state), value: (r) => r.state },
];

const searched = ["name", "run", "source", "encoder", "preset", "resolution", "bitrate", "codec", "state"];
const chosenBy = ["source", "resolution", "encoder", "state"];
const names = new Intl.Collator("en", { numeric: true });

/* A new array; what is not known comes last, up or down. Equal ones keep their order. */
export function sorted(list, value, down) {
    const sign = down ? -1 : 1;
    const pairs = list.map((record) => [value(record), record]);

    pairs.sort(([a], [b]) => {
        if (!known(a) || !known(b))
            return known(b) - known(a);
        if (typeof a === "number" && typeof b === "number")
            return (a - b || 0) * sign;
        return names.compare(a, b) * sign;
    });
    return pairs.map(([, record]) => record);
}

/* Newest run first, and each in the order of its file. */
function byRun(records) {
    const newest = new Map();

    for (const { run, start, end } of records)
        newest.set(run, Math.max(newest.get(run) ?? -Infinity, start ?? end ?? 0));
    return sorted(records, (r) => newest.get(r.run), true);
}

/* In small letters, made once for each record: it is looked through with every key. */
const haystacks = new WeakMap();

function haystack(record) {
    let found = haystacks.get(record);

    if (found === undefined) {
        found = searched.map((key) => record[key] ?? "").join("\n").toLowerCase();
        haystacks.set(record, found);
    }
    return found;
}

export class Scenarios {
    constructor(app, filtered) {
        this.app = app;
        this.filtered = filtered; /* called with the records that the filter leaves */
        this.order = [];
        this.shown = [];
        this.byKey = new Map();
        this.grid = new Grid({
            id: "scenarios", label: "Scenarios", name: "data-key", sortName: "data-sort", columns,
            choose: (record) => app.choose(record.key, "", true),
            sort: (key) => this.sort(key),
            mark: (tr, record) => setData(tr, "state", record.state),
        });
        this.reorder = new Pace(() => this.update(),
            () => this.app.feed.records.scenario.size > MANY ? 1000 : 0);
        this.root = this.build();
        this.restore();
    }

    build() {
        this.search = el("input", { id: "filter", type: "search", placeholder: "Words, all of them",
            autocomplete: "off", spellcheck: "false",
            oninput: () => this.set("q", this.search.value) });
        this.selects = new Map(chosenBy.map((key) => [key, el("select", { id: `filter-${key}`,
            onchange: (e) => this.set(key, e.target.value) }, el("option", { value: "" }, "all"))]));
        this.clear = el("button", { id: "filter-clear", type: "button", onclick: () => this.reset() },
            "Clear");
        this.count = el("output", { id: "count", for: "filter" });
        this.none = el("p", { class: "box", hidden: true }, "No scenario is like that.");
        this.note = el("p", { class: "soft", hidden: true });

        const label = (title, control) => el("label", {}, el("span", {}, title), control);
        const title = (key) => key[0].toUpperCase() + key.slice(1);

        return el("section", { "aria-labelledby": "scenarios-title", hidden: true },
            el("div", { class: "heading" }, el("h2", { id: "scenarios-title" }, "Scenarios"), this.count),
            el("form", { class: "filters", role: "search", onsubmit: (e) => e.preventDefault() },
                label("Filter", this.search),
                ...[...this.selects].map(([key, select]) => label(title(key), select)), this.clear),
            this.grid.scroller, this.none, this.note);
    }

    /* ---- what was asked for ------------------------------------------------------------ */

    set(name, value) {
        this.app.settings.set(name, value);
        this.filter();
    }

    reset() {
        for (const name of ["q", ...chosenBy])
            this.app.settings.set(name, "");
        this.restore();
        this.filter();
        this.search.focus();
    }

    /* From the address. */
    restore() {
        const { settings } = this.app;

        this.search.value = settings.get("q");
        for (const [key, select] of this.selects) {
            this.offer(select, settings.get(key));
            select.value = settings.get(key);
        }
        this.grid.setSorted(settings.get("sort"));
    }

    /* A value that no scenario has any more stays choosable as long as it is chosen. */
    offer(select, value) {
        if (value && ![...select.options].some((o) => o.value === value))
            select.append(el("option", { value }, value));
    }

    sort(key) {
        const now = this.app.settings.get("sort");

        this.app.settings.set("sort", now === key ? `-${key}` : now === `-${key}` ? "" : key);
        this.restore();
        this.reorder.now();
    }

    /* ---- records ------------------------------------------------------------------------- */

    changed() {
        this.reorder.ask();
    }

    update() {
        const records = this.app.feed.records.scenario;
        const { status } = this.app.feed;
        const sort = this.app.settings.get("sort");
        const column = columns.find((c) => c.key === sort.replace(/^-/, ""));
        /* What was in order before is nearly so now, which sorting takes advantage of. */
        const list = column ? this.keepOrder(records) : [...records.values()];

        this.order = column ? sorted(list, column.value, sort.startsWith("-")) : byRun(list);
        this.root.hidden = !records.size;
        this.grid.setUnit("cost", status.currency ?? "");
        this.grid.setHidden(new Set(columns.filter((c) => !c.heads &&
            !this.order.some((r) => known(c.value(r)) || c.key === "bitrate" && r.bitrate))
            .map((c) => c.key)));
        this.note.hidden = !(status.scenarios > status.shown);
        setText(this.note, `Only ${count(status.shown ?? 0)} of ${count(status.scenarios ?? 0)} ` +
            "are told here, those of the newest runs; the metrics hold all of them.");
        this.fillSelects();
        this.filter();
    }

    keepOrder(records) {
        const before = this.order.filter((r) => records.has(r.key)).map((r) => records.get(r.key));
        const seen = new Set(before);

        return before.concat([...records.values()].filter((r) => !seen.has(r)));
    }

    fillSelects() {
        for (const [key, select] of this.selects) {
            const values = [...new Set(this.order.map((r) => r[key]).filter(Boolean))];
            const text = values.sort(names.compare).join("\n");

            select.parentNode.hidden = values.length < 2 && !select.value;
            if (select.dataset.values === text)
                continue;
            select.dataset.values = text;
            select.replaceChildren(el("option", { value: "" }, "all"),
                ...values.map((value) => el("option", { value }, value)));
            this.offer(select, this.app.settings.get(key));
            select.value = this.app.settings.get(key);
        }
    }

    filter() {
        const { settings } = this.app;
        const words = settings.get("q").toLowerCase().split(/\s+/).filter(Boolean);
        const exact = chosenBy.map((key) => [key, settings.get(key)]).filter(([, value]) => value);
        const total = this.order.length;

        this.shown = this.order.filter((r) => exact.every(([key, value]) => r[key] === value) &&
            words.every((word) => haystack(r).includes(word)));
        this.grid.setRows(this.shown);
        this.clear.hidden = !words.length && !exact.length;
        this.none.hidden = this.shown.length > 0 || !total;
        this.grid.scroller.hidden = !this.shown.length;
        setText(this.count, `${count(this.shown.length)} of ${count(total)}`);
        setData(this.count, "shown", this.shown.length);
        setData(this.count, "total", total);
        this.filtered(this.shown);
    }

    setChosen(key) {
        this.grid.setChosen(key);
    }
}
