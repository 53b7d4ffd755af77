// Plain words on the capture, and where keys of dimensions lead.
import test from "node:test";
import assert from "node:assert/strict";
import { judgeAll, judgeHealth, judgeSensors } from "../src/health.js";
import { reasonText } from "../src/reasons.js";
import { DIMENSIONS, foundHref, hostHref } from "../src/dimensions.js";

const series = { packets: [100, 900], kernel_drops: [0, 0], ring_drops: [0, 0], gap_bytes: [0, 0], one_sided: [0, 0], sessions: [3, 4] };

test("all is well", () => {
  const words = judgeHealth({ series, last: {}, loss: 0, gap_share: 0, one_sided: 0 });
  assert.equal(words.tone, "good");
  assert.equal(words.headline, "All is well");
  assert.match(words.lines[0], /No packet of 1,000/);
});

test("lost packets are told with where they were lost", () => {
  const words = judgeHealth({ series: { ...series, kernel_drops: [1, 1] }, last: {}, loss: 0.002, one_sided: 0 });
  assert.equal(words.tone, "warn");
  assert.match(words.lines[0], /0\.2 % .*2 by the kernel/);
  assert.equal(judgeHealth({ series, last: {}, loss: 0.05, one_sided: 0 }).tone, "bad");
});

test("records that could not be written are the worst", () => {
  const words = judgeHealth({ series: { ...series, records_lost: [0, 7] }, last: {}, loss: 0, gap_share: 0, one_sided: null });
  assert.deepEqual([words.tone, words.headline], ["bad", "Records lost"]);
  assert.match(words.lines.at(-1), /^7 records/);
});

test("one-sided sessions are told where their share is not known", () => {
  assert.match(judgeHealth({ series: { ...series, one_sided: [2, 3] }, last: {}, loss: 0, one_sided: null }).lines[2], /^5 sessions/);
});

test("many one-sided sessions ask for the mirror port", () => {
  const words = judgeHealth({ series, last: {}, loss: 0, one_sided: 0.4 });
  assert.equal(words.tone, "bad");
  assert.match(words.lines[2], /mirror port/);
});

test("a capture that tells nothing is not called well", () => {
  assert.equal(judgeHealth({ series: { packets: [] }, last: null, loss: 0, one_sided: 0 }).tone, "none");
});

test("reasons have words", () => {
  assert.equal(reasonText("5.7.1 rcpt"), "policy");
  assert.equal(reasonText("4.2.2 rcpt"), "mailbox is full");
  assert.equal(reasonText("550 rcpt"), "mailbox, or policy");
  assert.equal(reasonText("5.99.99"), null);
  assert.equal(reasonText("constructor"), null);
});

test("keys lead to queries that find them", () => {
  const range = { since: "7d" };
  assert.equal(foundHref("client", "192.0.2.1", range), "/mails?q=ip:192.0.2.1&since=7d");
  assert.equal(foundHref("sender", "example.org", {}), "/mails?q=from:*@example.org");
  assert.equal(new URL(foundHref("sender", "<>", {}), "http://x").searchParams.get("q"), 'from:"<>"');
  assert.equal(new URL(foundHref("reason", "5.7.1 rcpt", {}), "http://x").searchParams.get("q"), "enhanced:5.7.1 stage:rcpt");
  assert.equal(new URL(foundHref("reason", "550", {}), "http://x").searchParams.get("q"), "code:550");
  assert.equal(new URL(foundHref("list", "Spamhaus ZEN", {}), "http://x").searchParams.get("q"), 'list:"Spamhaus ZEN"');
  assert.equal(foundHref("tls_version", "TLSv13", {}), null);
  assert.equal(foundHref("client", "", {}), null);
  assert.equal(hostHref("<>", {}), null);
  assert.equal(hostHref("a/b?c", {}), "/hosts/a%2Fb%3Fc");
  for (const row of Object.values(DIMENSIONS)) assert.ok(row.title && row.one);
});

test("sensors stand with the worst first, and a silent one is told before all else", () => {
  const well = { sensor: "a", last: 1000, every: 60, sums: { packets: 100 }, loss: 0, gap_share: 0, one_sided: 0 };
  const lossy = { sensor: "b", last: 990, every: 60, sums: { packets: 100, kernel_drops: 1 }, loss: 0.005, gap_share: 0, one_sided: 0 };
  const slow = { sensor: null, last: 100, every: 3600, sums: { packets: 100 }, loss: 0, gap_share: 0, one_sided: 0 };
  const health = { series, last: {}, loss: 0, gap_share: 0, one_sided: 0 };
  assert.deepEqual(judgeSensors({ sensors: [well, slow, lossy] }, 1010).map((row) => [row.sensor, row.tone, row.silent]), [["b", "warn", false], ["a", "good", false], [null, "good", false]]);
  assert.equal(judgeAll({ ...health, sensors: [well, slow] }, 1010).headline, "All is well");
  const warned = judgeAll({ ...health, sensors: [well, lossy] }, 1010);
  assert.deepEqual([warned.tone, warned.headline, warned.lines[0]], ["warn", "0.5 % lost", "Sensor b: 0.5 % lost."]);
  const silent = judgeAll({ ...health, sensors: [well, lossy] }, 1291);
  assert.deepEqual([silent.tone, silent.headline], ["bad", "1 of 2 silent"]);
  assert.equal(silent.lines[0], "1 of 2 sensors has fallen silent: b (last word 5 min ago).");
  assert.equal(judgeAll({ ...health, sensors: [well] }, 1400).headline, "Silent");
  assert.equal(judgeAll({ ...health, sensors: [well, lossy] }, 1291, "a").tone, "good");
  assert.equal(judgeAll({ ...health, sensors: [] }, 1291).tone, "good");
});
