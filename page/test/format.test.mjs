import { test } from "node:test";
import assert from "node:assert/strict";
import * as format from "../src/format.js";
import { pieces, visible } from "../src/visible.js";

test("numbers keep to what fits", () => {
  assert.equal(format.count(1234567), "1,234,567");
  assert.equal(format.count(null), "–");
  assert.deepEqual([0, 7, 999, 1000, 1234, 12345, 999_999, 1e6, 2.5e9].map(format.compact), ["0", "7", "999", "1.0k", "1.2k", "12k", "1.0M", "1.0M", "2.5G"]);
  assert.deepEqual([0, 1023, 1024, 1536, 10 * 2 ** 20, 3 * 2 ** 30].map(format.bytes), ["0 B", "1023 B", "1.0 KiB", "1.5 KiB", "10 MiB", "3.0 GiB"]);
  assert.deepEqual([0, 0.0004, 0.012, 0.5, 1].map(format.percent), ["0 %", "0.04 %", "1.2 %", "50 %", "100 %"]);
  assert.equal(format.percent(NaN), "–");
});

test("lengths of time have two units", () => {
  assert.deepEqual([0, 0.0000004, 0.0021, 0.25, 1.25, 42.4, 125, 3600, 12_000, 187_200, -90].map(format.duration),
    ["0 s", "1 µs", "2 ms", "250 ms", "1.3 s", "42 s", "2 min 5 s", "1 h", "3 h 20 min", "2 d 4 h", "−1 min 30 s"]);
});

test("times in UTC", () => {
  const ts = Date.UTC(2026, 10, 30, 8, 5, 9) / 1000;
  assert.equal(format.dateTime(ts, "UTC"), "2026-11-30 08:05:09");
  assert.equal(format.dayTime(ts, "UTC"), "11-30 08:05");
  assert.equal(format.zoneName(ts, "UTC"), "UTC");
  assert.equal(format.dateTime(NaN), "–");
  assert.equal(format.ago(ts, ts + 125), "2 min ago");
  assert.equal(format.ago(ts + 60, ts), "ahead of now");
});

test("a URL that leads nowhere", () => {
  assert.equal(format.defang("https://bad.example.org/a.b?c=d.e"), "hxxps://bad[.]example[.]org/a.b?c=d.e");
  assert.equal(format.defang("HTTP://bad.example"), "hxxp://bad[.]example");
  assert.equal(format.defang("ftp://h.example/x"), "fxp://h[.]example/x");
  assert.equal(format.defang("www.bad.example?x"), "www[.]bad[.]example?x");
});

test("a country by its code", () => {
  assert.equal(format.country("DE"), "Germany");
  assert.equal(format.country(null), "");
  assert.equal(format.country("no code"), "no code");
});

test("what hides is shown", () => {
  assert.deepEqual(pieces("plain"), [{ text: "plain" }]);
  assert.deepEqual(pieces(""), []);
  assert.deepEqual(pieces("a\u202egpj.exe"), [{ text: "a" }, { sign: "U+202E", what: "U+202E right-to-left override" }, { text: "gpj.exe" }]);
  assert.equal(visible("a\tb\0c\u007f"), "a⟨␉⟩b⟨␀⟩c⟨␡⟩");
  assert.equal(visible("zero\u200bwidth\ufeff"), "zero⟨U+200B⟩width⟨U+FEFF⟩");
  assert.equal(visible("tag\u{e0041}"), "tag⟨U+E0041⟩");
  assert.equal(pieces("\ufffe")[0].what, "U+FFFE no character");
});

test("a joiner inside of a picture is none", () => {
  assert.equal(visible("👩‍💻 at work"), "👩‍💻 at work");
  assert.equal(visible("a\u200d💻"), "a⟨U+200D⟩💻");
  assert.equal(visible("💻\u200d"), "💻⟨U+200D⟩");
});
