// Plain words on the capture, and where keys of dimensions lead.
import test from "node:test";
import assert from "node:assert/strict";
import { judgeHealth } from "../src/health.js";
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
