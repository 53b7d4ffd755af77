// The list of mails on the screen: only the rows that are seen stand in the document, however many there are. Rows have one height, which the style sheet gives.
// In: pages (mails/pages.js), columns. Out: open(mail), moved() when it was scrolled, settled() when more came.
// The grid has the focus; its active row is told by aria-activedescendant.

import { button, clear, el } from "../dom.js";
import { dateTime } from "../format.js";
import { failure } from "../parts/states.js";
import { listRow, openPressed } from "./row.js";

const GAP = 12;
const AROUND = 8;
const AHEAD = 60;
const FRESH_MS = 2500;
// Answers without a mail after which one is asked whether to search on.
const ROUNDS = 8;

export class MailList {
  constructor({ pages, open, moved, settled }) {
    Object.assign(this, { pages, moved, settled, columns: [], active: -1, height: 33, nodes: new Map(), error: null, fresh: 0, asked: false, due: 0, aging: 0 });
    this.head = el("div", { class: "list-head", role: "row", "aria-rowindex": "1" });
    this.rows = el("div", { class: "list-rows", role: "rowgroup" });
    this.space = el("div", { class: "list-space", role: "presentation" }, this.rows);
    this.foot = el("div", { class: "list-foot", role: "status" });
    this.grid = el("div", { class: "list-grid", role: "grid", tabindex: "0", "aria-label": "Mails, newest first" }, el("div", { role: "rowgroup", class: "list-top" }, this.head), this.space);
    this.root = el("div", { class: "list" }, this.grid, this.foot);
    const press = (event) => openPressed(event, (i) => pages.row(i), open);
    this.root.addEventListener("click", press);
    this.root.addEventListener("auxclick", press);
    this.root.addEventListener("scroll", () => this.scrolled(), { passive: true });
    this.size = new ResizeObserver(() => this.renew());
    this.size.observe(this.root);
  }

  stop() {
    this.size.disconnect();
    cancelAnimationFrame(this.due);
    clearTimeout(this.aging);
  }

  focus() {
    this.grid.focus({ preventScroll: true });
  }

  scrolled() {
    this.due ||= requestAnimationFrame(() => {
      this.due = 0;
      this.draw();
      this.moved?.();
    });
  }

  setColumns(columns) {
    this.columns = columns;
    this.root.style.setProperty("--columns", columns.map((column) => column.width).join(" "));
    // What does not fit scrolls sideways, with whole rows.
    const least = columns.reduce((sum, column) => sum + parseFloat(/[\d.]+/.exec(column.width)[0]) + GAP, 2 * GAP);
    this.root.style.setProperty("--least", `${least}px`);
    this.grid.setAttribute("aria-colcount", String(columns.length));
    clear(this.head, columns.map((column) => el("div", { role: "columnheader", class: `cell cell-${column.key} ${column.number ? "number" : ""}`.trim(), title: column.title }, column.label)));
    this.renew();
  }

  // All that is seen, made anew.
  renew() {
    this.nodes.clear();
    const height = parseFloat(getComputedStyle(this.root).getPropertyValue("--row"));
    if (height > 0) this.height = height;
    this.draw();
  }

  draw() {
    const { pages, nodes, height } = this;
    const top = Math.max(0, this.root.scrollTop);
    const from = Math.max(0, Math.floor(top / height) - AROUND);
    const to = Math.min(pages.total, Math.ceil((top + this.root.clientHeight) / height) + AROUND);
    for (const i of nodes.keys()) if (i < from || i >= to) nodes.delete(i);
    for (let i = from; i < to; i++) if (!nodes.has(i)) nodes.set(i, listRow(i, pages.row(i), this.columns, { active: i === this.active, fresh: i < this.fresh }));
    this.space.style.setProperty("block-size", `${pages.total * height}px`);
    this.rows.style.setProperty("transform", `translateY(${from * height}px)`);
    const wanted = [...nodes.keys()].sort((a, b) => a - b).map((i) => nodes.get(i));
    if (wanted.length !== this.rows.childElementCount || wanted.some((node, i) => this.rows.children[i] !== node)) this.rows.replaceChildren(...wanted);
    this.grid.setAttribute("aria-rowcount", String(pages.done ? pages.total + 1 : -1));
    if (this.active >= 0 && nodes.has(this.active)) this.grid.setAttribute("aria-activedescendant", nodes.get(this.active).id);
    else this.grid.removeAttribute("aria-activedescendant");
    this.drawFoot();
    this.want(from, to);
  }

