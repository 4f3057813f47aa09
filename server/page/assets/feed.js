/*
 * feed.js - what the server tells by events, kept as records by kind and key.
 *
 * The browser would connect again by itself, but gives up for good where the server
 * refuses it once, and sees no connection that is silent. So each connection is ours: it
 * ends with the first error or with silence, and the next one asks for what changed since.
 */

const SILENCE_MS = 25000; /* the server sends a beat every 10 s */
const HIDDEN_MS = 60000;
const RETRY_FIRST_MS = 500;
const RETRY_LAST_MS = 8000;

const empty = () => ({ status: new Map(), encode: new Map(), scenario: new Map() });

export class Feed {
    /* changed(kinds): records of these kinds changed. state(name, reason): of the
     * connection, "connecting", "live" or "lost". */
    constructor(changed, state) {
        this.changed = changed;
        this.state = state;
        this.records = empty();
        this.staged = null; /* all records anew, not complete yet */
        this.whole = false;
        this.since = "";
        this.clock = 0; /* ms between the server's time and performance.now() */
        this.retries = 0;
        document.addEventListener("visibilitychange", () => this.visibility());
        window.addEventListener("online", () => this.again(0));
        /* A page that may come back from the browser's cache must not hold a connection. */
        window.addEventListener("pagehide", () => this.close());
        window.addEventListener("pageshow", (e) => e.persisted && this.open());
        setInterval(() => this.listen(), 1000);
    }

    get status() {
        return this.records.status.get("") ?? {};
    }

    /* Unix time in seconds, as the server has it. */
    now() {
        return (performance.now() + this.clock) / 1000;
    }

    open() {
        const from = this.since ? `/events?since=${encodeURIComponent(this.since)}` : "/events";
        const source = new EventSource(from);

        this.close();
        this.source = source;
        this.staged = null;
        this.heard = performance.now();
        if (!this.retries)
            this.state("connecting", "");
        source.addEventListener("change", (e) => this.take(e));
        source.addEventListener("beat", (e) => this.beat(JSON.parse(e.data)));
        source.onerror = () => {
            const refused = source.readyState === EventSource.CLOSED;

            if (source === this.source)
                this.lose(refused);
        };
    }

    close() {
        clearTimeout(this.timer);
        this.timer = 0;
        this.source?.close();
        this.source = null;
    }

    take(event) {
        const change = JSON.parse(event.data);

        if (change.reset)
            this.staged = this.whole ? empty() : this.records = empty();
        this.apply(change, this.staged ?? this.records);
        if (change.whole)
            this.finish();
        /* A connection that ends amid all there is has to begin with it again. */
        if (this.whole && !this.staged)
            this.since = event.lastEventId || this.since;
        this.alive();
    }

    apply(change, records) {
        const kinds = new Set();
        const at = performance.now();

        for (const record of change.set ?? []) {
            record.at = at;
            records[record.kind]?.set(record.key, record);
            kinds.add(record.kind);
        }
        for (const record of change.gone ?? []) {
            records[record.kind]?.delete(record.key);
            kinds.add(record.kind);
        }
        if (kinds.has("status") && records.status.get(""))
            this.setClock(records.status.get("").now);
        if (records === this.records && (kinds.size || change.reset))
            this.changed(change.reset ? new Set(Object.keys(records)) : kinds);
    }

    finish() {
        this.whole = true;
        if (this.staged)
            this.records = this.staged;
        this.staged = null;
        this.changed(new Set(Object.keys(this.records)));
    }

    beat(data) {
        this.setClock(data.now);
        this.alive();
    }

    setClock(now) {
        if (typeof now === "number")
            this.clock = now * 1000 - performance.now();
    }

    alive() {
        this.heard = performance.now();
        this.retries = 0;
        this.state("live", "");
    }

    /* Once a second: a machine that slept, or a cable that was pulled, sends no error. */
    listen() {
        if (this.source && performance.now() - this.heard > SILENCE_MS)
            this.lose(false);
    }

    lose(refused) {
        this.close();
        this.state("lost", "");
        if (refused)
            this.askWhy();
        this.again(Math.min(RETRY_LAST_MS, RETRY_FIRST_MS * 2 ** this.retries));
        this.retries++;
    }

    again(wait) {
        if (this.source || document.hidden && this.slept)
            return;
        clearTimeout(this.timer);
        this.timer = setTimeout(() => this.open(), wait);
    }

    /* EventSource does not tell what the server answered. */
    async askWhy() {
        const asked = new AbortController();

        try {
            const answer = await fetch("/events", { signal: asked.signal });

            if (!answer.ok)
                this.state("lost", `${answer.status}: ${(await answer.text()).slice(0, 200).trim()}`);
        } catch {
            /* Nobody answers: that is what the state says already. */
        } finally {
            asked.abort();
        }
    }

    /* Nobody looks: the server need not tell. What changed meanwhile comes at once. */
    visibility() {
        clearTimeout(this.sleep);
        if (document.hidden) {
            this.sleep = setTimeout(() => {
                this.slept = true;
                this.close();
            }, HIDDEN_MS);
        } else if (this.slept) {
            this.slept = false;
            this.open();
        } else {
            this.listen();
        }
    }
}
