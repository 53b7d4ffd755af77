// The layout of paths: columns, loops, crossings, no two things in one place.
import test from "node:test";
import assert from "node:assert/strict";
import { columns, components, forwardEdges } from "../src/paths/ranks.js";
import { allCrossings, crossings, orderLayers } from "../src/paths/order.js";
import { rising, spread } from "../src/paths/heights.js";
import { delayClass, placeLabels, shorten } from "../src/paths/labels.js";
import { SIZES, curve, layout } from "../src/paths/layout.js";

const edge = (from, to, mails = 1) => ({ from, to, mails, delay: null });
const weighed = (from, to, weight = 1) => ({ from, to, weight });

// A fixed row of numbers that look random.
function random(seed) {
  return () => (seed = (seed * 1103515245 + 12345) % 2147483648) / 2147483648;
}

function columnsOf(ids, edges) {
  return Object.fromEntries(columns(ids, forwardEdges(ids, edges)));
}

test("columns follow the longest way", () => {
  assert.deepEqual(columnsOf(["a", "b", "c", "d"], [weighed("a", "b"), weighed("b", "c"), weighed("a", "c"), weighed("c", "d")]), { a: 0, b: 1, c: 2, d: 3 });
});

test("a source stands next to whom it gives to", () => {
  assert.equal(columnsOf(["a", "b", "c", "s"], [weighed("a", "b"), weighed("b", "c"), weighed("s", "c")]).s, 1);
});

test("a loop is broken where the least goes", () => {
  const lines = forwardEdges(["a", "b", "c"], [weighed("a", "b", 90), weighed("b", "c", 80), weighed("c", "a", 1)]);
  assert.deepEqual(lines.map((line) => line.back), [false, false, true]);
});

test("two that give to each other, and one to itself", () => {
  const drawn = layout([], [edge("a", "b", 5), edge("b", "a", 2), edge("a", "a", 1)]);
  assert.equal(drawn.edges.length, 3);
  assert.equal(drawn.edges.filter((line) => line.back).length, 1);
  assert.equal(drawn.edges.filter((line) => line.points.length === 1).length, 1);
});

test("parts that do not touch are apart, the greatest first", () => {
  const parts = components(["a", "b", "c", "d", "e"], [weighed("a", "b", 1), weighed("c", "d", 7)]);
  assert.deepEqual(parts.map((part) => part.ids.join("")), ["cd", "ab", "e"]);
});

test("crossings are counted", () => {
  const links = [{ left: "a", right: "y" }, { left: "b", right: "x" }, { left: "c", right: "x" }];
  assert.equal(crossings(["a", "b", "c"], ["x", "y"], links), 2);
  assert.equal(crossings(["b", "c", "a"], ["x", "y"], links), 0);
});

test("ordering takes crossings away that need not be", () => {
  const layers = [["a", "b", "c"], ["x", "y", "z"], ["p", "q", "r"]];
  const links = [["a", "z"], ["b", "y"], ["c", "x"], ["x", "p"], ["y", "q"], ["z", "r"]].map(([left, right]) => ({ left, right }));
  assert.ok(allCrossings(layers, links) > 0);
  assert.equal(allCrossings(orderLayers(layers, links), links), 0);
});

test("rising is nearest to what was given", () => {
  assert.deepEqual(rising([1, 3, 2, 5], [1, 1, 1, 1]), [1, 2.5, 2.5, 5]);
  assert.deepEqual(rising([3, 1], [3, 1]), [2.5, 2.5]);
});

test("spread keeps distances", () => {
  const places = spread([0, 0, 0], [10, 10, 20], [1, 1, 1]);
  assert.ok(places[1] - places[0] >= 10 - 1e-9 && places[2] - places[1] >= 15 - 1e-9);
});

test("in a graph of 60 edges nothing lies on another, and each edge ends at its nodes", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const next = random(seed);
    const names = Array.from({ length: 40 }, (_, i) => `host${i}.example`);
    const edges = Array.from({ length: 60 }, () => edge(names[Math.floor(next() * 40)], names[Math.floor(next() * 40)], 1 + Math.floor(next() * 1000)));
    const drawn = layout(names.map((id) => ({ id, mails: 1 })), edges);
    assert.equal(drawn.nodes.length, 40);
    assert.equal(drawn.edges.length, 60);
    const at = new Map(drawn.nodes.map((node) => [node.id, node]));
    for (const node of drawn.nodes) {
      assert.ok(node.x >= 0 && node.x + SIZES.node <= drawn.width && node.y > 0 && node.y <= drawn.height);
      for (const other of drawn.nodes) {
        if (other !== node && other.x === node.x) assert.ok(Math.abs(other.y - node.y) >= SIZES.row - 1e-6, `${node.id} on ${other.id}`);
      }
    }
    for (const line of drawn.edges) {
      const [left, right] = line.back ? [line.edge.to, line.edge.from] : [line.edge.from, line.edge.to];
      assert.deepEqual(line.points[0], [at.get(left).x + SIZES.node, at.get(left).y]);
      if (line.points.length > 1) {
        assert.deepEqual(line.points.at(-1), [at.get(right).x, at.get(right).y]);
        for (let i = 1; i < line.points.length; i++) assert.ok(line.points[i][0] > line.points[i - 1][0]);
      }
    }
  }
});

test("parts stand side by side where there is room", () => {
  const edges = [edge("a", "b", 3), edge("c", "d", 2), edge("e", "f", 1)];
  const wide = layout([], edges, 5000);
  const narrow = layout([], edges, 300);
  assert.ok(wide.height < narrow.height && wide.width > narrow.width);
  assert.equal(new Set(narrow.nodes.map((node) => `${node.x} ${node.y}`)).size, 6);
  assert.equal(new Set(wide.nodes.map((node) => `${node.x} ${node.y}`)).size, 6);
});

test("nothing to draw", () => {
  assert.deepEqual(layout([], []), { width: 0, height: 0, nodes: [], edges: [] });
  assert.equal(layout([{ id: "a", mails: 1 }], []).nodes.length, 1);
});

test("a curve is a path of SVG", () => {
  assert.match(curve([[0, 1], [10, 1], [20, 5]]), /^M0 1L10 1C15 1 15 5 20 5$/);
});

test("labels do not lie upon each other, and the greatest edges have theirs", () => {
  const edges = Array.from({ length: 30 }, (_, i) => edge(`a${i}`, i % 2 ? "hub" : "other", 1 + i));
  const labels = placeLabels(layout([], edges).edges, 90, 12);
  const boxes = labels.map((label) => ({ left: label.end ? label.x - 90 : label.x, right: label.end ? label.x : label.x + 90, top: label.y - 12, bottom: label.y }));
  boxes.forEach((a, i) => boxes.slice(i + 1).forEach((b) => assert.ok(!(a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom))));
  assert.equal(labels[0].line.edge.mails, 30);
  assert.equal(labels.length, 30);
});

test("classes of delay", () => {
  assert.deepEqual([null, undefined, -5, 0, 0.99, 1, 59, 60, 1e6].map(delayClass), ["unknown", "unknown", "0", "0", "0", "1", "2", "3", "4"]);
});

test("names are shortened in the middle", () => {
  assert.equal(shorten("mx.example.org", 20), "mx.example.org");
  const short = shorten("a-very-long-name-of-a-host.mail.example.org", 25);
  assert.equal(short.length, 25);
  assert.equal(shorten("abc", 0), "\u2026");
  assert.ok(short.endsWith(".example.org"));
});
