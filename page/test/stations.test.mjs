import { test } from "node:test";
import assert from "node:assert/strict";
import { boundary, wayOf } from "../src/mail/stations.js";
import { typesDiffer } from "../src/mail/types.js";

const record = {
  helo: "fwd.example", "id.orig_h": "203.0.113.61", "id.resp_h": "192.0.2.25", tls: false, ts: 100, origin: { ip: "203.0.113.61", country: "FR" },
  hops: [
    { from_helo: "out.example", from_rdns: "out.example", from_ip: "198.51.100.80", by: "fwd.example", with: "ESMTPS", tls_version: "TLSv1.3", delay: 2, time: 90 },
    { from_helo: "[10.0.0.5]", from_ip: "10.0.0.5", by: "out.example", with: "ESMTPSA", time: 88, private: true },
  ],
};

test("stations from the oldest hop to the server", () => {
  const { stations, steps } = wayOf(record, { banner: "mx1.example ESMTP Postfix" });
  assert.deepEqual(stations.map((one) => one.name ?? one.ip), ["10.0.0.5", "out.example", "fwd.example", "mx1.example"]);
  assert.deepEqual(stations.map((one) => one.ip), ["10.0.0.5", "198.51.100.80", "203.0.113.61", "192.0.2.25"]);
  assert.deepEqual(steps.map((one) => [one.with, one.tls, one.delay, one.seen]), [["ESMTPSA", "TLS", undefined, false], ["ESMTPS", "TLSv1.3", 2, false], ["SMTP", null, undefined, true]]);
  assert.deepEqual(stations.map((one) => Boolean(one.origin)), [false, false, true, false]);
  assert.equal(stations[1].rdns, undefined, "the same name is not said twice");
});

test("without a Received line the connection alone", () => {
  const { stations, steps } = wayOf({ ...record, hops: undefined }, null);
  assert.deepEqual(stations.map((one) => one.role), ["client", "server"]);
  assert.equal(steps.length, 1);
});

test("from where on the way is sure", () => {
  const steps = (...trusted) => [...trusted.map((one) => ({ trusted: one, seen: false })), { trusted: true, seen: true }];
  assert.equal(boundary(steps(false, false)), 2);
  assert.equal(boundary(steps(false, true)), 1);
  assert.equal(boundary(steps(true, true)), 0);
  assert.equal(boundary(steps(true, false)), 2, "a trusted line behind one that is not counts for nothing");
  assert.equal(boundary(steps()), 0);
});

test("types that contradict each other", () => {
  for (const [a, b] of [["image/jpeg", "application/x-dosexec"], ["text/plain", "application/pdf"], ["application/pdf", "text/html"]]) assert.ok(typesDiffer(a, b), `${a} ${b}`);
  for (const [a, b] of [["text/plain", "text/x-c"], ["application/octet-stream", "application/pdf"], ["image/jpg", "image/jpeg"], ["application/vnd.openxmlformats-officedocument.wordprocessingml.document", "application/zip"], ["message/rfc822", "text/plain"], ["image/png", undefined]]) assert.ok(!typesDiffer(a, b), `${a} ${b}`);
});
