// Sums by key are kept by the hour: where that is more than what was asked for, a view says which hours it shows.
// Pure but for the viewer's zone. In: an answer with since and until as counted, the range {since, until, live}. Out: a text, or null where it makes no difference.

import { span } from "./format.js";

const MATTERS = 0.05;

export function wholeHours(answer, range) {
  if (!Number.isFinite(answer.since) || !Number.isFinite(answer.until) || range.since === null) return null;
  const asked = range.until - range.since;
  // What lies ahead of now has no mails.
  const counted = (range.live ? range.until : answer.until) - answer.since;
  return asked > 0 && counted > asked * (1 + MATTERS) ? `Counted in whole hours: ${span(answer.since, answer.until)}` : null;
}
