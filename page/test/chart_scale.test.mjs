// Steps, ranges that zoom, classes of the logarithmic scale.
import test from "node:test";
import assert from "node:assert/strict";
import * as scale from "../src/chart_scale.js";

test("steps", () => {
  assert.equal(scale.stepFor({ since: 0, until: 3600 }, 60), 60);
  assert.equal(scale.stepFor({ since: 0, until: 86400 }, 300), 300);
  assert.equal(scale.stepFor({ since: 0, until: 7 * 86400 }, 300), 3600);
  const years = { since: 0, until: 40 * 366 * 86400 };
  assert.ok((years.until - years.since) / scale.stepFor(years, 300) <= 300);
  for (let i = 1; i < scale.STEPS.length; i++) assert.ok(scale.STEPS[i] > scale.STEPS[i - 1]);
});

test("steps as units", () => {
  assert.deepEqual([60, 300, 3600, 21600, 86400, 172800, 604800, 90, 1].map(scale.stepText), ["minute", "5 min", "hour", "6 h", "day", "2 days", "week", "90 s", "second"]);
});

test("zoom in ends at a minute", () => {
  let range = { since: 0, until: 86400 };
  for (let i = 0; i < 30; i++) range = scale.zoomIn(range);
  assert.equal(range.until - range.since, 60);
});

test("zoom out never goes beyond now, nor beyond what it shows", () => {
  const wide = scale.zoomOut({ since: 1000, until: 2000 }, 2100);
  assert.deepEqual(wide, { since: 100, until: 2100 });
  assert.equal(scale.zoomOut({ since: 1000, until: 2000 }, 500).until, 2000);
});

test("left and right", () => {
  assert.deepEqual(scale.earlier({ since: 1000, until: 2000 }), { since: 500, until: 1500 });
  assert.deepEqual(scale.later({ since: 1000, until: 2000 }, 9000), { since: 1500, until: 2500 });
  assert.deepEqual(scale.later({ since: 1000, until: 2000 }, 2200), { since: 1200, until: 2200 });
});

test("a drag marks whole steps, a click nothing", () => {
  assert.equal(scale.draggedRange(100, 101, 60, 2), null);
  assert.deepEqual(scale.draggedRange(400, 130, 60, -80), { since: 120, until: 420 });
  assert.deepEqual(scale.draggedRange(120, 120, 60, 9), { since: 120, until: 180 });
});

test("a line does not rest at nothing", () => {
  assert.deepEqual(scale.withoutRests([0, 0, 0, 5, 0, 0, 0]), [null, null, 0, 5, 0, null, null]);
  assert.deepEqual(scale.withoutRests([]), []);
});

test("classes of the logarithmic scale", () => {
  assert.deepEqual(scale.logBounds(0, 6), [1]);
  assert.deepEqual(scale.logBounds(50, 6), [1, 3, 10, 30]);
  assert.deepEqual(scale.logBounds(123456, 6), [1, 10, 100, 1000, 10000, 100000]);
  assert.ok(scale.logBounds(1e15, 6).length <= 6);
  const bounds = scale.logBounds(5000, 6);
  assert.deepEqual([0, 1, 9, 10, 5000].map((value) => scale.classOf(value, bounds)), [-1, 0, 0, 1, 3]);
});

test("widths by the logarithm", () => {
  assert.equal(scale.logWidth(1, 1000, 1, 10), 1);
  assert.equal(scale.logWidth(1000, 1000, 1, 10), 10);
  assert.ok(Math.abs(scale.logWidth(10, 1000, 1, 10) - 4) < 1e-9);
  assert.equal(scale.logWidth(1, 1, 1, 10), 1);
});

test("a share of nothing is none", () => {
  assert.equal(scale.share(0, 0), null);
  assert.equal(scale.share(1, 4), 0.25);
});
