/*
 * grid.js - a table of any number of rows, of which only those in sight are elements.
 *
 * Rows have one height, so that the place of each is known without making it: two spacers
 * stand for those above and below. The focus stays on the table and its active row is told
 * by aria-activedescendant, since a row that holds the focus could scroll out of existence.
 */
import { el, setText } from "./parts.js";

const AHEAD = 6; /* rows beyond both edges, for scrolling */

export class Grid {
    /*
     * id, label: of the table. columns: { key, title, unit, kind: "text" or "number",
     * text(record), paint(cell, record) instead, heads: it names the row }.
     * name: the attribute of rows that holds their key; sortName: that of the heads' buttons.
     * choose(record), sort(key).
     */
    constructor(options) {
        Object.assign(this, options);
        this.rows = [];
        this.pool = [];
        this.active = -1;
        this.chosen = null;
        this.height = 36;
        this.build();
        this.scroller.addEventListener("scroll", () => this.draw(), { passive: true });
        new ResizeObserver(() => this.draw()).observe(this.scroller);
        this.table.addEventListener("keydown", (e) => this.press(e));
        this.table.addEventListener("focus", () => this.enter());
        this.table.addEventListener("click", (e) => this.click(e));
    }

    build() {
        const head = el("tr", { "aria-rowindex": 1 });
        const spacer = () => el("tr", { "aria-hidden": "true", role: "presentation" },
            el("td"));

        this.heads = new Map();
        for (const column of this.columns) {
            const th = this.head(column);

            this.heads.set(column.key, th);
            head.append(th);
        }
        this.above = spacer();
        this.below = spacer();
        this.body = el("tbody");
        this.cols = this.columns.map((c) => el("col", { class: `col-${c.key}` }));
        this.table = el("table", { id: this.id, role: "grid", tabindex: 0, "aria-label": this.label },
            el("colgroup", {}, ...this.cols), el("thead", {}, head),
            el("tbody", { class: "spacer" }, this.above), this.body,
            el("tbody", { class: "spacer" }, this.below));
        this.scroller = el("div", { class: "wide grid" }, this.table);
    }

    head(column) {
        const unit = el("span", { class: "unit" }, column.unit ?? "");
        const button = el("button", { type: "button", [this.sortName]: column.key },
            el("span", { class: "of" }, column.title), " ", unit);

        column.unitNode = unit;
        button.addEventListener("click", () => this.sort(column.key));
        return el("th", { scope: "col", "aria-sort": "none", class: column.kind }, button);
    }

    setUnit(key, unit) {
        setText(this.columns.find((c) => c.key === key).unitNode, unit);
    }

    /* sorted: "", "vmaf" or "-vmaf". */
    setSorted(sorted) {
        const key = sorted.replace(/^-/, "");
        const order = sorted.startsWith("-") ? "descending" : "ascending";

        for (const [name, th] of this.heads)
            th.setAttribute("aria-sort", name === key ? order : "none");
    }

    /* Columns of which nothing is known take no room. */
    setHidden(keys) {
        this.columns.forEach((column, i) => {
            const hidden = keys.has(column.key);

            if (column.hidden !== hidden) {
                column.hidden = hidden;
                this.cols[i].hidden = hidden;
                this.heads.get(column.key).hidden = hidden;
                for (const row of this.pool)
                    row.parts[i].hidden = hidden;
            }
        });
    }

    setRows(rows) {
        const key = this.rows[this.active]?.key;

        this.rows = rows;
        /* What is active stays so, wherever it is now. */
        if (key !== undefined && rows[this.active]?.key !== key)
            this.active = rows.findIndex((r) => r.key === key);
        this.table.setAttribute("aria-rowcount", rows.length + 1);
        this.draw();
    }

    /* For cells that show more than their record. */
    repaint() {
        for (const row of this.pool)
            row.record = null;
        this.draw();
    }

    setChosen(key) {
        this.chosen = key;
        this.draw();
    }

    /* ---- drawing ------------------------------------------------------------------ */

