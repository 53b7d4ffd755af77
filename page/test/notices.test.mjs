// Words for notices, and what a mute can cover.
import test from "node:test";
import assert from "node:assert/strict";
import { kindName, meaningOf, muteScopes, muteText, titleOf } from "../src/notices/state.js";

const notice = { note: "SMTP::Blocklist_Blocked_Host", host: "192.0.2.1", identifier: "192.0.2.1 Spamhaus ZEN", msg: "192.0.2.1 is on an SMTP block list", kind: "listed" };

test("the narrowest mute stands first, and each names a kind", () => {
  const scopes = muteScopes(notice);
  assert.deepEqual(scopes.map((scope) => scope.key), ["identifier", "host", "kind"]);
  for (const { body } of scopes) assert.equal(body.note, notice.note);
  assert.deepEqual(muteScopes({ note: "X" }).map((scope) => scope.body), [{ note: "X" }]);
});

test("what a mute covers, in words", () => {
  assert.equal(muteText({ note: notice.note, identifier: "a b" }), "Blocklist Blocked Host, a b");
  assert.equal(muteText({ note: notice.note, host: "192.0.2.1" }), "Blocklist Blocked Host, about 192.0.2.1");
  assert.equal(muteText({ note: notice.note }), "Blocklist Blocked Host");
});

test("a title without the words that are hidden", () => {
  assert.equal(titleOf(notice), notice.msg);
  assert.equal(titleOf({ ...notice, msg: "***" }), "Blocklist Blocked Host: 192.0.2.1");
  assert.equal(titleOf({ note: "SMTP::X" }), "X");
  assert.equal(kindName(undefined), "");
});

test("meanings are told where they are known", () => {
  assert.match(meaningOf(notice), /removal/);
  assert.equal(meaningOf({ kind: "other" }), null);
});
