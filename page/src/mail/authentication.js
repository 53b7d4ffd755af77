// What the header says of the sender's authentication: who claims it, and whether that one is trusted. Nothing here was verified by mailtap.

import { el } from "../dom.js";
import { dateTime } from "../format.js";
import { properties, table } from "../parts/table.js";
import { label, mono, wire } from "../parts/text.js";
import { pivot } from "./pivot.js";

const TONES = { pass: "good", fail: "bad", softfail: "warn", permerror: "warn", temperror: "warn", policy: "warn" };
const SIGNS = { good: "✓", bad: "✕", warn: "!" };

export function result(text) {
  const tone = TONES[text];
  return label(`${SIGNS[tone] ? `${SIGNS[tone]} ` : ""}${text ?? "not checked"}`, tone);
}

const ALIGNED = { strict: ["the same domain as From", "good"], relaxed: ["the same organisation as From", "good"], no: ["another domain than From", "warn"] };

function aligned(value) {
  const [text, tone] = ALIGNED[value] ?? [value, null];
  return label(text, tone);
}

function resultsTable(rows) {
  const columns = [
    { key: "method", label: "Method", cell: (row) => [el("strong", {}, wire((row.method ?? "–").toUpperCase())), row.arc_instance ? el("span", { class: "dim" }, ` ARC ${row.arc_instance}`) : null] },
    { key: "result", label: "Result", cell: (row) => result(row.result) },
    { key: "who", label: "Written by", cell: (row) => [row.authserv_id ? mono(row.authserv_id) : el("span", { class: "dim" }, "not told"), " ", row.trusted ? label("trusted", "good", "Its name is in trusted_authserv") : label("not trusted", null, "Its name is not in trusted_authserv: who sent the mail may have made this up")] },
    { key: "why", label: "Rests on", cell: (row) => [(row.properties ?? []).map((text) => el("div", {}, mono(text))), row.reason ? el("div", {}, wire(row.reason)) : null, row.comment ? el("div", { class: "dim" }, wire(row.comment)) : null] },
  ];
  return table(columns, rows, { caption: "Results of authentication" }).root;
}

function spfRows(rows) {
  return rows.map((row) => el("div", { class: "auth-line" }, el("strong", {}, "Received-SPF"), " ", result(row.result), " ", row.receiver ? ["by ", mono(row.receiver), " "] : null, row.envelope_from ? ["for ", wire(row.envelope_from), " "] : null, row.client_ip ? ["from ", mono(row.client_ip), " "] : null, row.mechanism ? ["by ", mono(row.mechanism), " "] : null, row.problem ? [wire(row.problem), " "] : null, row.comment ? el("div", { class: "dim" }, wire(row.comment)) : null));
}

function dkimRows(rows) {
  return rows.map((row) => el("div", { class: "auth-line" }, el("strong", {}, "DKIM-Signature"), " of ", row.domain ? pivot("dkim", row.domain) : "–", el("span", { class: "dim" }, " selector ", mono(row.selector ?? "–"), row.algorithm ? [", ", mono(row.algorithm)] : null, row.identity ? [", for ", wire(row.identity)] : null, row.time ? `, signed ${dateTime(row.time)}` : null, row.expires ? `, until ${dateTime(row.expires)}` : null), row.length_limited ? [" ", label("only the beginning is signed (l=)", "warn")] : null));
}

function arcRows(rows) {
  return rows.map((row) => el("div", { class: "auth-line" }, el("strong", {}, `ARC ${row.instance ?? "?"}`), " sealed by ", mono(row.domain ?? "–"), " chain ", result(row.cv), row.message_domain && row.message_domain !== row.domain ? [" signed by ", mono(row.message_domain)] : null));
}

// Nodes, or null where the header says nothing.
export function authentication(record) {
  const auth = record.authentication;
  if (!auth) return null;
  const lines = [...spfRows(auth.spf ?? []), ...dkimRows(auth.dkim ?? []), ...arcRows(auth.arc ?? [])];
  const rows = properties([["Envelope sender", auth.aligned_spf ? aligned(auth.aligned_spf) : null], ["Signature", auth.aligned_dkim ? aligned(auth.aligned_dkim) : null]]);
  return [auth.results?.length ? resultsTable(auth.results) : null, rows, lines.length ? el("div", { class: "auth-lines" }, lines) : null].filter(Boolean);
}
