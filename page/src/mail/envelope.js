// The envelope, what became of each recipient, and how long it took.

import { el } from "../dom.js";
import { bytes, count, duration } from "../format.js";
import { properties } from "../parts/table.js";
import { badge, hostLink, label, mono, wire } from "../parts/text.js";
import { firstRows } from "./panel.js";
import { pivot } from "./pivot.js";

const STAGES = { connect: "the connection", helo: "the greeting", mail: "the sender (MAIL)", rcpt: "a recipient (RCPT)", data: "DATA", content: "the message" };

// A reply as code, enhanced code and text.
export function replyText(reply) {
  return [mono([reply.code, reply.enhanced].filter(Boolean).join(" ")), reply.text ? [" ", wire(reply.text)] : null];
}

function outcomeOf(row) {
  if (row.accepted === true) return badge("accepted");
  if (row.accepted === false) return badge(row.code >= 400 && row.code < 500 ? "deferred" : "rejected");
  return badge("unknown");
}

export function envelope(record) {
  const params = record.mail_params ?? {};
  const extra = [params.size !== undefined ? `SIZE ${bytes(params.size)}` : null, params.body, params.smtputf8 ? "SMTPUTF8" : null, params.requiretls ? "REQUIRETLS" : null, params.ret ? `RET ${params.ret}` : null, params.envid ? `ENVID ${params.envid}` : null, params.auth ? `AUTH ${params.auth}` : null, ...(params.others ?? [])].filter(Boolean);
  const rows = properties([
    ["Client", [hostLink(record["id.orig_h"]), el("span", { class: "dim" }, ` port ${record["id.orig_p"]}`), record.helo ? [" calls itself ", pivot("helo", record.helo)] : null]],
    ["Server", [hostLink(record["id.resp_h"]), el("span", { class: "dim" }, ` port ${record["id.resp_p"]}`)]],
    ["Sender", record.mailfrom === undefined ? el("span", { class: "dim" }, "not seen") : record.mailfrom === "<>" ? "<> (the null sender)" : pivot("from", record.mailfrom)],
    ["Parameters", extra.length ? extra.map((text) => label(text)) : null],
    ["Decided by", record.reply ? [replyText(record.reply), el("span", { class: "dim" }, `, the reply to ${STAGES[record.reply.stage] ?? record.reply.stage}`)] : null],
    ["Queue id", record.queue_id ? pivot("queue", record.queue_id, { code: true }) : null],
    ["Last error", record.last_error && record.last_error !== record.last_reply ? wire(record.last_error) : null],
    ["Last reply", record.last_reply && !record.reply ? wire(record.last_reply) : null],
    ["Transaction", record.trans_depth > 1 ? `number ${count(record.trans_depth)} of its connection` : null],
  ]);
  return [rows, recipients(record)];
}

function recipients(record) {
  const rows = record.rcpt ?? (record.rcptto ?? []).map((addr) => ({ addr }));
  if (!rows.length) return el("p", { class: "dim envelope-none" }, "No recipient was named.");
  const columns = [
    { key: "addr", label: "Recipient", cell: (row) => [pivot("rcpt", row.addr), row.orcpt ? el("div", { class: "dim" }, "was ", wire(row.orcpt)) : null, row.notify || row.params?.length ? el("div", { class: "dim" }, wire([row.notify ? `NOTIFY ${row.notify}` : null, ...(row.params ?? [])].filter(Boolean).join(" "))) : null] },
    { key: "outcome", label: "Outcome", cell: outcomeOf },
    { key: "reply", label: "Reply", cell: (row) => (row.code ? replyText(row) : el("span", { class: "dim" }, "not seen")) },
  ];
  return el("div", { class: "envelope-rcpts" }, firstRows(columns, rows, 20, "recipients", { caption: "Recipients and what became of each" }));
}

const PHASES = [["envelope", "Envelope", "From the first command to the go-ahead for the message"], ["transfer", "Transfer", "From there to the message's end"], ["answer", "Answer", "From there to the server's reply"]];

// The phases as one bar and three numbers; null where none was measured.
export function phases(record) {
  const seconds = record.seconds ?? {};
  const known = PHASES.filter(([key]) => seconds[key] !== undefined && seconds[key] !== null);
  if (!known.length) return null;
  const whole = known.reduce((sum, [key]) => sum + seconds[key], 0);
  const bar = el("div", { class: "phases-bar", "aria-hidden": "true" });
  for (const [key] of known) {
    const part = el("span", { class: `phase phase-${key}` });
    part.style.setProperty("flex-grow", String(Math.max(0.005, whole ? seconds[key] / whole : 1)));
    bar.append(part);
  }
  return [bar, el("dl", { class: "phases" }, known.map(([key, name, title]) => el("div", { title }, el("dt", {}, el("span", { class: `phase-dot phase-${key}`, "aria-hidden": "true" }), name), el("dd", {}, duration(seconds[key])))))];
}

