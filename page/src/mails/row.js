// A row of the list of mails, and what happens when one is pressed.

import { el } from "../dom.js";
import { visible } from "../visible.js";

// mail null: its page is asked for again.
export function listRow(i, mail, columns, { active, fresh }) {
  const attributes = { role: "row", id: `mail-row-${i}`, "aria-rowindex": String(i + 2), dataset: { i } };
  if (!mail) return el("div", { ...attributes, class: "list-row is-waiting" }, el("div", { role: "gridcell", class: "cell" }, "…"));
  const link = (columns.find((column) => column.key === "subject") ?? columns[0]).key;
  return el("div", { ...attributes, class: `list-row ${active ? "is-active" : ""} ${fresh ? "is-fresh" : ""}`.trim(), "aria-selected": String(active) }, columns.map((column) => cell(mail, column, column.key === link)));
}

function cell(mail, column, link) {
  const content = column.cell(mail);
  const title = column.key === "subject" || column.key === "from" ? visible(String(mail[column.fields[0]] ?? "")) : null;
  return el("div", { role: "gridcell", class: `cell cell-${column.key} ${column.number ? "number" : ""}`.trim(), title }, link ? el("a", { class: "list-link", href: `/mails/${mail.id}`, tabindex: "-1" }, content) : content);
}

// All of a row leads to its mail, but text in it can be marked; links and buttons in it are their own.
export function openPressed(event, mailAt, open) {
  const node = event.target.closest(".list-row");
  if (!node || event.target.closest("a, button") || !getSelection().isCollapsed) return;
  const mail = mailAt(Number(node.dataset.i));
  if (!mail) return;
  if (event.button === 1 || event.ctrlKey || event.metaKey) globalThis.open(`/mails/${mail.id}`, "_blank", "noopener");
  else if (event.button === 0) open(mail);
}
