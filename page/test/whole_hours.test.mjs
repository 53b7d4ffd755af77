// When a view says that it counts in whole hours.
import test from "node:test";
import assert from "node:assert/strict";
import { wholeHours } from "../src/whole_hours.js";

test("it is said where it makes a difference", () => {
  assert.equal(wholeHours({}, { since: 0, until: 3600 }), null);
  assert.equal(wholeHours({ since: 0, until: 86400 * 7 + 3600 }, { since: 1800, until: 86400 * 7 }), null);
  assert.match(wholeHours({ since: 0, until: 3600 }, { since: 600, until: 900 }), /^Counted in whole hours: /);
  assert.equal(wholeHours({ since: 0, until: 7200 }, { since: 0, until: 3601, live: true }), null);
  assert.equal(wholeHours({ since: 0, until: 3600 }, { since: null, until: 900 }), null);
});
