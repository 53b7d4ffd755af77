// A notice in a list: what, about whom, since which list, on what evidence; and what can be decided on it.

import { button, el } from "../dom.js";
import { hostHref, mailsHref } from "../dimensions.js";
import { country, plural } from "../format.js";
import { copyButton, label, mono, time, wire } from "../parts/text.js";
import { acknowledge, mute, reopen, unmuteNotice } from "./actions.js";
import { kindName, stateLabel, titleOf } from "./state.js";

// Buttons for what its state allows; changed is called where something did.
export function noticeActions(notice, changed) {
  const act = (work) => async () => (await work(notice)) && changed();
  const name = titleOf(notice);
  const one = (text, work, attributes) => button(text, act(work), { class: "button", "aria-label": `${text}: ${name}`, ...attributes });
  const rows = {
    open: () => [one("Acknowledge", acknowledge), one("Mute \u2026", mute)],
    acknowledged: () => [one("Open again", reopen), one("Mute \u2026", mute)],
    muted: () => [one("End the mute", unmuteNotice)],
  };
  return el("div", { class: "notice-actions" }, (rows[notice.state] ?? rows.open)());
}

// Who decided what, when, and why.
export function decisionLine({ state, by, at, remark, until }) {
  if (state === "open" || !state) return null;
  return el("p", { class: "notice-decision" }, state === "muted" ? "Muted" : "Acknowledged", by ? [" by ", wire(by)] : null, at ? [" \u00b7 ", time(at)] : null, until ? [" \u00b7 until ", time(until)] : null, remark ? [": ", wire(remark)] : null);
}

function facts(notice, query, shows) {
  const host = notice.host ?? notice.src;
  const rows = [
    host ? ["About", [el("a", { href: hostHref(host, query), class: "mono" }, wire(host)), notice.local ? [" ", label("ours", "warn", "It is in local_nets.")] : null]] : null,
    notice.country ? ["Country", [label(notice.country), " ", country(notice.country)]] : null,
    notice.list ? ["Block list", wire(notice.list)] : null,
    notice.dst ? ["Server", el("a", { href: hostHref(notice.dst, query), class: "mono" }, wire(notice.dst))] : null,
    notice.sender ? ["Sender", wire(notice.sender)] : null,
    notice.code ? ["Reply", `${notice.code}${notice.enhanced ? ` ${notice.enhanced}` : ""}`] : null,
    notice.folded ? ["Stands for", plural(notice.folded, "repeat")] : null,
    shows.sensor && notice.sensor ? ["Sensor", wire(notice.sensor)] : null,
  ];
  return el("dl", { class: "notice-facts" }, rows.filter(Boolean).map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))));
}

export function removalLine(notice) {
  if (!notice.removal) return null;
  return el("p", { class: "notice-removal" }, el("span", { class: "dim" }, "Removal: "), mono(notice.removal), " ", copyButton(notice.removal, "removal address"));
}

// shows.sensor: whose it is, where there are several.
export function noticeCard(notice, query, changed, shows = {}) {
  return el("li", { class: `notice notice-${notice.state ?? "open"}` },
    el("div", { class: "notice-head" }, el("a", { class: "notice-title", href: `/notices/${encodeURIComponent(notice.id)}` }, wire(titleOf(notice))), stateLabel(notice)),
    el("p", { class: "dim" }, time(notice.ts), " \u00b7 ", wire(kindName(notice.note))),
    facts(notice, query, shows),
    notice.sub && notice.sub !== "***" ? el("blockquote", { class: "notice-evidence" }, wire(notice.sub)) : null,
    removalLine(notice),
    decisionLine(notice),
    el("div", { class: "notice-foot" }, noticeActions(notice, changed), notice.uid ? el("a", { href: mailsHref(`uid:${notice.uid}`, { since: "all" }), "aria-label": `Mails of the connection: ${titleOf(notice)}` }, "Mails of the connection") : null));
}
