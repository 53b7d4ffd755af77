// The way of a mail as a line of stations: who handed it to whom, by which protocol, how long it took, and from where on it is sure.

import { clear, el } from "../dom.js";
import { duration, fullTime } from "../format.js";
import { icon } from "../parts/icons.js";
import { countryName, hostLink, label, wire } from "../parts/text.js";
import { boundary, wayOf } from "./stations.js";

const MOST = 12;

export function pathLine(record, session) {
  const { stations, steps } = wayOf(record, session);
  const sure = boundary(steps);
  const list = el("ol", { class: "path", "aria-label": "Way of the mail, oldest first" });
  const draw = (all) => {
    const hide = !all && stations.length > MOST;
    const rows = [];
    stations.forEach((station, i) => {
      if (hide && i >= 3 && i < stations.length - 8) {
        if (i === 3) rows.push(moreRow(stations.length - 11, () => draw(true)));
        return;
      }
      rows.push(el("li", { class: `path-row ${i > sure || (i === sure && i > 0 && sure < steps.length) ? "is-sure" : ""}`.trim() }, i > 0 ? stepNode(steps[i - 1], i - 1 === sure && sure > 0) : null, stationNode(station, record)));
    });
    clear(list, rows);
  };
  draw(false);
  return [list, el("p", { class: "path-note dim" }, noteOf(steps, sure))];
}

function noteOf(steps, sure) {
  const some = steps.some((step) => step.trusted && !step.seen);
  if (steps.length === 1) return "The mail has no Received line: only the connection that the tap saw is known.";
  if (sure === 0) return "All of these lines were written by servers in trusted_relays.";
  return `Solid: ${some ? "written by servers in trusted_relays, or seen by the tap" : "seen by the tap"}. Dashed: written by others, and may be made up.`;
}

function moreRow(n, show) {
  return el("li", { class: "path-row" }, el("button", { type: "button", class: "button", on: { click: show } }, `… ${n} more`));
}

function stepNode(step, first) {
  const tls = step.tls ? el("span", { class: "path-tls", title: [step.tls, step.cipher].filter(Boolean).join(" ") }, icon("lock"), " ", wire(step.tls)) : null;
  const late = step.delay !== undefined && step.delay !== null ? el("span", { class: step.delay < 0 ? "path-delay is-odd" : "path-delay", title: step.delay < 0 ? "A clock is wrong, or a line made up" : step.time ? fullTime(step.time) : null }, `${step.delay < 0 ? "" : "+"}${duration(step.delay)}`) : null;
  return el("div", { class: `path-step ${step.trusted ? "is-sure" : ""} ${first ? "is-boundary" : ""}`.trim(), title: first ? "From here on the way is sure" : null },
    el("span", { class: "path-with", title: step.id ? `Id ${step.id}` : null }, step.seen ? (step.tls ? "seen" : "seen, in the clear") : wire(step.with ?? "?")), el("span", { class: "path-arrow", "aria-hidden": "true" }), el("span", { class: "path-how" }, tls, tls && late ? " " : null, late));
}

function stationNode(station, record) {
  const main = station.name ?? station.rdns ?? station.helo ?? station.ip;
  const others = [station.rdns !== main && station.rdns ? ["found as ", wire(station.rdns)] : null, station.helo !== main && station.helo ? ["calls itself ", wire(station.helo)] : null].filter(Boolean);
  return el("div", { class: `path-station ${station.role ? `is-${station.role}` : ""}`.trim() },
    el("div", { class: "path-name" }, icon(station.role || station.name ? "server" : "person"), main ? (main === station.ip ? hostLink(main) : wire(main)) : el("span", { class: "dim" }, "not told")),
    station.ip && main !== station.ip ? el("div", {}, hostLink(station.ip), station.private ? el("span", { class: "dim" }, " private") : null) : null,
    others.map((text) => el("div", { class: "path-other" }, text)),
    el("div", { class: "path-labels" }, station.origin ? [label("origin", "info", "Where the mail comes from, as the record has it"), countryName(record.origin.country)] : null, station.role === "client" ? label("client") : null, station.role === "server" ? label("server") : null));
}
