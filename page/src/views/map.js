// Where mail comes from: countries by the origin of their mails.
// State in the address: since, until, by (mails, rejected, share). The table does for the keyboard what the map does for the pointer.

import topology from "world-atlas/countries-110m.json";
import { get } from "../api.js";
import { classOf, logBounds, share } from "../chart_scale.js";
import { mailsHref } from "../dimensions.js";
import { clear, el } from "../dom.js";
import { compact, count, percent } from "../format.js";
import { keepLoaded } from "../loader.js";
import { countryName } from "../map/countries.js";
import { drawMap } from "../map/draw.js";
import { drawWorld } from "../map/world.js";
import { change, go } from "../navigate.js";
import { exportMenu } from "../parts/export.js";
import { partlyNote } from "../partly.js";
import { empty } from "../parts/states.js";
import { table } from "../parts/table.js";
import { wire } from "../parts/text.js";
import { segments } from "../parts/tiles.js";
import { wholeHours } from "../whole_hours.js";

export const pattern = "/map";
export const title = "Map";
export const nav = "Map";
export const range = true;

const CLASSES = 6;
// A share of fewer says nothing: they are not coloured by it.
const FEW = 10;
const SHARES = [0.0001, 0.02, 0.05, 0.1, 0.25, 0.5];
const MEASURES = {
  mails: { name: "Mails", words: "mails", value: (row) => row.mails, text: count },
  rejected: { name: "Rejected", words: "rejected mails", value: (row) => row.rejected, text: count },
  share: { name: "Rejected of all", words: "rejected of all mails", value: (row) => share(row.rejected, row.mails) ?? 0, text: percent },
};
const MEASURE_KEYS = Object.keys(MEASURES);

let world = null;

const measureOf = (route) => (MEASURES[route.query.by] ? route.query.by : MEASURE_KEYS[0]);
const queryOf = (code, by) => `country:${code}${by === "mails" ? "" : " disposition:rejected"}`;

function boundsOf(rows, by) {
  return by === "share" ? SHARES : logBounds(Math.max(0, ...rows.map(MEASURES[by].value)), CLASSES);
}

function kindOf(row, by, bounds) {
  if (by === "share" && row.mails < FEW) return "few";
  const number = classOf(MEASURES[by].value(row), bounds);
  return number < 0 ? null : String(number);
}

function rowText(row) {
  return `${count(row.mails)} mails, ${count(row.rejected)} rejected (${percent(share(row.rejected, row.mails))}), ${count(row.deferred)} deferred`;
}

function legend(bounds, by) {
  const text = by === "share" ? (bound) => (bound < 0.01 ? "above 0" : percent(bound)) : compact;
  return el("div", { class: "map-legend" }, el("span", { class: "map-legend-title" }, by === "share" ? "Rejected of all mails, from" : `${MEASURES[by].name}, from`),
    el("ol", { class: "map-scale" }, bounds.map((bound, i) => el("li", { class: `map-class-${i}` }, el("i", { "aria-hidden": "true" }), text(bound)))), el("span", { class: "map-none" }, el("i", { "aria-hidden": "true" }), "none"), by === "share" ? el("span", { class: "map-none map-class-few" }, el("i", { "aria-hidden": "true" }), `under ${FEW} mails`) : null);
}

function countryTable(answer, by, query, light) {
  const name = (row) => {
    const link = el("a", { href: mailsHref(queryOf(row.country, by), query), class: "map-row-link" }, wire(row.country, { class: "mono dim" }), " ", countryName(row.country));
    for (const event of ["focus", "pointerenter"]) link.addEventListener(event, () => light(row.country));
    for (const event of ["blur", "pointerleave"]) link.addEventListener(event, () => light(null));
    return link;
  };
  const columns = [
    { key: "country", label: "Country", cell: name, sort: (row) => countryName(row.country) },
    { key: "mails", label: "Mails", number: true, cell: (row) => count(row.mails), sort: (row) => row.mails },
    { key: "rejected", label: "Rejected", number: true, cell: (row) => count(row.rejected), sort: (row) => row.rejected },
    { key: "share", label: "Of all", number: true, cell: (row) => percent(share(row.rejected, row.mails)), sort: (row) => share(row.rejected, row.mails) ?? 0 },
  ];
  return table(columns, answer.countries, { caption: `Countries by ${MEASURES[by].words}`, sort: { key: by, descending: true }, rowClass: (row) => (by === "share" && row.mails < FEW ? "map-few" : null) }).root;
}

function unknownText(answer) {
  const { unknown, countries } = answer;
  const all = countries.reduce((sum, row) => sum + row.mails, unknown.mails);
  if (!(unknown.mails > 0)) return null;
  return el("p", { class: "map-unknown" }, `Of ${count(unknown.mails)} mails (${percent(share(unknown.mails, all))}) the country is not known, ${count(unknown.rejected)} of them rejected: their origin is a private address, or not in the country database.`);
}

export async function render(root, route) {
  let { params } = route.range;
  const mapBox = el("div", { class: "panel-body map-panel" });
  const side = el("div", { class: "panel map-table" });
  const told = el("p", { class: "map-told dim" });
  const measures = segments(MEASURE_KEYS.map((key) => [key, MEASURES[key].name]), measureOf(route), (key) => change({ by: key === MEASURE_KEYS[0] ? null : key }), "What colours mean");

  function draw(answer, drawn, time) {
    params = time.params;
    const by = measureOf(drawn);
    measures.set(by);
    const rows = new Map(answer.countries.map((row) => [row.country, row]));
    const bounds = boundsOf(answer.countries, by);
    const query = drawn.range.query;
    const hint = answer.countries.length > 0 ? "Point at a country, or use the table: both lead to its mails." : "";
    const tell = (code) => {
      const row = rows.get(code);
      clear(told, !code ? hint : [`${countryName(code)}: ${row ? rowText(row) : "no mails"}`, row ? [" ", el("a", { href: mailsHref(queryOf(code, by), query) }, "Show them")] : null]);
    };
    tell(null);
    const hours = wholeHours(answer, time);
    world ??= drawWorld(topology);
    clear(mapBox);
    const map = drawMap(mapBox, world, {
      label: `Map of the world, countries coloured by ${MEASURES[by].words}. The table has the same numbers.`,
      kindOf: (code) => (rows.has(code) ? kindOf(rows.get(code), by, bounds) : null),
      text: (code) => `${countryName(code)}: ${rows.has(code) ? rowText(rows.get(code)) : "no mails"}`,
      open: (code) => go(mailsHref(queryOf(code, by), query)),
      picked: tell,
    });
    mapBox.append(told, legend(bounds, by), ...[unknownText(answer), hours && el("p", { class: "map-unknown" }, hours)].filter(Boolean));
    const light = (code) => {
      map.light(code);
      tell(code);
    };
    clear(side, answer.countries.length > 0 ? countryTable(answer, by, query, light) : empty("No mail with a known country in this time.", "Countries need a country database (setting country_databases), and origins that are public addresses."));
    return partlyNote(answer);
  }

  root.append(
    el("div", { class: "view-head" }, el("h1", {}, "Map"), measures, el("div", { class: "view-tools" }, exportMenu(() => ({ path: "/map", params })))),
    el("div", { class: "map-columns" }, el("section", { class: "panel", "aria-label": "Map" }, mapBox), side),
  );
  return keepLoaded(root, route, { load: (loaded, signal, time) => get("/map", time.params, { signal }), draw });
}
