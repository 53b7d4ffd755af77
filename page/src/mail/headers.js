// What the header says: people, subject, dates, ids, list, the names and lines of its fields.

import { el } from "../dom.js";
import { duration } from "../format.js";
import { properties } from "../parts/table.js";
import { copyButton, label, mono, urlText, wire } from "../parts/text.js";
import { few } from "./panel.js";
import { mailbox, pivot } from "./pivot.js";

const boxes = (list, field) => (list?.length ? few(list, 8, (box) => mailbox(box, field), "addresses") : null);
const texts = (list) => (list?.length ? few([list].flat(), 8, (text) => wire(text), "addresses") : null);

// How far the header's date is from the time when the mail was seen; a word only where that is much.
function dateNote(record) {
  const written = Date.parse((record.date ?? "").replace(/\([^)]*\)\s*$/, "")) / 1000;
  if (Number.isNaN(written)) return record.date ? label("not readable as a date", "warn") : null;
  const off = record.ts - written;
  if (Math.abs(off) < 3600) return el("span", { class: "dim" }, Math.abs(off) < 2 ? "when it was seen" : `${duration(Math.abs(off))} ${off > 0 ? "before" : "after"} it was seen`);
  return label(`${duration(Math.abs(off))} ${off > 0 ? "before" : "after"} it was seen`, "warn");
}

function otherDomain(record) {
  const [from] = record.addresses?.from ?? [];
  const reply = (record.addresses?.reply_to ?? []).filter((box) => box.domain);
  return from?.domain && reply.length && reply.every((box) => box.domain !== from.domain) ? [" ", label("another domain than From", "warn")] : null;
}

function listRows(list) {
  if (!list) return [];
  const uris = (rows) => (rows?.length ? few(rows, 3, (uri) => urlText(uri), "addresses") : null);
  return [["List", list.id ? pivot("list", list.id) : null], ["Unsubscribe", uris(list.unsubscribe)], ["", list.unsubscribe_post ? wire(list.unsubscribe_post) : null], ["Post", uris(list.post)], ["Archive", uris(list.archive)], ["Owner", uris(list.owner)], ["Help", uris(list.help)], ["Subscribe", uris(list.subscribe)], ["Precedence", list.precedence ? wire(list.precedence) : null]];
}

export function headers(record) {
  const people = record.addresses ?? {};
  const agent = record.agent ? [wire([record.agent.name, record.agent.version].filter(Boolean).join(" ")), record.agent.kind ? [" ", label(record.agent.kind.replaceAll("_", " "))] : null] : null;
  return properties([
    ["From", boxes(people.from, "from") ?? (record.from ? wire(record.from) : null)],
    ["Sender", boxes(people.sender, "from") ?? (record.sender ? wire(record.sender) : null)],
    ["Reply-To", people.reply_to?.length ? [boxes(people.reply_to, "from"), otherDomain(record)] : record.reply_to ? wire(record.reply_to) : null],
    ["To", boxes(people.to, "rcpt") ?? texts(record.to)],
    ["Cc", boxes(people.cc, "rcpt") ?? texts(record.cc)],
    ["Bcc", boxes(people.bcc, "rcpt")],
    ["Return-Path", record.return_path ? wire(record.return_path) : null],
    ["Subject", record.subject !== undefined ? wire(record.subject) : null],
    ["Date", record.date ? [wire(record.date), " ", dateNote(record)] : null],
    ["Message-ID", record.msg_id ? [pivot("msgid", record.msg_id, { code: true }), copyButton(record.msg_id, "Message-ID")] : null],
    ["In-Reply-To", record.in_reply_to ? pivot("msgid", record.in_reply_to, { code: true }) : null],
    ["References", record.references?.length ? few(record.references, 3, (id) => pivot("msgid", id, { code: true }), "references") : null],
    ["Written by", agent],
    ["", record.user_agent && record.user_agent !== record.agent?.name ? mono(record.user_agent, { class: "dim" }) : null],
    ["Auto-Submitted", record.auto_submitted ? wire(record.auto_submitted) : null],
    ["X-Originating-IP", record.x_originating_ip ? mono(record.x_originating_ip) : null],
    ...listRows(record.list),
    ["Fields", fieldNames(record)],
    ["Received", receivedLines(record)],
  ]);
}

function fieldNames(record) {
  if (record.headers?.length) return el("details", { class: "fold" }, el("summary", {}, `All ${record.headers.length} fields with their values`), el("dl", { class: "properties fold-body" }, record.headers.map((field) => [el("dt", { class: "mono" }, wire(field.name)), el("dd", { class: "mono" }, wire(field.value ?? ""))])));
  if (!record.header_names?.length) return null;
  return el("details", { class: "fold" }, el("summary", {}, `${record.header_names.length} in order`), el("p", { class: "fold-body mono" }, record.header_names.map((name) => [wire(name), " "])));
}

function receivedLines(record) {
  const lines = [...new Set([record.second_received, record.first_received].filter(Boolean))];
  return lines.length ? el("details", { class: "fold" }, el("summary", {}, "The oldest lines as written"), el("div", { class: "fold-body" }, lines.map((line) => el("p", { class: "mono received" }, wire(line.replace(/\t/g, " ")))))) : null;
}
