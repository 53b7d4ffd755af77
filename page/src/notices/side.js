// Beside the list of notices: their kinds with counts, and the mutes that hold.

import { button, el } from "../dom.js";
import { ago, count } from "../format.js";
import { time, wire } from "../parts/text.js";
import { address } from "../router.js";
import { unmute } from "./actions.js";
import { kindName, muteText } from "./state.js";

// query: what the address has now; the link of a kind sets it, that of the chosen kind takes it out. open: whether it is.
export function kindsPanel(kinds, query, open) {
  const rows = [...kinds].sort((a, b) => b.open - a.open || b.last - a.last);
  const line = (kind) => {
    const chosen = query.kind === kind.note;
    const link = el("a", { href: address("/notices", { ...query, kind: chosen ? null : kind.note }), class: "kind-link", "aria-current": chosen ? "true" : null }, wire(kindName(kind.note)));
    return el("tr", { class: chosen ? "is-chosen" : null }, el("th", { scope: "row" }, link, el("span", { class: "dim kind-last" }, kind.last ? `last ${ago(kind.last)}` : "")),
      ["open", "acknowledged", "muted"].map((state) => el("td", { class: `number ${state === "open" && kind.open > 0 ? "kind-open" : ""}`.trim() }, count(kind[state]))));
  };
  const head = ["Kind", "Open", "Ackn.", "Muted"].map((text, i) => el("th", { scope: "col", class: i > 0 ? "number" : null, title: text === "Ackn." ? "Acknowledged" : null }, text));
  // On a phone the list comes first.
  return el("details", { class: "panel kinds-panel", open: open }, el("summary", { class: "panel-head" }, el("h2", {}, "Kinds")),
    rows.length > 0 ? el("table", { class: "kinds" }, el("thead", {}, el("tr", {}, head)), el("tbody", {}, rows.map(line))) : el("p", { class: "panel-body dim" }, "None in this time."),
    query.kind ? el("p", { class: "kinds-all" }, el("a", { href: address("/notices", { ...query, kind: null }) }, "All kinds")) : null);
}

export function mutesPanel(mutes, changed) {
  if (mutes.length === 0) return null;
  const end = (mute) => button("End", async () => (await unmute(mute.id)) && changed(), { class: "button", "aria-label": `End the mute: ${muteText(mute)}` });
  const line = (mute) => el("li", { class: "mute" }, el("div", {}, el("p", {}, wire(muteText(mute))),
    el("p", { class: "dim" }, mute.by ? ["by ", wire(mute.by), " "] : null, mute.at ? time(mute.at) : null, mute.until ? [", until ", time(mute.until)] : ", without an end", mute.remark ? [": ", wire(mute.remark)] : null)), end(mute));
  return el("section", { class: "panel" }, el("div", { class: "panel-head" }, el("h2", {}, "Mutes"), el("span", { class: "dim" }, "hide what they cover")), el("ul", { class: "panel-body mutes" }, mutes.map(line)));
}
