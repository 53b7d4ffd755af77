// One notice: what it says and rests on, what was decided on it, the mail it is about, its whole record.

import { get } from "../api.js";
import { hostHref, mailsHref } from "../dimensions.js";
import { clear, el } from "../dom.js";
import { country, duration, plural } from "../format.js";
import { keepLoaded } from "../loader.js";
import { decisionLine, noticeActions, removalLine } from "../notices/card.js";
import { kindName, meaningOf, stateLabel, titleOf } from "../notices/state.js";
import { sessionHref } from "../mail/session.js";
import { exportMenu } from "../parts/export.js";
import { properties } from "../parts/table.js";
import { copyButton, label, mono, time, wire } from "../parts/text.js";
import { quoted } from "../query.js";
import { address } from "../router.js";

export const pattern = "/notices/:id";
export const title = "Notice";

const MORE = { since: "all" };

function hostCell(host) {
  return host ? el("a", { href: hostHref(host), class: "mono" }, wire(host)) : null;
}

function ends(record) {
  if (!record["id.orig_h"]) return null;
  const port = (value) => (value === undefined || value === null ? "" : ` port ${value}`);
  return [hostCell(record["id.orig_h"]), port(record["id.orig_p"]), " to ", hostCell(record["id.resp_h"]), port(record["id.resp_p"])];
}

function rowsOf(record) {
  const text = (value) => (value === undefined || value === null ? null : wire(value));
  return [
    ["When", time(record.ts)],
    ["Kind", mono(record.note)],
    ["About", [hostCell(record.host ?? record.src), record.local === undefined ? null : record.local ? [" ", label("ours", "warn", "It is in local_nets.")] : el("span", { class: "dim" }, " not one of ours")]],
    ["Country", record.country ? `${record.country} ${country(record.country)}` : null],
    ["Network", record.asn ? el("a", { href: mailsHref(`asn:${record.asn}`, MORE) }, `AS${record.asn}`) : null],
    ["Connection", ends(record)],
    ["Sensor", record.sensor ? el("a", { href: address("/notices", { q: `sensor:${quoted(record.sensor)}`, state: "all", ...MORE }) }, wire(record.sensor)) : null],
    ["Sender", text(record.sender)],
    ["Block list", text(record.list)],
    ["It says", text(record.kind)],
    ["Out of service since", text(record.retired)],
    ["Reply", record.code ? `${record.code} ${record.enhanced ?? ""}`.trim() : null],
    ["Stands for", record.folded ? plural(record.folded, "repeat") : null],
    ["Folded within", record.suppress_for ? duration(record.suppress_for) : null],
    ["Identifier", record.identifier ? mono(record.identifier) : null],
    ["Done by mailtap", (record.actions ?? []).join(", ")],
  ];
}

function links(answer) {
  const { record, mail } = answer;
  const host = record.host ?? record.src;
  return el("nav", { class: "host-links", "aria-label": "What belongs to it" },
    mail ? el("a", { class: "button", href: `/mails/${encodeURIComponent(mail)}` }, "Its mail") : null,
    record.uid ? el("a", { class: "button", href: sessionHref(record) }, "Its connection") : null,
    host ? el("a", { class: "button", href: address("/notices", { q: `host:${host}`, state: "all", ...MORE }) }, "All notices about the host") : null,
    record.note ? el("a", { class: "button", href: address("/notices", { kind: record.note, state: "all", ...MORE }) }, "All of this kind") : null);
}

const HAPPENED = { acknowledged: "Acknowledged", reopened: "Opened again", muted: "Muted", unmuted: "Mute ended" };

function history(rows) {
  if (!rows || rows.length === 0) return el("p", { class: "dim" }, "Nothing was decided yet.");
  const line = (row) => el("li", {}, HAPPENED[row.what ?? row.state] ?? wire(row.what ?? row.state ?? ""), row.by ? [" by ", wire(row.by)] : null, row.at ? [" \u00b7 ", time(row.at)] : null, row.remark ? [": ", wire(row.remark)] : null);
  return el("ol", { class: "notice-history" }, [...rows].sort((a, b) => (b.at ?? 0) - (a.at ?? 0)).map(line));
}

function panel(title, ...body) {
  return el("section", { class: "panel" }, el("div", { class: "panel-head" }, el("h2", {}, title)), el("div", { class: "panel-body" }, body));
}

export async function render(root, route) {
  let kept = null;
  const box = el("div", { class: "notice-view" });
  root.append(box);

  function draw(answer) {
    const { record, state } = answer;
    const whole = JSON.stringify(record, null, 2);
    const notice = { ...record, ...state, id: answer.id };
    document.title = `${titleOf(record)} \u00b7 mailtap`;
    clear(box,
      el("nav", { class: "crumbs", "aria-label": "Where this is" }, el("a", { href: "/notices" }, "Notices"), el("span", { "aria-hidden": "true" }, " \u203a "), el("a", { href: address("/notices", { kind: record.note, state: "all", ...MORE }) }, kindName(record.note))),
      el("div", { class: "view-head" }, el("h1", {}, wire(titleOf(record))), stateLabel(notice), el("div", { class: "view-tools" }, noticeActions(notice, () => kept?.again()), exportMenu(() => ({ path: "/export", params: { stream: "notice", q: `id:${answer.id}` } })))),
      decisionLine(notice),
      meaningOf(record) ? el("p", {}, meaningOf(record)) : null,
      links(answer),
      el("div", { class: "host-cards" },
        panel("What it says", record.sub && record.sub !== "***" ? el("blockquote", { class: "notice-evidence" }, wire(record.sub)) : null, removalLine(record), properties(rowsOf(record))),
        panel("What was decided", history(answer.history))),
      el("details", { class: "panel notice-record" }, el("summary", {}, "The whole record"), el("div", { class: "panel-body" }, copyButton(whole, "record"), el("pre", { class: "mono", tabindex: "0", "aria-label": "Record as JSON" }, whole.split("\n").map((line) => [wire(line), "\n"])))));
  }

  kept = await keepLoaded(root, route, { load: (loaded, signal) => get(`/notices/${encodeURIComponent(loaded.params.id)}`, {}, { signal }), draw });
  return kept;
}
