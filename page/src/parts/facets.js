// The commonest values of some fields, with how often each is there; one press adds a term to the query, another takes it out again.

import { button, clear, el } from "../dom.js";
import { compact, count, country } from "../format.js";
import { wire } from "./text.js";
import { hasTerm, terms } from "../query.js";

const TITLES = { disposition: "Outcome", country: "Country", client: "Client", sender: "Sender", recipient: "Recipient", agent: "Mail program", tls: "TLS", anomaly: "Anomaly", code: "Reply code", server: "Server", asn: "Network (AS)", note: "Kind", list: "Block list", host: "Host", enhanced: "Enhanced code", stage: "Stage", sensor: "Sensor" };

// Where one sensor alone has seen all, its name is no choice.
const chooses = (facet, q) => facet.values.length > (facet.field === "sensor" && !terms(q).some((term) => term.field === "sensor") ? 1 : 0);

// onTerm(field, value, negated): a press; who shows the facets decides whether that adds or takes out. Gives {root, update(answer of /facets, q)}.
export function facets(onTerm) {
  const root = el("div", { class: "facets" });
  const shut = new Set();
  const update = (answer, q) => clear(root, answer.complete === false ? el("p", { class: "facet-note dim" }, `of the ${count(answer.of)} newest`) : null, answer.facets.filter((facet) => chooses(facet, q)).map((facet) => group(facet, answer.of, q, shut, onTerm)));
  return { root, update };
}

function group(facet, of, q, shut, onTerm) {
  const box = el("details", { class: "facet", open: !shut.has(facet.field) }, el("summary", { class: "facet-title" }, TITLES[facet.field] ?? facet.field));
  box.addEventListener("toggle", () => (box.open ? shut.delete(facet.field) : shut.add(facet.field)));
  box.append(el("ul", { class: "facet-values" }, facet.values.map((row) => value(facet.field, row, of, q, onTerm))));
  return box;
}

function value(field, row, of, q, onTerm) {
  const without = hasTerm(q, field, row.value, true);
  const inside = hasTerm(q, field, row.value, false);
  const shown = field === "country" ? `${row.value} ${country(row.value)}` : row.value;
  const press = (event) => onTerm(field, row.value, event.shiftKey);
  const fill = el("span", { class: "facet-share", "aria-hidden": "true" });
  fill.style.setProperty("inline-size", `${of ? (100 * row.count) / of : 0}%`);
  return el("li", { class: `facet-value ${inside ? "is-in" : ""} ${without ? "is-out" : ""}`.trim() }, fill,
    el("button", { type: "button", class: "facet-add", "aria-pressed": String(inside), title: `${inside ? "Take out" : "Only"} ${field}: ${shown} (${count(row.count)})`, on: { click: press } }, wire(shown, { class: "facet-name" }), el("span", { class: "facet-count" }, compact(row.count))),
    button("−", () => onTerm(field, row.value, true), { class: "facet-not", "aria-pressed": String(without), "aria-label": `Without ${field}: ${shown}`, title: `Without ${shown}` }));
}
