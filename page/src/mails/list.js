// The list of mails on the screen: only the rows that are seen stand in the document, however many there are. Rows have one height, which the style sheet gives.
// In: pages (mails/pages.js), columns. Out: open(mail), moved() when it was scrolled, settled() when more came. The list itself has the focus; the active row is told by aria-activedescendant.

import { button, clear, el } from "../dom.js";
import { dateTime } from "../format.js";
import { failure } from "../parts/states.js";
import { visible } from "../visible.js";

const AROUND = 8;
const AHEAD = 60;
// Answers without a mail after which one is asked whether to search on.
const ROUNDS = 8;

export function mailList({ pages, open, moved, settled }) {
  const state = { columns: [], active: -1, height: 34, nodes: new Map(), from: 0, error: null, fresh: 0, asked: false };
  const head = el("div", { class: "list-head", role: "row", "aria-rowindex": "1" });
  const rows = el("div", { class: "list-rows", role: "rowgroup" });
  const foot = el("div", { class: "list-foot", role: "status" });
  const space = el("div", { class: "list-space", role: "presentation" }, rows);
  const grid = el("div", { class: "list-grid", role: "grid", tabindex: "0", "aria-label": "Mails, newest first" }, el("div", { role: "rowgroup", class: "list-top" }, head), space);
  const root = el("div", { class: "list" }, grid, foot);

  function setColumns(columns) {
    state.columns = columns;
    root.style.setProperty("--columns", columns.map((column) => column.width).join(" "));
    grid.setAttribute("aria-colcount", String(columns.length));
    clear(head, columns.map((column) => el("div", { role: "columnheader", class: `cell cell-${column.key} ${column.number ? "number" : ""}`.trim(), title: column.title }, column.label)));
    renew();
  }

  // All that is seen, made anew.
  function renew() {
    state.nodes.clear();
    const height = parseFloat(getComputedStyle(root).getPropertyValue("--row"));
    if (height > 0) state.height = height;
    draw();
  }

  function row(i) {
    const mail = pages.row(i);
    const attributes = { class: `list-row ${i === state.active ? "is-active" : ""} ${i < state.fresh ? "is-fresh" : ""}`, role: "row", id: `mail-row-${i}`, "aria-rowindex": String(i + 2), dataset: { i } };
    if (!mail) return el("div", { ...attributes, class: "list-row is-waiting" }, el("div", { role: "gridcell", class: "cell" }, "…"));
    const link = (state.columns.find((column) => column.key === "subject") ?? state.columns[0]).key;
    return el("div", { ...attributes, "aria-selected": String(i === state.active) }, state.columns.map((column) => {
      const content = column.cell(mail);
      const title = column.key === "subject" || column.key === "from" ? visible(String(mail[column.fields[0]] ?? "")) : null;
      return el("div", { role: "gridcell", class: `cell cell-${column.key} ${column.number ? "number" : ""}`.trim(), title }, column.key === link ? el("a", { class: "list-link", href: `/mails/${mail.id}`, tabindex: "-1" }, content) : content);
    }));
  }

  function draw() {
    const top = Math.max(0, root.scrollTop);
    const from = Math.max(0, Math.floor(top / state.height) - AROUND);
    const to = Math.min(pages.total, Math.ceil((top + root.clientHeight) / state.height) + AROUND);
    for (const i of state.nodes.keys()) if (i < from || i >= to) state.nodes.delete(i);
    for (let i = from; i < to; i++) if (!state.nodes.has(i)) state.nodes.set(i, row(i));
    space.style.setProperty("block-size", `${pages.total * state.height}px`);
    rows.style.setProperty("transform", `translateY(${from * state.height}px)`);
    const wanted = [...state.nodes.keys()].sort((a, b) => a - b).map((i) => state.nodes.get(i));
    if (wanted.length !== rows.childElementCount || wanted.some((node, i) => rows.children[i] !== node)) rows.replaceChildren(...wanted);
    grid.setAttribute("aria-rowcount", String(pages.done ? pages.total + 1 : -1));
    if (state.active >= 0 && state.nodes.has(state.active)) grid.setAttribute("aria-activedescendant", `mail-row-${state.active}`);
    else grid.removeAttribute("aria-activedescendant");
    drawFoot();
    want(from, to);
  }

  function drawFoot() {
    if (state.error) return clear(foot, failure(state.error, again));
    if (pages.done || pages.full) return clear(foot, !pages.total ? null : pages.full ? "The list ends here: narrow the search or the time to see older ones." : "No older ones.");
    const far = pages.searchedTo !== null && !pages.complete ? ` Searched back to ${dateTime(pages.searchedTo)}.` : "";
    if (pages.idle < ROUNDS) return clear(foot, pages.total || far ? `Looking for older ones …${far}` : null);
    return clear(foot, `Nothing more found yet.${far} `, button("Search on", () => {
      pages.idle = 0;
      draw();
    }, { class: "button" }));
  }

  // Asks for what is missing, and for older ones before the end is reached.
  function want(from, to) {
    if (state.error) return;
    const missing = pages.need(from, to - 1);
    if (missing) missing.then(renew, stopped);
    if (!pages.done && to + AHEAD >= pages.total && !state.asked && pages.idle < ROUNDS) {
      const more = pages.more();
      if (!more) return;
      state.asked = true;
      more.then(() => {
        state.asked = false;
        draw();
        settled?.();
      }, stopped);
    }
  }

  function stopped(error) {
    state.asked = false;
    if (error.name === "AbortError") return;
    state.error = error;
    drawFoot();
  }

  function again() {
    state.error = null;
    draw();
  }

  function activate(i, { focus = true } = {}) {
    if (!pages.total) return;
    const next = i < 0 && state.active >= 0 && !focus ? -1 : Math.max(0, Math.min(pages.total - 1, i));
    const last = state.active;
    state.active = next;
    for (const one of [last, next]) state.nodes.delete(one);
    if (next < 0) return void draw();
    const bar = head.offsetHeight;
    const y = next * state.height;
    if (y < root.scrollTop) root.scrollTop = y;
    else if (y + state.height > root.scrollTop + root.clientHeight - bar) root.scrollTop = y + state.height - root.clientHeight + bar;
    if (focus && document.activeElement !== grid) grid.focus({ preventScroll: true });
    draw();
  }

  function press(event) {
    const node = event.target.closest(".list-row");
    if (!node || event.target.closest("a, button") || !getSelection().isCollapsed) return;
    const mail = pages.row(Number(node.dataset.i));
    if (!mail) return;
    if (event.button === 1 || event.ctrlKey || event.metaKey) globalThis.open(`/mails/${mail.id}`, "_blank", "noopener");
    else if (event.button === 0) open(mail);
  }

  root.addEventListener("click", press);
  root.addEventListener("auxclick", press);
  let due = 0;
  root.addEventListener("scroll", () => {
    if (!due) due = requestAnimationFrame(() => {
      due = 0;
      draw();
      moved?.();
    });
  }, { passive: true });
  const size = new ResizeObserver(() => renew());
  size.observe(root);

  return {
    root,
    focus: () => grid.focus({ preventScroll: true }),
    setColumns,
    renew,
    activate,
    state,
    step: (by) => activate(state.active < 0 ? Math.floor(root.scrollTop / state.height) + (by > 0 ? 0 : by) : state.active + by),
    page: (by) => activate((state.active < 0 ? 0 : state.active) + by * Math.max(1, Math.floor(root.clientHeight / state.height) - 2)),
    current: () => pages.row(state.active),
    atTop: () => root.scrollTop < state.height,
    // New rows stand above: what is seen stays where it is, unless the top is seen.
    grown(n) {
      const stay = root.scrollTop >= state.height;
      if (state.active >= 0) state.active += n;
      state.fresh = stay ? 0 : n;
      const top = root.scrollTop;
      renew();
      if (stay) root.scrollTop = top + n * state.height;
      draw();
    },
    // Another query: from the top.
    reset() {
      Object.assign(state, { active: -1, error: null, fresh: 0, asked: false });
      root.scrollTop = 0;
      renew();
    },
    stop: () => size.disconnect(),
  };
}
