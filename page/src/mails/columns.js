// The columns of the list of mails: what each shows, of which fields of the record, how wide. The order here is the order on the screen.

import { el } from "../dom.js";
import { bytes, count, dateTime, plural } from "../format.js";
import { icon } from "../parts/icons.js";
import { badge, countryName, mono, time, wire } from "../parts/text.js";
import { pref, setPref } from "../prefs.js";
import { visible } from "../visible.js";

const none = () => el("span", { class: "dim", "aria-hidden": "true" }, "–");
const list = (value) => (Array.isArray(value) ? value : []);

function recipients(mail) {
  const all = list(mail.rcptto);
  if (!all.length) return none();
  return [wire(all[0]), all.length > 1 ? el("span", { class: "more", title: visible(all.slice(1, 20).join(", ")) }, ` +${all.length - 1}`) : null];
}

function files(mail) {
  const n = list(mail.files).length;
  if (!n) return null;
  return el("span", { class: "clip", title: visible(list(mail.files).map((file) => file.name).filter(Boolean).join(", ")), "aria-label": plural(n, "file") }, icon("clip"), n);
}

function anomalies(mail) {
  const all = list(mail.anomalies);
  if (!all.length) return null;
  return el("span", { class: "label label-warn", title: all.map((one) => one.name).join("\n"), "aria-label": plural(all.length, "anomaly", "anomalies") }, icon("warn"), all.length);
}

function reply(mail) {
  if (!mail.reply) return none();
  const { code, enhanced, text } = mail.reply;
  return el("span", { title: visible(text ?? "") }, mono([code, enhanced].filter(Boolean).join(" ")), " ", wire(text ?? "", { class: "dim" }));
}

const subject = (mail) => (mail.subject ? wire(mail.subject) : el("span", { class: "dim" }, mail.subject === "" ? "(empty subject)" : "(no subject)"));

export const COLUMNS = [
  { key: "time", label: "Time", fields: ["ts"], width: "140px", cell: (mail) => time(mail.ts, dateTime) },
  { key: "outcome", label: "Outcome", fields: ["disposition"], width: "98px", cell: (mail) => badge(mail.disposition) },
  { key: "from", label: "From", fields: ["mailfrom"], width: "minmax(88px, 1.2fr)", cell: (mail) => (mail.mailfrom === undefined ? none() : wire(mail.mailfrom)) },
  { key: "to", label: "To", fields: ["rcptto"], width: "minmax(88px, 1.2fr)", cell: recipients },
  { key: "subject", label: "Subject", fields: ["subject"], width: "minmax(120px, 2fr)", cell: subject },
  { key: "sender", label: "Header From", fields: ["from"], width: "minmax(110px, 1.2fr)", cell: (mail) => (mail.from ? wire(mail.from) : none()), extra: true },
  { key: "reply", label: "Reply", fields: ["reply"], width: "minmax(120px, 1.3fr)", cell: reply, extra: true },
  { key: "size", label: "Size", fields: ["message_bytes"], width: "66px", number: true, cell: (mail) => (mail.message_bytes === undefined ? none() : bytes(mail.message_bytes)) },
  { key: "files", label: "Files", fields: ["files"], width: "40px", cell: files },
  { key: "tls", label: "TLS", fields: ["tls"], width: "42px", cell: (mail) => (mail.tls ? el("span", { class: "label label-good" }, "TLS") : el("span", { class: "dim" }, "no")) },
  { key: "country", label: "Origin", title: "Country where the mail comes from", fields: ["origin"], width: "48px", cell: (mail) => countryName(mail.origin?.country) ?? none() },
  { key: "asn", label: "Network", fields: ["origin"], width: "minmax(90px, .7fr)", cell: (mail) => (mail.origin?.asn ? el("span", { title: visible(mail.origin.as_name ?? "") }, `AS${mail.origin.asn} `, wire(mail.origin.as_name ?? "", { class: "dim" })) : none()), extra: true },
  { key: "odd", label: "Odd", title: "Anomalies", fields: ["anomalies"], width: "50px", cell: anomalies },
  { key: "client", label: "Client", fields: ["id.orig_h"], width: "minmax(112px, .7fr)", cell: (mail) => mono(mail["id.orig_h"]), extra: true },
  { key: "server", label: "Server", fields: ["id.resp_h"], width: "minmax(112px, .7fr)", cell: (mail) => mono(mail["id.resp_h"]), extra: true },
  { key: "rcpts", label: "Rcpts", title: "Number of recipients", fields: ["rcptto"], width: "52px", number: true, cell: (mail) => count(list(mail.rcptto).length), extra: true },
  { key: "agent", label: "Program", fields: ["agent"], width: "minmax(90px, .6fr)", cell: (mail) => (mail.agent?.name ? wire(mail.agent.name) : none()), extra: true },
  { key: "tags", label: "Tags", fields: ["tags"], width: "minmax(70px, .5fr)", cell: (mail) => list(mail.tags).map((tag) => el("span", { class: "label label-info" }, wire(tag))), extra: true },
  { key: "sensor", label: "Sensor", title: "Sensor that saw it", fields: ["sensor"], width: "minmax(70px, .5fr)", cell: (mail) => (mail.sensor ? wire(mail.sensor) : none()), extra: true },
  { key: "uid", label: "Connection", fields: ["uid"], width: "170px", cell: (mail) => mono(mail.uid), extra: true },
];
const STANDARD = COLUMNS.filter((column) => !column.extra).map((column) => column.key);

// Those of the address, else those kept, else the standard ones; names that are none are left out.
export function chosenColumns(query) {
  const wanted = query.cols ? query.cols.split(",") : pref("columns", STANDARD);
  const found = COLUMNS.filter((column) => Array.isArray(wanted) && wanted.includes(column.key));
  return found.length ? found : COLUMNS.filter((column) => STANDARD.includes(column.key));
}

// Keeps them, and gives what stands in the address: null for the standard ones.
export function keepColumns(keys) {
  setPref("columns", keys);
  const text = COLUMNS.filter((column) => keys.includes(column.key)).map((column) => column.key).join(",");
  return text === STANDARD.join(",") ? null : text;
}

export function fieldsOf(columns) {
  return [...new Set(["ts", ...columns.flatMap((column) => column.fields), "disposition", "subject", "mailfrom", "rcptto"])].join(",");
}
