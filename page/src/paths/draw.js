// A graph of relays as SVG: nodes are links to their hosts, edges to their mails.
// In: {nodes, edges} of the API; links {host(id), edge(edge)}, texts {mails(n), short(n), delay(s)}. Out: what it appends to root; light(from, to) marks an edge from outside.
// Tab goes through the nodes; the edges are in the table below, so that a graph of many needs no hundred stops.

import { el, svg } from "../dom.js";
import { go } from "../navigate.js";
import { visible } from "../visible.js";
import { logWidth } from "../chart_scale.js";
import { delayClass, placeLabels, shorten } from "./labels.js";
import { SIZES, curve, layout } from "./layout.js";

const MARGIN = 16;
const NAME_WIDTH = SIZES.node - 50;
const LABEL = { width: 76, height: 12 };
const LEAST = 0.78;
const STROKES = [1.25, 7];

// How wide a name is in the font of the graph.
function measure(root) {
  const context = document.createElement("canvas").getContext("2d");
  context.font = `12px ${getComputedStyle(root).fontFamily}`;
  return (text) => context.measureText(text).width;
}

export function drawPaths(root, { nodes, edges }, links, texts) {
  const placed = layout(nodes, edges, root.clientWidth - 2 * MARGIN);
  const width = placed.width + 2 * MARGIN;
  const height = placed.height + 2 * MARGIN;
  const most = Math.max(1, ...edges.map((edge) => edge.mails));
  const strokeOf = (edge) => logWidth(edge.mails, most, ...STROKES);
  const widthOf = measure(root);
  const lines = placed.edges.map((line) => ({ line, element: drawEdge(line, strokeOf(line.edge), links, texts) }));
  const boxes = new Map(placed.nodes.map((node) => [node.id, drawNode(node, links, texts, widthOf)]));
  const labels = placeLabels(placed.edges, LABEL.width, LABEL.height, strokeOf).map((label) => drawLabel(label, texts));
  const picture = svg("svg", { class: "paths", width, height, viewBox: `${-MARGIN} ${-MARGIN} ${width} ${height}`, role: "group", "aria-label": "Graph of relays, mails go from left to right" },
    svg("g", { class: "paths-edges" }, lines.map(({ element }) => element)), svg("g", { class: "paths-labels", "aria-hidden": "true" }, labels), svg("g", {}, [...boxes.values()]));
  const scroll = el("div", { class: "paths-scroll", tabindex: "0", role: "region", "aria-label": "Graph of relays, can be scrolled" }, picture);
  root.append(scroll);
  picture.addEventListener("click", follow);

  const show = (ids, some) => {
    picture.classList.toggle("paths-dim", some !== null);
    for (const { line, element } of lines) element.classList.toggle("lit", some !== null && some(line.edge));
    for (const [id, box] of boxes) box.classList.toggle("lit", ids.has(id));
  };
  const none = () => show(new Set(), null);
  const lightNode = (id) => {
    const touches = (edge) => edge.from === id || edge.to === id;
    show(new Set([id, ...edges.filter(touches).flatMap((edge) => [edge.from, edge.to])]), touches);
  };
  const lightEdge = (edge) => show(new Set([edge.from, edge.to]), (other) => other.from === edge.from && other.to === edge.to);
  for (const [id, box] of boxes) watch(box, () => lightNode(id), none);
  for (const { line, element } of lines) watch(element, () => lightEdge(line.edge), none);
  return { light: lightEdge, dark: none, zoom: (scale) => zoom(picture, width, height, scale ?? fitting(root.clientWidth, width)), root: scroll };
}

// A link of SVG has no plain href, so its click is taken here.
function follow(event) {
  const link = event.target.closest("a");
  if (!link || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  go(link.getAttribute("href"));
}

function watch(element, on, off) {
  for (const name of ["pointerenter", "focus"]) element.addEventListener(name, on);
  for (const name of ["pointerleave", "blur"]) element.addEventListener(name, off);
}

// A graph that is a little too wide is made to fit; a wider one is to be moved, as its texts must stay readable.
function fitting(room, width) {
  const scale = room / width;
  return scale >= 1 || scale < LEAST ? 1 : scale;
}

function zoom(picture, width, height, scale) {
  picture.setAttribute("width", String(Math.round(width * scale)));
  picture.setAttribute("height", String(Math.round(height * scale)));
}

function edgeText(edge, texts) {
  return `${visible(edge.from)} \u2192 ${visible(edge.to)}: ${texts.mails(edge.mails)}, mean delay ${edge.delay === null || edge.delay === undefined ? "not known" : texts.delay(edge.delay)}`;
}

function drawEdge(line, stroke, links, texts) {
  const { edge, back, points } = line;
  const path = curve(points);
  return svg("a", { href: links.edge(edge), class: `paths-edge delay-${delayClass(edge.delay)}${back ? " back" : ""}`, tabindex: "-1" },
    svg("title", {}, edgeText(edge, texts) + (back ? " (against the direction of the others)" : "")),
    svg("path", { class: "hit", d: path }),
    svg("path", { class: "line", d: path, "stroke-width": stroke.toFixed(1) }),
    points.length > 1 ? svg("path", { class: "head", d: head(points, back, stroke) }) : null);
}

// An arrow's head where the mail arrives.
function head(points, back, stroke) {
  const size = 4 + stroke * 0.5;
  const [x, y] = back ? points[0] : points.at(-1);
  const from = back ? x + size * 1.5 : x - size * 1.5;
  return `M${x} ${y}L${from} ${(y - size).toFixed(1)}L${from} ${(y + size).toFixed(1)}Z`;
}

function drawNode({ id, x, y, node }, links, texts, widthOf) {
  const height = SIZES.row - 8;
  return svg("a", { href: links.host(id), class: "paths-node", dataset: { host: id } },
    svg("title", {}, `${visible(id)}: ${texts.mails(node.mails)}`),
    svg("rect", { x, y: y - height / 2, width: SIZES.node, height, rx: 4 }),
    svg("text", { x: x + 8, y: y + 4, class: "name" }, shorten(visible(id), NAME_WIDTH, widthOf)),
    svg("text", { x: x + SIZES.node - 8, y: y + 4, class: "number", "text-anchor": "end" }, texts.short(node.mails)));
}

function drawLabel({ line, x, y, end }, texts) {
  const { edge } = line;
  const delay = edge.delay === null || edge.delay === undefined ? "" : ` \u00b7 ${texts.delay(edge.delay)}`;
  return svg("text", { x, y, "text-anchor": end ? "end" : "start" }, texts.short(edge.mails) + delay);
}
