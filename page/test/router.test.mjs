import { test } from "node:test";
import assert from "node:assert/strict";
import { address, find, matcher, parseQuery, safeBack } from "../src/router.js";
import { clockOf, rangeOf, rangeQuery, shifted } from "../src/range.js";

test("a pattern takes its paths alone", () => {
  const host = matcher("/hosts/:host");
  assert.deepEqual(host("/hosts/mx%201.example.org"), { host: "mx 1.example.org" });
  assert.deepEqual(host("/hosts/2001%3Adb8%3A%3A1/"), { host: "2001:db8::1" });
  assert.equal(host("/hosts"), null);
  assert.equal(host("/hosts/a/b"), null);
  assert.equal(host("/hosts/%ZZ"), null);
  assert.deepEqual(matcher("/")("/"), {});
});

test("the first view that matches", () => {
  const views = [{ pattern: "/" }, { pattern: "/mails" }, { pattern: "/mails/:id" }];
  assert.equal(find(views, "/mails/17").view, views[2]);
  assert.equal(find(views, "/nothing"), null);
});

test("addresses and queries are each other's opposite", () => {
  const query = { q: 'from:a@b.example subject:"a + b & c=d"', since: "7d", cols: "time,from" };
  assert.deepEqual(parseQuery(address("/mails", query).slice("/mails".length)), query);
  assert.equal(address("/mails", { q: "", since: null, until: undefined }), "/mails");
  assert.equal(address("/mails", { q: "from:a@b.example", cols: "a,b" }), "/mails?q=from:a@b.example&cols=a,b");
});

test("the first of two values counts", () => assert.deepEqual(parseQuery("?a=1&a=2"), { a: "1" }));

test("nobody is sent elsewhere after a log-in", () => {
  assert.equal(safeBack("/mails?q=a"), "/mails?q=a");
  for (const bad of ["//evil.example", "/\\evil.example", "https://evil.example", "javascript:alert(1)", "/\t/evil.example", undefined, "", "/log-in?back=/log-in"]) assert.equal(safeBack(bad), "/", String(bad));
});

test("ranges of time", () => {
  const now = 1_000_000;
  const clock = clockOf({ first: 500_000, last: now - 60 }, now);
  assert.deepEqual(rangeOf({}, clock), { since: now - 86400, until: now, from: now - 86400, live: true, ended: false, bare: false, preset: "24h", params: { since: "24h" }, query: {} });
  assert.deepEqual(rangeOf({ since: "7d" }, clock).params, { since: "7d" });
  assert.deepEqual(rangeOf({ since: "all" }, clock), { since: null, until: now, from: 500_000, live: true, ended: false, bare: false, preset: "all", params: {}, query: { since: "all" } });
  const fixed = rangeOf({ since: "900000", until: "950000" }, clock);
  assert.equal(fixed.live, false);
  assert.equal(fixed.preset, null);
  assert.deepEqual(fixed.params, { since: "900000", until: "950000" });
  assert.equal(rangeOf({ since: "nonsense" }, clock).since, now - 86400);
  assert.deepEqual(rangeOf({ until: "950000" }, clock).params, { until: "950000" });
  assert.equal(rangeOf({ since: "900000" }, clock).live, true);
  assert.deepEqual(shifted({ since: 100, until: 200 }, -1, now), { since: 0, until: 100 });
  assert.deepEqual(shifted({ since: now - 150, until: now - 50 }, 1, now), { since: now - 100, until: now });
  assert.deepEqual(rangeQuery({ since: 1.7, until: 2.2 }), { since: "1", until: "3" });
});

test("a store that ended long ago has its end for now", () => {
  const clock = clockOf({ first: 100_000, last: 600_000.5 }, 1_000_000);
  assert.deepEqual(clock, { now: 600_001, ended: true, first: 100_000, bare: false });
  const day = rangeOf({ since: "24h" }, clock);
  assert.deepEqual(day.params, { since: String(600_001 - 86400), until: "600001" });
  assert.deepEqual([day.live, day.ended, day.preset], [false, true, "24h"]);
  assert.deepEqual(rangeOf({ since: "all" }, clock).params, { until: "600001" });
  assert.equal(rangeOf({}, clock).preset, "all", "a short one as a whole");
  const long = rangeOf({}, clockOf({ first: 0, last: 8_000_000 }, 9_000_000));
  assert.deepEqual([long.preset, long.until - long.since], ["7d", 7 * 86400]);
  assert.equal(clockOf({}, 5).now, 5);
  assert.equal(rangeOf({}, clockOf({ first: null, last: null }, 5)).bare, true);
  assert.equal(clockOf({ first: null, last: null }, 5).ended, false);
});