  drawFoot() {
    const { pages, foot } = this;
    if (this.error) return clear(foot, failure(this.error, () => this.again()));
    if (pages.done || pages.full) return clear(foot, !pages.total ? null : pages.full ? "The list ends here: narrow the search or the time to see older ones." : "No older ones.");
    const far = pages.searchedTo !== null && !pages.complete ? ` Searched back to ${dateTime(pages.searchedTo)}.` : "";
    if (pages.idle < ROUNDS) return clear(foot, pages.total || far ? `Looking for older ones …${far}` : null);
    return clear(foot, `Nothing more found yet.${far} `, button("Search on", () => {
      pages.idle = 0;
      this.draw();
    }, { class: "button" }));
  }

  // Asks for what is missing, and for older ones before the end is reached.
  want(from, to) {
    const { pages } = this;
    if (this.error) return;
    pages.need(from, to - 1)?.then(() => this.renew(), (error) => this.failed(error));
    if (pages.done || to + AHEAD < pages.total || this.asked || pages.idle >= ROUNDS) return;
    const more = pages.more();
    if (!more) return;
    this.asked = true;
    more.then(() => {
      this.asked = false;
      this.draw();
      this.settled?.();
    }, (error) => this.failed(error));
  }

  failed(error) {
    this.asked = false;
    if (error.name === "AbortError") return;
    this.error = error;
    this.drawFoot();
  }

  again() {
    this.error = null;
    this.draw();
  }

  // Makes a row the active one and shows it; null: none.
  activate(i, { focus = true } = {}) {
    if (!this.pages.total) return;
    const next = i === null ? -1 : Math.max(0, Math.min(this.pages.total - 1, i));
    for (const one of [this.active, next]) this.nodes.delete(one);
    this.active = next;
    if (next >= 0) this.show(next);
    if (focus && document.activeElement !== this.grid) this.focus();
    this.draw();
  }

  show(i) {
    const { root, height } = this;
    const head = this.head.offsetHeight;
    if (i * height < root.scrollTop) root.scrollTop = i * height;
    else if ((i + 1) * height > root.scrollTop + root.clientHeight - head) root.scrollTop = (i + 1) * height - root.clientHeight + head;
  }

  step(by) {
    this.activate(this.active < 0 ? Math.floor(this.root.scrollTop / this.height) + (by > 0 ? 0 : by) : this.active + by);
  }

  page(by) {
    this.activate(Math.max(0, this.active) + by * Math.max(1, Math.floor(this.root.clientHeight / this.height) - 2));
  }

  current() {
    return this.pages.row(this.active);
  }

  atTop() {
    return this.root.scrollTop < this.height;
  }

  // n new rows stand above: what is seen stays where it is, unless the top is seen.
  grown(n) {
    const top = this.root.scrollTop;
    const stay = !this.atTop();
    if (this.active >= 0) this.active += n;
    this.fresh = stay ? 0 : n;
    clearTimeout(this.aging);
    this.aging = setTimeout(() => (this.fresh = 0), FRESH_MS);
    this.renew();
    if (stay) this.root.scrollTop = top + n * this.height;
    this.draw();
  }

  // Another query: from the top.
  reset() {
    Object.assign(this, { active: -1, error: null, fresh: 0, asked: false });
    this.root.scrollTop = 0;
    this.renew();
  }

  // As it stood when it was left.
  restore({ active, scroll }) {
    this.active = active;
    this.renew();
    this.root.scrollTop = scroll;
    if (active >= 0) this.show(active);
    this.renew();
  }
}
