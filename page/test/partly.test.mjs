// What is said where not all was counted.
import test from "node:test";
import assert from "node:assert/strict";
import { partlyText } from "../src/partly.js";

test("only where an answer says so", () => {
  assert.equal(partlyText({ complete: true }, {}, undefined), null);
  assert.match(partlyText({ complete: true }, { complete: false, searched_to: null }), /too low\. A shorter/);
  assert.match(partlyText({ complete: false, searched_to: 1795382247 }, { complete: false, searched_to: 5 }), /older than 2026-11-2\d .* is missing/);
});
