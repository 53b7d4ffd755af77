// What stands beside a mail: what is odd in it, its notices, other mails near it, the record itself.

import { button, el } from "../dom.js";
import { dateTime } from "../format.js";
import { badge, copy, label, mono, time, wire } from "../parts/text.js";

export const FLAGS = { gap: "Bytes that the tap did not see lie in it.", one_sided: "Only one direction was seen.", midstream: "The connection's beginning was not seen.", truncated: "A limit cut a field or a list.", path_cut: "The path was stopped early by a setting.", ambiguous: "Copies of the same bytes differed: the receiver may have read other bytes.", unfinished: "The end of the message was not seen." };

export function flagLabels(record) {
  const { flags } = record;
  return (Array.isArray(flags) ? flags : Object.keys(flags ?? {})).map((flag) => label(flag.replaceAll("_", " "), "warn", FLAGS[flag]));
}

// rows: [{name, text, offset, explained}]
export function anomalies(rows) {
  if (!rows?.length) return null;
  return el("ul", { class: "odd-list" }, rows.map((row) => el("li", {}, el("div", {}, el("a", { class: "odd-name mono", href: `/mails?q=${encodeURIComponent(`anomaly:${row.name}`)}&since=30d` }, row.name), row.offset !== undefined ? el("span", { class: "dim" }, ` at byte ${row.offset}`) : null), row.explained ? el("p", {}, row.explained) : null, row.text ? el("p", { class: "odd-text" }, mono(row.text)) : null)));
}

const MOST_LINES = 5000;
const STATES = { open: "bad", acknowledged: "good", muted: null };

export function noticeList(rows) {
  if (!rows?.length) return null;
  return el("ul", { class: "odd-list" }, rows.map((row) => el("li", {}, el("div", {}, el("a", { href: `/notices/${encodeURIComponent(row.id)}` }, wire((row.note ?? "").replace(/^SMTP::/, "").replaceAll("_", " "))), " ", row.state ? label(row.state, STATES[row.state]) : null), row.msg ? el("p", {}, wire(row.msg)) : null, el("p", { class: "dim" }, time(row.ts), row.list ? [" ", wire(row.list)] : null))));
}

// Other mails, as short rows; those of the same connection are marked.
export function mailRows(rows, uid) {
  if (!rows?.length) return null;
  return el("ul", { class: "near-list" }, rows.map((row) => el("li", {}, el("a", { class: "near", href: `/mails/${row.id}` },
    el("span", { class: "near-head" }, badge(row.disposition), el("span", { class: "dim" }, time(row.ts, dateTime)), uid && row.uid === uid ? label("same connection", "info") : null),
    el("span", { class: "near-subject" }, row.subject ? wire(row.subject) : el("span", { class: "dim" }, "(no subject)")),
    el("span", { class: "near-people dim" }, wire(row.mailfrom ?? "–"), " → ", wire(row.rcptto?.[0] ?? "–"), row.rcptto?.length > 1 ? ` +${row.rcptto.length - 1}` : "")))));
}

function save(text, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

function rawLines(text) {
  const lines = text.split("\n");
  const rest = lines.length > MOST_LINES ? [el("strong", {}, `… ${lines.length - MOST_LINES} more lines: copy or download it.`)] : [];
  return [...lines.slice(0, MOST_LINES).flatMap((line) => [wire(line), "\n"]), ...rest];
}

// The record as pretty JSON, made when it is opened. Gives {root, toggle} (for a key).
export function raw(record, name) {
  const text = JSON.stringify(record, null, 2);
  const pre = el("pre", { class: "raw", tabindex: "0", "aria-label": "Record as JSON", hidden: true });
  const toggle = () => {
    if (!pre.hasChildNodes()) pre.append(...rawLines(text));
    pre.hidden = !pre.hidden;
    press.setAttribute("aria-expanded", String(!pre.hidden));
  };
  const press = button("Record as JSON", toggle, { class: "raw-toggle", "aria-expanded": "false" });
  const tools = el("div", { class: "panel-tools" }, button("Copy", () => copy(text, "Record copied"), { class: "button" }), button("Download", () => save(`${text}\n`, name), { class: "button" }));
  return { root: el("section", { class: "panel raw-box", "aria-label": "Record" }, el("div", { class: "panel-head" }, el("h2", {}, press), tools), pre), toggle };
}
