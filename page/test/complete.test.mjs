import { test } from "node:test";
import assert from "node:assert/strict";
import { complete, fixedValues, ofStream, placeOf, taken } from "../src/complete.js";

const known = {
  query: [
    { name: "from", aliases: ["sender"], kind: "address", doc: "The sender.", example: "from:a@b.example" },
    { name: "subject", aliases: [], kind: "text", doc: "The subject.", example: "subject:invoice" },
    { name: "disposition", aliases: ["is"], kind: "word", doc: "What became of it.", example: "is:rejected" },
    { name: "since", aliases: [], kind: "time", doc: "Not older.", example: "since:7d" },
    { name: "size", aliases: [], kind: "size", doc: "Bytes.", example: "size:>10M" },
    { name: "agent", aliases: [], kind: "word", doc: "The program.", example: "agent:Thunderbird" },
    { name: "anomaly", aliases: [], kind: "word", doc: "Odd.", example: "anomaly:bidi_control" },
  ],
  anomalies: [{ name: "bidi_control", explained: "Controls of direction." }, { name: "qp_broken", explained: "Broken." }],
};
const labels = (text, values) => complete(text, text.length, known, values).items.map((item) => item.label);

test("names of fields by their beginning, aliases behind", () => {
  assert.deepEqual(labels("s"), ["subject", "since", "size", "sender"]);
  assert.deepEqual(labels("from:a -su"), ["subject"]);
  assert.deepEqual(labels("(fr"), ["from"]);
  assert.deepEqual(labels("i"), ["is"]);
  assert.deepEqual(labels("zzz"), []);
  assert.deepEqual(labels(""), []);
  assert.deepEqual(labels("word "), []);
});

test("values that are fixed, of aliases too", () => {
  assert.deepEqual(labels("is:re"), ["rejected", "deferred"]);
  assert.deepEqual(labels("-disposition:"), ["accepted", "rejected", "deferred", "aborted", "unknown"]);
  assert.deepEqual(labels("anomaly:b"), ["bidi_control", "qp_broken"]);
  assert.ok(fixedValues(known, { name: "anomaly" }).every((one) => one.hint));
  assert.equal(fixedValues(known, { name: "from" }), null);
});

test("values that were asked, those that begin so first", () => {
  const values = [{ value: "Apple Mail", count: 9 }, { value: "Thunderbird", count: 5 }, { value: "Mailchimp", count: 2 }];
  assert.deepEqual(labels("agent:mail", values), ["Mailchimp", "Apple Mail"]);
  assert.deepEqual(labels('agent:"apple m', values), ["Apple Mail"]);
});

test("an example where no value is known", () => assert.deepEqual(complete("from:", 5, known).items, [{ insert: null, label: "from:a@b.example", hint: "The sender." }]));

test("taking one replaces the word at the caret alone", () => {
  const text = "fro:x sub tls:no";
  const { place, items } = complete(text, 9, known);
  assert.deepEqual(taken(text, place, items[0]), { text: "fro:x subject: tls:no", caret: 14 });
  const value = complete("is:rej from:a", 6, known);
  assert.deepEqual(taken("is:rej from:a", value.place, value.items[0]), { text: "is:rejected from:a", caret: 12 });
  const quoted = complete('agent:"apple', 12, known, [{ value: "Apple Mail" }]);
  assert.deepEqual(taken('agent:"apple', quoted.place, quoted.items[0]), { text: 'agent:"Apple Mail" ', caret: 19 });
  const size = complete("size:", 5, known);
  assert.equal(taken("size:", size.place, size.items[0]).text, "size:>100K ");
});

test("places", () => {
  assert.equal(placeOf("is:rejected", 11).kind, "value");
  assert.equal(placeOf("is:rejected", 2).kind, "field");
  assert.equal(placeOf('"in a phrase', 5).kind, null);
  assert.equal(placeOf("(", 1).kind, null);
  for (let i = 0; i <= 12; i++) assert.ok(placeOf('-a:"b c" OR ', i));
});

test("choices of the server, and fields of one stream", () => {
  const told = { anomalies: [], query: [{ name: "end", aliases: [], streams: ["smtp_session"], choices: ["quit", "rst"] }, { name: "uid", aliases: [], streams: ["smtp", "smtp_session"], choices: [] }] };
  assert.deepEqual(complete("end:r", 5, ofStream(told, "smtp_session")).items.map((item) => item.label), ["rst"]);
  assert.deepEqual(complete("e", 1, ofStream(told, "smtp")).items, []);
  assert.deepEqual(complete("u", 1, ofStream(told, "smtp")).items.map((item) => item.label), ["uid"]);
});
