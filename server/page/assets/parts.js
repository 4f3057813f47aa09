/*
 * parts.js - what all parts of the page share: elements, and figures as people read them.
 *
 * Names come from files that anybody may have written: they reach the page as text only,
 * never as markup.
 */

export const UNKNOWN = "–";

/* el("button", { class: "soft", onclick: f, "aria-label": "…" }, "text", child …) */
export function el(tag, properties = {}, ...children) {
    const node = document.createElement(tag);

    for (const [name, value] of Object.entries(properties)) {
        if (value === undefined || value === false)
            continue;
        if (name.startsWith("on"))
            node.addEventListener(name.slice(2), value);
        else
            node.setAttribute(name, value === true ? "" : value);
    }
    node.append(...children);
    return node;
}

export function svg(tag, attributes = {}) {
    const node = document.createElementNS("http://www.w3.org/2000/svg", tag);

    for (const [name, value] of Object.entries(attributes))
        node.setAttribute(name, value);
    return node;
}

/* The same text again would make the browser lay out anew, too. */
export function setText(node, text) {
    if (node.textContent !== text)
        node.textContent = text;
}

/* "70.0 W", with a unit that stands back; "1 min 3 s" is left as it is. */
export function setFigure(node, text) {
    const parts = text.split("\u00a0");

    if (node.textContent === text)
        return;
    if (parts.length === 2)
        node.replaceChildren(parts[0], el("small", {}, `\u00a0${parts[1]}`));
    else
        node.textContent = text;
}

export function setData(node, name, value) {
    const text = value === undefined || value === null ? "" : String(value);

    if (node.dataset[name] !== text)
        node.dataset[name] = text;
}

export const known = (value) => value !== undefined && value !== null;

/* A number that can be drawn and compared; PSNR may be "inf". */
export const finite = (value) => typeof value === "number" && Number.isFinite(value);

/* ---- numbers --------------------------------------------------------------------- */

const formats = new Map();

function format(options) {
    const name = JSON.stringify(options);

    if (!formats.has(name))
        formats.set(name, new Intl.NumberFormat("en", options));
    return formats.get(name);
}

export const fixed = (value, digits) => format({
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
}).format(value);

export const count = (value) => format({ maximumFractionDigits: 0 }).format(value);

/* Four digits are what an eye compares; large numbers keep all before the point. */
export function figure(value) {
    if (!known(value))
        return UNKNOWN;
    if (value === "inf" || value === Infinity)
        return "∞";
    if (!finite(value))
        return String(value);

    const size = Math.abs(value);

    if (size !== 0 && size < 1e-6)
        return value.toExponential(2);
    if (size >= 1000)
        return count(value);
    if (Number.isInteger(value))
        return String(value);
    return format({ minimumSignificantDigits: 4, maximumSignificantDigits: 4 }).format(value);
}

/* As few digits as there are: for the marks of an axis. */
export const plain = (value) => format({ maximumSignificantDigits: 4 }).format(value);

const withUnit = (text, unit) => text === UNKNOWN ? text : `${text}\u00a0${unit}`;

export const kbits = (bps) => finite(bps) ? figure(bps >= 1e5 ? Math.round(bps / 1000)
    : bps / 1000) : UNKNOWN;

export const bitrate = (bps) => finite(bps) && bps >= 1e7
    ? withUnit(figure(bps / 1e6), "Mbit/s") : withUnit(kbits(bps), "kbit/s");

export const energy = (joules) => finite(joules) && joules >= 3.6e5
    ? withUnit(figure(joules / 3.6e6), "kWh") : withUnit(figure(joules), "J");

export const power = (watts) => withUnit(finite(watts) ? fixed(watts, watts < 100 ? 1 : 0)
    : UNKNOWN, "W");

/* Money has no prefixes: what one encode costs may be far below a cent. */
export function cost(amount, currency) {
    const text = finite(amount) && amount >= 1e-6 && amount < 1
        ? format({ maximumSignificantDigits: amount < 1e-3 ? 2 : 3 }).format(amount) : figure(amount);

    return currency ? withUnit(text, currency) : text;
}

export const score = (value, digits) => finite(value) ? fixed(value, digits) : figure(value);

export const metrics = {
    vmaf: { title: "VMAF", digits: 2, unit: "" },
    psnr: { title: "PSNR", digits: 2, unit: "dB" },
    ssim: { title: "SSIM", digits: 4, unit: "" },
};

/* "psnr_y" → "PSNR Y": logs hold more than the three that have names of their own. */
export const metricTitle = (name) => name.toUpperCase().replaceAll("_", " ");

export const metricDigits = (name) => /ssim/.test(name) ? 4 : 2;

/* 5025 → "1 h 23 min": the two largest units, so that it does not flicker. */
export function span(seconds) {
    if (!finite(seconds))
        return UNKNOWN;

    const s = Math.max(0, Math.round(seconds));
    const parts = [[Math.floor(s / 86400), "d"], [Math.floor(s / 3600) % 24, "h"],
        [Math.floor(s / 60) % 60, "min"], [s % 60, "s"]];
    const first = parts.findIndex(([n]) => n > 0);

    if (first < 0)
        return "0\u00a0s";
    return parts.slice(first, first + 2).filter(([n]) => n > 0)
        .map(([n, unit]) => `${n}\u00a0${unit}`).join(" ");
}

/* ---- state ----------------------------------------------------------------------- */

/* A sign beside the word: colour alone tells some people nothing. */
const signs = { running: "▸", stalled: "‖", ended: "■", aborted: "✕" };

export function stateText(state) {
    return state ? `${signs[state] ?? "•"} ${state}` : UNKNOWN;
}

export const isActive = (encode) => encode.state === "running" || encode.state === "stalled";

/* ---- what is chosen and filtered, kept in the address ------------------------------ */

/*
 * The part of the address behind "#", as names and values: a view can be kept as a
 * bookmark and sent to others. The server never sees it.
 */
export class Settings {
    constructor(changed) {
        this.read();
        window.addEventListener("hashchange", () => {
            this.read();
            changed();
        });
    }

    read() {
        this.values = new URLSearchParams(location.hash.slice(1));
    }

    get(name) {
        return this.values.get(name) ?? "";
    }

    set(name, value) {
        if (this.get(name) === value)
            return;
        if (value)
            this.values.set(name, value);
        else
            this.values.delete(name);

        const text = this.values.toString();

        /* No entry of its own in the history: "back" leaves the page. */
        history.replaceState(null, "", text ? `#${text}` : location.pathname);
    }
}

/* ---- pace ------------------------------------------------------------------------ */

/* Calls f now, or as soon as interval() ms have passed since it ended last. */
export class Pace {
    constructor(f, interval) {
        this.f = f;
        this.interval = interval;
        this.last = -Infinity;
        this.timer = 0;
    }

    ask() {
        const wait = this.last + this.interval() - performance.now();

        if (this.timer)
            return;
        if (wait <= 0)
            this.now();
        else
            this.timer = setTimeout(() => this.now(), wait);
    }

    now() {
        clearTimeout(this.timer);
        this.timer = 0;
        this.f();
        this.last = performance.now();
    }
}
