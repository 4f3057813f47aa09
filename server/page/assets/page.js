/*
 * page.js - the page that follows the server: brings its parts together.
 *
 *   events → feed.js (records by kind and key) → once for each picture the browser draws:
 *   encodes.js, scenarios.js (+ grid.js), plots.js, frames.js
 *
 * The document below stays readable without any of this.
 */
import { Encodes } from "./encodes.js";
import { Feed } from "./feed.js";
import { Frames } from "./frames.js";
import { Pace, Settings, count, el, setData, setText } from "./parts.js";
import { Plots } from "./plots.js";
import { Scenarios, sorted } from "./scenarios.js";

const ABOUT_MS = 5000;
const BACK_MS = 4000; /* so long it says that the connection is there again */

class Page {
    constructor(root) {
        this.root = root;
        this.sorted = sorted;
        this.dirty = new Set();
        this.title = document.title;
        this.settings = new Settings(() => this.restore());
        this.feed = new Feed((kinds) => this.mark(kinds), (state, why) => this.connection(state, why));
        this.about = new Pace(() => this.readAbout(), () => ABOUT_MS);
        this.banner = el("p", { id: "connection", role: "status", "aria-live": "polite" });
        this.notice = el("p", { id: "notice", role: "status", class: "box bad", hidden: true });
        this.encodes = new Encodes(this);
        this.scenarios = new Scenarios(this, (shown) => this.filtered(shown));
        this.plots = new Plots(this);
        this.frames = new Frames(this);
        root.append(this.banner, this.notice, this.encodes.root, this.scenarios.root, this.plots.root,
            this.frames.root);
        matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.recolour());
        setInterval(() => document.hidden || this.encodes.tick(), 1000);
        this.restore();
        this.feed.open();
    }

    /* A clock that runs evenly, in ms, as the times at which records came. */
    time() {
        return performance.now();
    }

    scenarioOf(encode) {
        return this.feed.records.scenario.get(encode.row) ?? {};
    }

    /* ---- records changed ------------------------------------------------------------------ */

    mark(kinds) {
        if (!this.dirty.size)
            requestAnimationFrame(() => this.draw());
        for (const kind of kinds)
            this.dirty.add(kind);
    }

    draw() {
        const { dirty } = this;

        this.dirty = new Set();
        this.drawStatus(this.feed.status);
        this.encodes.update();
        if (dirty.has("scenario"))
            this.scenarios.changed();
        if (this.frames.key || this.frames.encode)
            this.frames.update();
        if (this.feed.whole && !("whole" in document.body.dataset)) {
            this.restore();
            setData(document.body, "whole", "true");
        }
    }

    drawStatus(status) {
        const running = [...this.feed.records.encode.values()].filter((e) => e.state === "running").length;

        document.title = running ? `${count(running)} running – ${this.title}` : this.title;
        this.noteAbout(status);
        this.notice.hidden = status.newest_ok !== false;
        setText(this.notice, this.notice.hidden ? "" : `The newest results file, ${status.newest}, cannot be ` +
            `read; its last good content is served. ${status.newest_error ?? ""}`);
    }

    /* What the server wrote into the document goes with the status: then it is asked again. */
    noteAbout(status) {
        const told = JSON.stringify({ ...status, now: 0, at: 0 });

        if (this.told !== undefined && this.told !== told)
            this.about.ask();
        this.told = told;
    }

    async readAbout() {
        try {
            const reply = await fetch("/", { headers: { Accept: "text/html" } });
            const fresh = new DOMParser().parseFromString(await reply.text(), "text/html");

            if (reply.ok)
                for (const part of ["header", "#about"])
                    replacePart(document.querySelector(part), fresh.querySelector(part));
        } catch {
            /* The connection is lost: it is read again when the status comes again. */
        }
    }

    filtered(shown) {
        /* Somebody who types sees the plots follow; news of many records come at a pace. */
        this.plots?.show(shown, this.lastShown !== shown.length);
        this.lastShown = shown.length;
    }

    /* ---- what is chosen ------------------------------------------------------------------- */

    choose(key, encode, go) {
        this.settings.set("chosen", key);
        this.scenarios.setChosen(key);
        this.plots.setChosen();
        this.frames.choose(key, encode);
        if (go && !this.frames.root.hidden) {
            this.frames.root.scrollIntoView({ block: "start" });
            this.frames.title.focus({ preventScroll: true });
        }
    }

    /* From the address: at the start, and when somebody changes it. */
    restore() {
        this.scenarios.restore();
        this.scenarios.reorder.now();
        this.choose(this.settings.get("chosen"), "", false);
    }

    recolour() {
        this.plots.recolour();
        this.frames.draw();
    }

    /* ---- the connection ------------------------------------------------------------------- */

    connection(state, why) {
        const { banner } = this;
        const was = banner.dataset.state;

        setData(banner, "state", state);
        setData(banner, "since", this.feed.since);
        if (state === "lost") {
            clearTimeout(this.back);
            banner.classList.remove("back");
            if (why || was !== "lost")
                setText(banner, `Connection lost, trying again…${why && ` (${why})`} ` +
                    "What is shown may be old.");
        } else if (state === "live" && was === "lost") {
            setText(banner, "Connected again.");
            banner.classList.add("back");
            this.back = setTimeout(() => banner.classList.remove("back"), BACK_MS);
        } else if (state === "live" && was !== "live") {
            setText(banner, "Live");
        }
    }
}

/* Nothing is taken from under somebody's hands. */
function replacePart(old, fresh) {
    fresh?.querySelectorAll("noscript, script").forEach((node) => node.remove());
    old?.querySelectorAll("noscript").forEach((node) => node.remove());
    if (old && fresh && old.textContent !== fresh.textContent && !old.contains(document.activeElement))
        old.replaceChildren(...fresh.childNodes);
}

new Page(document.getElementById("app"));
