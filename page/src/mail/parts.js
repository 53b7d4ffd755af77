// The parts of a mail: names, sizes, types as declared and as found, hashes, members of archives; and its URLs, which lead nowhere.

import { el } from "../dom.js";
import { bytes, plural } from "../format.js";
import { copyButton, label, mono, urlText, wire } from "../parts/text.js";
import { few, firstRows } from "./panel.js";
import { pivot } from "./pivot.js";
import { typesDiffer } from "./types.js";

function typeCell(part) {
  const other = part.mime_type && part.mime_type !== part.type;
  return [el("div", {}, part.type ? mono(part.type) : el("span", { class: "dim" }, "not declared")), other ? el("div", {}, el("span", { class: "dim" }, "is "), mono(part.mime_type), typesDiffer(part.type, part.mime_type) ? [" ", label("differs", "warn", "The first bytes say another type than the mail declares")] : null) : null, part.encoding ? el("div", { class: "dim" }, wire(part.encoding)) : null];
}

function nameCell(part, odd) {
  return [
    el("div", { class: "part-name" }, part.name !== undefined ? pivot("file", part.name) : el("span", { class: "dim" }, `part ${part.part ?? "?"}`), part.disposition ? [" ", el("span", { class: "dim" }, wire(part.disposition))] : null),
    part.name_raw ? el("div", { class: "dim" }, "written ", mono(part.name_raw)) : null,
    part.attached ? el("div", { class: "dim" }, "a mail", part.attached.from ? [" from ", wire(part.attached.from)] : null, part.attached.subject ? [": ", wire(part.attached.subject)] : null) : null,
    el("div", { class: "part-labels" }, part.encrypted ? label("takes a password", "warn") : null, part.nested ? label("archive in the archive", "warn") : null, (part.anomalies ?? []).map((name) => label(name, "warn", odd.get(name)))),
    part.members?.length ? members(part.members) : null,
  ];
}

function members(rows) {
  return el("details", { class: "fold", open: rows.length <= 8 }, el("summary", {}, plural(rows.length, "member")), el("div", { class: "fold-body" }, few(rows, 30, (member) => [pivot("file", member.name ?? ""), member.size !== undefined ? el("span", { class: "dim" }, ` ${bytes(member.size)}`) : null, member.encrypted ? [" ", label("password", "warn")] : null, member.archive ? [" ", label("archive")] : null], "members")));
}

function hashCell(part) {
  const row = (name, value) => (value ? el("div", { class: "hash" }, el("span", { class: "dim" }, `${name} `), name === "SHA-256" ? pivot("hash", value, { text: `${value.slice(0, 16)}…`, code: true }) : mono(`${value.slice(0, 16)}…`), copyButton(value, name)) : null);
  const even = part.entropy !== undefined ? el("div", { class: "dim", title: "Bits per byte: 4 to 5 for text, near 8 for what is compressed or encrypted" }, `entropy ${part.entropy.toFixed(1)}`) : null;
  return [row("SHA-256", part.sha256), row("SHA-1", part.sha1), row("MD5", part.md5), even, part.extracted ? el("div", { class: "dim" }, "kept as ", mono(part.extracted)) : null];
}

// odd: a map of the names of anomalies to their sentences.
export function partsTable(record, odd) {
  const rows = [...(record.files ?? []), ...(record.parts ?? [])].sort((a, b) => (a.part ?? 0) - (b.part ?? 0));
  if (!rows.length) return null;
  const columns = [
    { key: "name", label: "Part", cell: (part) => nameCell(part, odd) },
    { key: "type", label: "Type", cell: typeCell },
    { key: "size", label: "Size", number: true, cell: (part) => bytes(part.size) },
    { key: "hash", label: "Hashes", cell: hashCell },
  ];
  return firstRows(columns, rows, 50, "parts", { caption: "Parts", rowClass: (part) => `depth-${Math.min(4, part.depth ?? 0)}` });
}

export function urlList(record) {
  const rows = record.urls ?? [];
  if (!rows.length) return null;
  return few(rows, 20, (row) => [
    urlText(row.url),
    row.unwrapped ? el("div", { class: "url-more" }, el("span", { class: "dim" }, "leads to "), urlText(row.unwrapped)) : null,
    el("div", { class: "url-more dim" }, row.host ? ["host ", pivot("url", row.host), " "] : null, row.host_unicode ? ["(", wire(row.host_unicode), ") "] : null, row.source === "html" ? "in HTML" : "in the text", row.part !== undefined ? `, part ${row.part}` : "", row.text ? [" ", label("shows another host", "warn"), " ", wire(row.text)] : null),
  ], "URLs");
}
