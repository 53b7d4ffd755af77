// A titled box of the views of a mail and of a session. Where there is nothing to show it is not there.

import { el } from "../dom.js";
import { count } from "../format.js";
import { table } from "../parts/table.js";

// content: nodes; null or an empty list: no panel. note: words beside the title; tools: buttons.
export function panel(title, content, { note, tools, id, flush = false } = {}) {
  const nodes = [content].flat(Infinity).filter((node) => node !== null && node !== undefined && node !== false);
  if (!nodes.length) return null;
  return el("section", { class: "panel", id, "aria-label": title }, el("div", { class: "panel-head" }, el("h2", {}, title), note ? el("span", { class: "dim" }, note) : null, tools ? el("div", { class: "panel-tools" }, tools) : null), el("div", { class: flush ? "panel-flush" : "panel-body" }, nodes));
}

// The first rows of a long list, then a button that shows the others.
export function few(rows, n, make, what) {
  const list = el("ul", { class: "plain-list" }, rows.slice(0, n).map((row) => el("li", {}, make(row))));
  if (rows.length <= n) return list;
  const more = el("button", { type: "button", class: "button-text", on: { click: () => {
    more.replaceWith();
    list.append(...rows.slice(n).map((row) => el("li", {}, make(row))));
  } } }, `Show ${rows.length - n} more ${what}`);
  return [list, more];
}

// A table of the first n rows, then a button that shows all of them.
export function firstRows(columns, rows, n, what, options) {
  const made = table(columns, rows.slice(0, n), options);
  if (rows.length <= n) return made.root;
  const more = el("button", { type: "button", class: "button-text table-more", on: { click: () => {
    made.update(rows);
    more.remove();
  } } }, `Show all ${count(rows.length)} ${what}`);
  return [made.root, more];
}
