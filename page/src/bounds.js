// A range of time that has a beginning, for sums and what is drawn over time: "all times" begins where the first record is.

import { get } from "./api.js";

const LONG = 20 * 366 * 86400;
const FINE = 3600;

// The step of all from since on in which the first mail or notice is: {from, step}; null where there is none.
async function firstStep(since, until, signal) {
  const answer = await get("/timeline", { since: Math.floor(since), until }, { signal });
  const at = answer.series.mails.findIndex((mails, i) => mails > 0 || answer.series.notices?.[i] > 0);
  return at < 0 ? null : { from: answer.times[at], step: answer.step };
}

function from(range, since) {
  return { since, until: range.until, live: range.live, params: { ...range.params, since: String(since) } };
}

// {since, until, live, params}: epoch seconds, and what goes to the API.
export async function bounded(range, signal) {
  if (range.since !== null) return { since: range.since, until: range.until, live: range.live, params: range.params };
  if (Number.isFinite(range.from)) return from(range, Math.floor(range.from));
  const rough = await firstStep(range.until - LONG, range.params.until, signal);
  const found = rough && rough.step > FINE ? ((await firstStep(rough.from, range.params.until, signal)) ?? rough) : rough;
  return from(range, found?.from ?? range.until - 86400);
}
