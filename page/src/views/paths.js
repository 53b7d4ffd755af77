// The ways that mails take: a graph of relays by the Received lines, and a table of its edges.
// State in the address: since, until, host (only ways that touch it), limit (how many edges), zoom.

import { get } from "../api.js";
import { mailsHref, hostHref } from "../dimensions.js";
import { clear, el, svg } from "../dom.js";
import { compact, count, duration, plural } from "../format.js";
import { hostIn } from "../host_in.js";
import { keepLoaded } from "../loader.js";
import { change } from "../navigate.js";
import { exportMenu } from "../parts/export.js";
import { partlyNote } from "../partly.js";
import { empty } from "../parts/states.js";
import { table } from "../parts/table.js";
import { wire } from "../parts/text.js";
import { drawPaths } from "../paths/draw.js";
import { DELAYS, delayClass } from "../paths/labels.js";
import { quoted } from "../query.js";
import { wholeHours } from "../whole_hours.js";

export const pattern = "/paths";
export const title = "Paths";
export const nav = "Paths";
export const range = true;

const LIMITS = [20, 40, 60, 100, 200];
const LIMIT = 60;
const ZOOMS = [0.4, 0.5, 0.65, 0.8, 1, 1.25, 1.5];
const TEXTS = { mails: (many) => plural(many, "mail"), short: compact, delay: duration };

const limitOf = (route) => (LIMITS.includes(Number(route.query.limit)) ? Number(route.query.limit) : LIMIT);
// null: as it fits.
const zoomOf = (route) => (ZOOMS.includes(Number(route.query.zoom)) ? Number(route.query.zoom) : null);
const paramsOf = (route, time) => ({ ...time.params, limit: limitOf(route), host: route.query.host });
const edgeQuery = ({ from, to }) => `host:${quoted(from)} host:${quoted(to)}`;

function legend() {
  const line = (name) => svg("svg", { width: 28, height: 10, "aria-hidden": "true", class: `paths-edge delay-${name}` }, svg("path", { class: "line", d: "M0 5H28", "stroke-width": 3 }));
  return el("div", { class: "paths-legend" }, el("span", { class: "dim" }, "Mean delay"), DELAYS.map((row, i) => el("span", {}, line(i), row.text)), el("span", {}, line("unknown"), "not known"), el("span", { class: "dim" }, "Thicker: more mails. A line against the others' direction is dotted."));
}

function controls(route) {
  const limit = el("select", { class: "input", "aria-label": "How many edges" }, LIMITS.map((many) => el("option", { value: String(many) }, `${many} edges`)));
  limit.value = String(limitOf(route));
  limit.addEventListener("change", () => change({ limit: Number(limit.value) === LIMIT ? null : limit.value }));
  const host = el("input", { type: "search", class: "input", value: route.query.host ?? "", placeholder: "only ways over this host", "aria-label": "Only ways over this host", autocomplete: "off", spellcheck: "false", autocapitalize: "none" });
  const form = el("form", { class: "host-box", role: "search", on: { submit: (event) => {
    event.preventDefault();
    change({ host: host.value.trim() || null });
  } } }, host, el("button", { type: "submit", class: "button" }, "Show"));
  const step = (by) => () => change({ zoom: ZOOMS[Math.min(ZOOMS.length - 1, Math.max(0, ZOOMS.indexOf(zoomOf(current()) ?? 1) + by))] }, { replace: true });
  let now = route;
  const current = () => now;
  const zooms = el("div", { class: "chart-zooms", role: "group", "aria-label": "Size of the graph" }, [["+", "Larger", 1], ["\u2212", "Smaller", -1]].map(([text, name, by]) => el("button", { type: "button", class: "chart-zoom", "aria-label": name, title: name, on: { click: step(by) } }, text)));
  return {
    nodes: [form, limit, zooms],
    update(next) {
      now = next;
      limit.value = String(limitOf(next));
      if (document.activeElement !== host) host.value = next.query.host ?? "";
    },
  };
}

function edgeTable(edges, links, graph) {
  const lit = (edge, node) => {
    for (const event of ["focus", "pointerenter"]) node.addEventListener(event, () => graph.light(edge));
    for (const event of ["blur", "pointerleave"]) node.addEventListener(event, () => graph.dark());
    return node;
  };
  const hostCell = (name) => el("a", { href: links.host(name), class: "mono" }, wire(name));
  const columns = [
    { key: "from", label: "From", cell: (edge) => hostCell(edge.from), sort: (edge) => edge.from },
    { key: "to", label: "To", cell: (edge) => hostCell(edge.to), sort: (edge) => edge.to },
    { key: "mails", label: "Mails", number: true, sort: (edge) => edge.mails, cell: (edge) => lit(edge, el("a", { href: links.edge(edge), "aria-label": `${plural(edge.mails, "mail")} from ${edge.from} to ${edge.to}` }, count(edge.mails))) },
    { key: "delay", label: "Mean delay", title: "By the times that both servers wrote; below zero where their clocks differ.", number: true, sort: (edge) => edge.delay ?? -1e12, cell: (edge) => el("span", { class: `delay-text delay-${delayClass(edge.delay)}` }, edge.delay === null || edge.delay === undefined ? "not known" : duration(edge.delay)) },
  ];
  return table(columns, edges, { caption: "Edges of the graph", sort: { key: "mails", descending: true } }).root;
}

export async function render(root, route) {
  let params = {};
  const tools = controls(route);
  const graphBox = el("div", { class: "panel paths-panel" });
  const tableBox = el("section", { class: "panel", "aria-label": "Edges" });

  function draw(answer, drawn, time) {
    params = paramsOf(drawn, time);
    tools.update(drawn);
    clear(graphBox);
    tableBox.hidden = answer.edges.length === 0;
    if (answer.edges.length === 0) {
      const host = drawn.query.host;
      graphBox.append(empty(host ? `No mail took a way over ${host} in this time.` : "No way of a mail in this time.", "Ways come from the Received lines that mails have before the message ends, as far as they were seen."));
      return partlyNote(answer);
    }
    const query = drawn.range.query;
    const links = { host: (id) => hostHref(hostIn(id), query), edge: (edge) => mailsHref(edgeQuery(edge), query) };
    graphBox.append(legend());
    const graph = drawPaths(graphBox, answer, links, TEXTS);
    graph.zoom(zoomOf(drawn));
    const hours = wholeHours(answer, time);
    const most = answer.edges.length >= limitOf(drawn) ? `, those with most mails` : "";
    clear(tableBox, el("div", { class: "panel-head" }, el("h2", {}, "Edges"), el("span", { class: "dim" }, `${plural(answer.edges.length, "edge")} between ${plural(answer.nodes.length, "host")}${most}`), hours ? el("span", { class: "dim" }, hours) : null), edgeTable(answer.edges, links, graph));
    return partlyNote(answer);
  }

  root.append(el("div", { class: "view-head" }, el("h1", {}, "Paths"), el("div", { class: "view-tools" }, tools.nodes, exportMenu(() => ({ path: "/paths", params })))), graphBox, tableBox);
  return keepLoaded(root, route, { load: (loaded, signal, time) => get("/paths", paramsOf(loaded, time), { signal }), draw });
}
