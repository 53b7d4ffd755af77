// One mail: what became of it, its way, its envelope, header, parts; its session and neighbours; the record itself.

import { fieldsKnown, get } from "../api.js";
import { button, el } from "../dom.js";
import { bytes, plural } from "../format.js";
import { keys } from "../keys.js";
import { anomalies, flagLabels, mailRows, noticeList, raw } from "../mail/about.js";
import { authentication } from "../mail/authentication.js";
import { envelope, phases, replyText } from "../mail/envelope.js";
import { headers } from "../mail/headers.js";
import { panel } from "../mail/panel.js";
import { partsTable, urlList } from "../mail/parts.js";
import { pathLine } from "../mail/path.js";
import { pivot } from "../mail/pivot.js";
import { logins, sessionHref, sessionRows, tlsRows } from "../mail/session.js";
import { beside, inList, listAddress } from "../mails/memory.js";
import { back, go } from "../navigate.js";
import { say } from "../parts/live.js";
import { badge, copyButton, countryName, label, time, wire } from "../parts/text.js";

export const pattern = "/mails/:id";
export const title = "Mail";

const oddNames = async () => new Map((await fieldsKnown()).anomalies.map((one) => [one.name, one.explained]));

export async function render(root, route) {
  const { id } = route.params;
  const [mail, odd] = await Promise.all([get(`/mails/${encodeURIComponent(id)}`), oddNames().catch(() => new Map())]);
  const { record, session } = mail;
  document.title = `${record.subject || "(no subject)"} · mailtap`;
  const box = raw(record, `mailtap-${id}.json`);
  root.append(toolbar(id), head(mail), panel("Path", pathLine(record, session)), el("div", { class: "mail-columns" }, main(mail, odd), side(mail, odd)), box.root);
  const next = async (by) => {
    const other = await beside(id, by);
    if (other) go(`/mails/${other}`, { replace: true });
    else say(by > 0 ? "No older mail in the list" : "No newer mail in the list");
  };
  keys([
    ["Escape", () => back(listAddress()), "Back to the list"],
    [["j", "ArrowRight"], () => next(1), "Next mail of the list (older)"],
    [["k", "ArrowLeft"], () => next(-1), "Mail before (newer)"],
    ["s", () => session && go(sessionHref(record)), "Its session"],
    ["x", () => {
      box.toggle();
      box.root.scrollIntoView();
    }, "Show the record as JSON"],
  ]);
}

function toolbar(id) {
  const step = async (by) => {
    const other = await beside(id, by);
    if (other) go(`/mails/${other}`, { replace: true });
    else say(by > 0 ? "No older mail in the list" : "No newer mail in the list");
  };
  return el("div", { class: "mail-tools" }, button("← Mails", () => back(listAddress()), { class: "button" }), inList(id) ? el("span", { class: "mail-steps" }, button("Newer", () => step(-1), { class: "button" }), button("Older", () => step(1), { class: "button" })) : null, el("span", { class: "dim mail-id" }, "Id ", el("span", { class: "mono" }, id), copyButton(id, "id")));
}

// What one wants to know first, in a few lines.
function head({ record }) {
  const { origin } = record;
  const to = record.rcptto ?? [];
  return el("header", { class: "mail-head" },
    el("h1", { class: "mail-subject" }, record.subject ? wire(record.subject) : el("span", { class: "dim" }, "(no subject)")),
    el("p", { class: "mail-people" }, wire(record.mailfrom ?? "sender not seen"), el("span", { class: "dim" }, " → "), wire(to[0] ?? "no recipient"), to.length > 1 ? el("span", { class: "dim" }, ` and ${plural(to.length - 1, "other")}`) : null),
    el("p", { class: "mail-facts" }, badge(record.disposition), time(record.ts), record.message_bytes !== undefined ? el("span", {}, bytes(record.message_bytes)) : null, record.tls ? label("TLS", "good") : label("in the clear"),
      origin ? el("span", {}, "from ", countryName(origin.country), origin.country ? " " : "", origin.asn ? el("span", { class: "dim" }, `AS${origin.asn} `, wire(origin.as_name ?? "")) : origin.country ? null : wire(origin.ip)) : null,
      record.sensor ? el("span", {}, el("span", { class: "dim" }, "seen by "), pivot("sensor", record.sensor)) : null,
      (record.tags ?? []).map((tag) => label(tag, "info")), flagLabels(record)),
    record.disposition !== "accepted" && record.reply ? el("p", { class: `mail-why why-${record.disposition}` }, replyText(record.reply)) : null);
}

function main({ record }, odd) {
  return el("div", { class: "mail-main" },
    panel("Envelope", envelope(record)),
    panel("Header", headers(record)),
    panel("Authentication", authentication(record), { note: "what the header says; nothing of it was verified" }),
    panel("Parts", partsTable(record, odd), { note: plural((record.files ?? []).length + (record.parts ?? []).length, "part"), flush: true }),
    panel("URLs", urlList(record), { note: `${plural((record.urls ?? []).length, "URL")}, written so that none can be followed by accident` }));
}

function side({ record, session, neighbours, notices, anomalies: rows }, odd) {
  const found = rows?.length ? rows : (record.anomalies ?? []).map((row) => ({ ...row, explained: odd.get(row.name) }));
  return el("aside", { class: "mail-side", "aria-label": "About the mail" },
    panel("Odd", anomalies(found), { note: plural(found.length, "anomaly", "anomalies") }),
    panel("Notices", noticeList(notices)),
    panel("Time taken", phases(record)),
    session ? panel("Session", [sessionRows(session, { link: true })]) : null,
    session ? panel("TLS", tlsRows(session)) : null,
    session ? panel("Logins", logins(session), { flush: true }) : null,
    panel("Near it", mailRows(neighbours, record.uid), { note: "same connection or client", flush: true }));
}
