// A range of time that has a beginning, for what is drawn over time: "all times" begins where the first mail is.

import { get } from "./api.js";

const LONG = 20 * 366 * 86400;
const FINE = 3600;

// The step of all from since on in which the first mail or notice is: {from, step}; null where there is none.
async function firstStep(since, until, signal) {
  const answer = await get("/timeline", { since: Math.floor(since), until }, { signal });
  const at = answer.series.mails.findIndex((mails, i) => mails > 0 || answer.series.notices?.[i] > 0);
  return at < 0 ? null : { from: answer.times[at], step: answer.step };
}

// {since, until, live, params}: epoch seconds, and what goes to the API.
export async function bounded(range, signal) {
  if (range.since !== null) return { since: range.since, until: range.until, live: range.live, params: range.params };
  const rough = await firstStep(range.until - LONG, range.params.until, signal);
  const found = rough && rough.step > FINE ? ((await firstStep(rough.from, range.params.until, signal)) ?? rough) : rough;
  const since = found?.from ?? range.until - 86400;
  return { since, until: range.until, live: range.live, params: { ...range.params, since: String(since) } };
}
