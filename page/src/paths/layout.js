// Where nodes and edges of a graph of relays are drawn.
// In: nodes {id, mails}, edges {from, to, mails, delay}. Out: {width, height, nodes: [{id, x, y, node}], edges: [{edge, back, points}]}; y is a node's middle, x its left side.
// An edge that goes over several columns gets a place in each of them, so that it runs between the nodes. No edge or node is left out: ends that no node is of are made one.

import { columns, components, forwardEdges } from "./ranks.js";
import { orderLayers } from "./order.js";
import { heights } from "./heights.js";

export const SIZES = { node: 200, gap: 116, row: 34, lane: 14, part: 22, aside: 56 };

// width: parts that do not touch stand side by side within it, the greatest first.
export function layout(nodes, edges, width = 0, sizes = SIZES) {
  const known = new Map(nodes.map((node) => [node.id, node]));
  for (const edge of edges) {
    for (const id of [edge.from, edge.to]) if (!known.has(id)) known.set(id, { id, mails: edge.mails });
  }
  const weighed = edges.map((edge) => ({ from: edge.from, to: edge.to, weight: Math.max(1, edge.mails), edge }));
  const placed = { width: 0, height: 0, nodes: [], edges: [] };
  const shelf = { left: 0, top: 0, height: 0 };
  for (const part of components([...known.keys()], weighed)) {
    const drawn = layoutPart(part, sizes);
    if (shelf.left > 0 && shelf.left + drawn.width > width) {
      shelf.top += shelf.height + sizes.part;
      shelf.left = shelf.height = 0;
    }
    const { left, top } = shelf;
    for (const node of drawn.nodes) placed.nodes.push({ ...node, x: node.x + left, y: node.y + top, node: known.get(node.id) });
    for (const line of drawn.edges) placed.edges.push({ ...line, points: line.points.map(([x, y]) => [x + left, y + top]) });
    shelf.left = left + drawn.width + sizes.aside;
    shelf.height = Math.max(shelf.height, drawn.height);
    placed.width = Math.max(placed.width, left + drawn.width);
    placed.height = Math.max(placed.height, top + drawn.height);
  }
  return placed;
}

function layoutPart(part, sizes) {
  const forward = forwardEdges(part.ids, part.edges);
  const column = columns(part.ids, forward);
  const least = Math.min(...column.values());
  const count = Math.max(...column.values()) - least + 1;
  const layers = Array.from({ length: count }, () => []);
  for (const id of part.ids) layers[column.get(id) - least].push(id);
  const lanes = new Set();
  const links = [];
  const ways = forward.map((line, number) => {
    const way = [line.left];
    for (let at = column.get(line.left) + 1; at < column.get(line.right); at++) {
      const lane = `${number}\t${at}`;
      lanes.add(lane);
      layers[at - least].push(lane);
      way.push(lane);
    }
    way.push(line.right);
    for (let i = 1; i < way.length; i++) links.push({ left: way[i - 1], right: way[i], straight: way.length > 2 });
    return way;
  });
  const room = (key) => (lanes.has(key) ? sizes.lane : sizes.row);
  const ordered = orderLayers(layers, links);
  const y = heights(ordered, links, room);
  const x = new Map();
  ordered.forEach((layer, at) => layer.forEach((key) => x.set(key, at * (sizes.node + sizes.gap))));
  const bottom = Math.max(...[...y].map(([key, middle]) => middle + room(key) / 2));
  const lines = forward.map((line, number) => ({
    edge: line.edge.edge,
    back: line.back,
    points: points(ways[number], x, y, lanes, sizes),
  }));
  const selves = part.edges.filter((edge) => edge.from === edge.to).map((edge) => ({
    edge: edge.edge,
    back: false,
    points: [[x.get(edge.from) + sizes.node, y.get(edge.from)]],
  }));
  return {
    width: count * sizes.node + (count - 1) * sizes.gap,
    height: bottom,
    nodes: part.ids.map((id) => ({ id, x: x.get(id), y: y.get(id) })),
    edges: [...lines, ...selves],
  };
}

// From the right side of one node, along its lanes, to the left side of another.
function points(way, x, y, lanes, sizes) {
  const list = [];
  way.forEach((key, i) => {
    if (lanes.has(key)) list.push([x.get(key), y.get(key)], [x.get(key) + sizes.node, y.get(key)]);
    else list.push([x.get(key) + (i === 0 ? sizes.node : 0), y.get(key)]);
  });
  return list;
}

// A path of SVG through these points: level at each of them.
export function curve(list) {
  if (list.length === 1) {
    const [x, y] = list[0];
    return `M${x} ${y - 6}c26 -16 26 28 0 12`;
  }
  let text = `M${list[0][0]} ${round(list[0][1])}`;
  for (let i = 1; i < list.length; i++) {
    const [x0, y0] = list[i - 1];
    const [x1, y1] = list[i];
    const middle = (x0 + x1) / 2;
    text += y0 === y1 ? `L${x1} ${round(y1)}` : `C${middle} ${round(y0)} ${middle} ${round(y1)} ${x1} ${round(y1)}`;
  }
  return text;
}

function round(value) {
  return Math.round(value * 10) / 10;
}
