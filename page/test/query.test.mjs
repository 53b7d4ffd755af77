import { test } from "node:test";
import assert from "node:assert/strict";
import { byteRange, hasTerm, quoted, terms, toggledTerm, withoutTerm, looserTerm } from "../src/query.js";

test("terms and where they stand", () => {
  const q = 'from:anna -subject:"a (b) c" (is:rejected OR word)';
  const found = terms(q);
  assert.deepEqual(found.map((one) => one.mark ?? one.text), ["from:anna", '-subject:"a (b) c"', "(", "is:rejected", "OR", "word", ")"]);
  assert.deepEqual([found[1].field, found[1].value, found[1].negated], ["subject", '"a (b) c"', true]);
  for (const one of found) assert.equal(q.slice(one.at, one.end), one.text);
});

test("an open quotation mark goes to the end", () => assert.deepEqual(terms('a subject:"b c').map((one) => one.text), ["a", 'subject:"b c']));

test("every query ends", () => {
  for (const q of ['"', "-", "::", "a:", ":a", '""', "((", "-\"x", "é:ü", '"\\']) assert.ok(terms(q).length >= 1, q);
});

test("values are quoted where they must be", () => {
  assert.equal(quoted("a@b.example"), "a@b.example");
  assert.equal(quoted("two words"), '"two words"');
  assert.equal(quoted('a "b"'), '"a \\"b\\""');
  assert.equal(quoted("<>"), '"<>"');
});

test("a press adds, the next one takes out", () => {
  assert.equal(toggledTerm("", "country", "RU"), "country:RU");
  assert.equal(toggledTerm("from:a", "country", "RU"), "from:a country:RU");
  assert.equal(toggledTerm("from:a country:ru subject:b", "country", "RU"), "from:a subject:b");
  assert.equal(toggledTerm("country:RU", "country", "RU", true), "-country:RU");
  assert.equal(toggledTerm("a OR b", "tls", "no"), "(a OR b) tls:no");
  assert.equal(toggledTerm("(a OR b)", "tls", "no"), "(a OR b) tls:no");
  assert.equal(toggledTerm('subject:"two  blanks" tls:no', "tls", "no"), 'subject:"two  blanks"');
  const q = toggledTerm("", "agent", 'My "Mailer" 2');
  assert.ok(hasTerm(q, "agent", 'My "Mailer" 2'));
  assert.equal(withoutTerm(q, "agent", 'My "Mailer" 2'), "");
});

test("bytes of a query to its characters", () => {
  assert.deepEqual(byteRange("dispostion:x", 0, 10), { from: 0, to: 10 });
  assert.deepEqual(byteRange("für foo:x", 5, 3), { from: 4, to: 7 });
  assert.deepEqual(byteRange("😀 foo:x", 5, 3), { from: 3, to: 6 });
  assert.deepEqual(byteRange("ab", 1, 99), { from: 1, to: 2 });
  assert.deepEqual(byteRange("ab", 9, 1), { from: 2, to: 2 });
});

test("a name that lacks its stars gets them", () => {
  assert.deepEqual(looserTerm("host:1.2.3.4 list:spamhaus x", ["list"]), { q: "host:1.2.3.4 list:*spamhaus* x", field: "list", term: "list:*spamhaus*" });
  for (const q of ["list:spam*", 'list:"Spamhaus ZEN"', "-list:spamhaus", "from:anna", "list:", ""]) assert.equal(looserTerm(q, ["list"]), null);
});