    draw() {
        const total = this.rows.length;
        const place = Math.max(0, this.scroller.scrollTop);
        const shown = Math.ceil((this.scroller.clientHeight || innerHeight) / this.height);
        const first = Math.max(0, Math.min(Math.floor(place / this.height) - AHEAD,
            total - shown - AHEAD));
        const last = Math.min(total, first + shown + 2 * AHEAD);

        while (this.pool.length < last - first)
            this.pool.push(this.row());
        this.pool.forEach((row, i) => this.fill(row, first + i, first + i < last));
        this.above.firstChild.style.height = `${first * this.height}px`;
        this.below.firstChild.style.height = `${(total - last) * this.height}px`;
        this.above.hidden = first === 0;
        this.below.hidden = last === total;
        this.measure();
        this.point();
    }

    row() {
        const cells = this.columns.map((c) => el(c.heads ? "th" : "td", {
            class: c.kind,
            role: c.heads ? "rowheader" : "gridcell",
            scope: c.heads ? "row" : undefined,
            "data-column": c.key,
            hidden: c.hidden,
        }));
        const tr = el("tr", {}, ...cells);

        this.body.append(tr);
        return { tr, parts: cells, index: -1, record: null };
    }

    fill(row, index, used) {
        const record = used ? this.rows[index] : null;

        row.tr.hidden = !used;
        if (!used) {
            row.tr.removeAttribute("id");
            row.tr.removeAttribute(this.name);
            row.record = null;
            return;
        }
        if (row.index !== index) {
            row.index = index;
            row.tr.setAttribute("aria-rowindex", index + 2);
        }
        row.tr.id = `${this.id}-${index}`;
        if (row.tr.getAttribute(this.name) !== record.key)
            row.tr.setAttribute(this.name, record.key);
        row.tr.setAttribute("aria-selected", String(record.key === this.chosen));
        row.tr.classList.toggle("active", index === this.active);
        if (row.record !== record)
            this.paint(row, record);
    }

    paint(row, record) {
        row.record = record;
        this.columns.forEach((column, i) => {
            const cell = row.parts[i];

            if (column.paint) {
                column.paint(cell, record);
                return;
            }
            const text = column.text(record);

            setText(cell, text);
            if (column.kind === "text")
                cell.title = text;
        });
        this.mark?.(row.tr, record);
    }

    /* The height depends on the font that somebody chose. */
    measure() {
        const height = this.pool[0]?.tr.offsetHeight;

        if (height && Math.abs(height - this.height) > 0.5) {
            this.height = height;
            this.draw();
        }
    }

    point() {
        const row = this.pool.find((r) => r.index === this.active && !r.tr.hidden);

        if (row)
            this.table.setAttribute("aria-activedescendant", row.tr.id);
        else
            this.table.removeAttribute("aria-activedescendant");
    }

    /* ---- hands --------------------------------------------------------------------- */

    /* A click gives the focus, too: then nothing may move under the pointer. */
    enter() {
        if (this.active < 0 && this.rows.length && this.table.matches(":focus-visible"))
            this.move(Math.max(0, this.rows.findIndex((r) => r.key === this.chosen)));
    }

    move(index) {
        const head = this.table.tHead.offsetHeight;
        const room = this.scroller.clientHeight - head - this.height;
        const to = Math.max(0, Math.min(this.rows.length - 1, index));
        const top = to * this.height;

        this.active = to;
        if (this.scroller.scrollTop > top)
            this.scroller.scrollTop = top;
        else if (this.scroller.scrollTop < top - room)
            this.scroller.scrollTop = top - room;
        this.draw();
        /* The table may reach beyond the window. */
        this.pool.find((r) => r.index === to)?.tr.scrollIntoView({ block: "nearest" });
    }

    press(event) {
        const page = Math.max(1, Math.floor(this.scroller.clientHeight / this.height) - 2);
        const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page,
            Home: -Infinity, End: Infinity };
        const chosen = event.key === "Enter" || event.key === " ";

        /* The buttons of the head have keys of their own. */
        if (event.target !== this.table || event.altKey || event.ctrlKey || event.metaKey ||
            !this.rows.length)
            return;
        if (event.key in steps)
            this.move(Math.max(0, this.active) + steps[event.key]);
        else if (chosen && this.rows[this.active])
            this.choose(this.rows[this.active]);
        else
            return;
        event.preventDefault();
    }

    click(event) {
        const tr = event.target.closest("tbody tr");
        const row = this.pool.find((r) => r.tr === tr);

        if (!row?.record)
            return;
        this.active = row.index;
        this.choose(row.record);
        this.draw();
    }
}
