// Words for notices: their state, what their kind means, what can be muted.

import { label } from "../parts/text.js";

export const STATES = { open: ["open", "warn", "Nobody has decided on it yet."], acknowledged: ["acknowledged", "good", "Somebody has seen to it."], muted: ["muted", null, "A mute covers it."] };

// Nothing where the state is not told.
export function stateLabel(notice) {
  return notice.state && label(...(STATES[notice.state] ?? STATES.open));
}

// "SMTP::Blocklist_Blocked_Host" as people read it.
export function kindName(note) {
  return (note ?? "").replace(/^SMTP::/, "").replaceAll("_", " ");
}

// What a notice says in one line. Whoever may not read that has its kind and whom it is about.
export function titleOf({ msg, note, host, src }) {
  if (msg && msg !== "***") return msg;
  return [kindName(note), host ?? src].filter(Boolean).join(": ");
}

const MEANINGS = {
  listed: "The receiver refuses, as a block list names the host. Find the cause, then ask for removal.",
  policy: "The receiver refuses by a rule of its own; no public list is behind it.",
  rate_limit: "The receiver takes no more for now: too much came in a short time.",
  query_failed: "The receiver's own question to the list went wrong: that is for the receiver to mend, the host need not be listed.",
  authentication: "The receiver misses SPF, DKIM or DMARC, or finds them wrong.",
};

export function meaningOf(record) {
  return MEANINGS[record.kind] ?? null;
}

// What a mute of this notice can cover, the narrowest first: [{key, text, body of POST /mutes}].
export function muteScopes({ note, host, identifier }) {
  const rows = [];
  if (note && identifier) rows.push({ key: "identifier", text: `The same again: ${kindName(note)}, ${identifier}`, body: { note, identifier } });
  if (note && host) rows.push({ key: "host", text: `This kind about this host: ${kindName(note)}, ${host}`, body: { note, host } });
  if (note) rows.push({ key: "kind", text: `All notices of this kind: ${kindName(note)}`, body: { note } });
  return rows;
}

// What a mute covers, in words.
export function muteText(mute) {
  const parts = [mute.note ? kindName(mute.note) : "all kinds", mute.identifier ? mute.identifier : mute.host ? `about ${mute.host}` : null];
  return parts.filter(Boolean).join(", ");
}

export const MUTE_TIMES = [["86400", "for a day"], ["604800", "for a week"], ["2592000", "for 30 days"], ["", "until somebody ends it"]];
