// Texts under the time axis.
import test from "node:test";
import assert from "node:assert/strict";
import { axisTexts } from "../src/chart_axis.js";

const at = (text) => Date.parse(text) / 1000;

test("hours, and the date where it changes", () => {
  assert.deepEqual(axisTexts([at("2026-11-29T22:00Z"), at("2026-11-29T23:00Z"), at("2026-11-30T00:00Z")], 3600, true), ["22:00\n29 Nov", "23:00", "00:00\n30 Nov"]);
});

test("days, and the year where it changes", () => {
  assert.deepEqual(axisTexts([at("2025-12-30Z"), at("2025-12-31Z"), at("2026-01-01Z")], 86400, true), ["30 Dec\n2025", "31 Dec", "1 Jan\n2026"]);
});

test("seconds where marks are nearer than a minute", () => {
  assert.deepEqual(axisTexts([at("2026-01-01T00:00:15Z")], 15, true), ["00:00:15\n1 Jan"]);
});
