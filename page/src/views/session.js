// One session: how the two ends spoke, TLS, logins, and its mails.

import { fieldsKnown, get } from "../api.js";
import { button, el } from "../dom.js";
import { plural } from "../format.js";
import { keys } from "../keys.js";
import { anomalies, flagLabels, mailRows, raw } from "../mail/about.js";
import { panel } from "../mail/panel.js";
import { logins, sessionRows, tlsRows } from "../mail/session.js";
import { back } from "../navigate.js";
import { hostLink, mono, time } from "../parts/text.js";

export const pattern = "/sessions/:uid";
export const title = "Session";

export async function render(root, route) {
  const { uid } = route.params;
  const { sensor } = route.query;
  const [{ session, mails }, known] = await Promise.all([get(`/sessions/${encodeURIComponent(uid)}`, { sensor }), fieldsKnown().catch(() => ({ anomalies: [] }))]);
  const odd = new Map(known.anomalies.map((one) => [one.name, one.explained]));
  const box = raw(session ?? mails, `mailtap-${uid}.json`);
  root.append(
    el("div", { class: "mail-tools" }, button("← Back", () => back("/mails"), { class: "button" })),
    el("header", { class: "mail-head" }, el("h1", {}, "Session ", mono(uid)), session ? el("p", { class: "mail-facts" }, time(session.ts), hostLink(session["id.orig_h"]), el("span", { class: "dim" }, "→"), hostLink(session["id.resp_h"]), flagLabels(session)) : null),
    el("div", { class: "mail-columns" },
      el("div", { class: "mail-main" }, session ? panel("Session", sessionRows(session)) : panel("Session", el("p", { class: "dim" }, "Its record is not there: it has not ended yet, or was not kept.")), session ? panel("TLS", tlsRows(session)) : null, session ? panel("Logins", logins(session), { flush: true }) : null),
      el("aside", { class: "mail-side", "aria-label": "About the session" }, session ? panel("Odd", anomalies((session.anomalies ?? []).map((row) => ({ ...row, explained: odd.get(row.name) })))) : null, panel("Mails", mailRows(mails), { note: plural(mails.length, "mail"), flush: true }))),
    box.root,
  );
  keys([["Escape", () => back("/mails"), "Back"], ["x", () => box.toggle(), "Show the record as JSON"]]);
}
