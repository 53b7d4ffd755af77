// A range of time that has a beginning, for what is drawn over time: "all times" begins where the first mail is.

import { get } from "./api.js";

const LONG = 20 * 366 * 86400;

// {since, until, params}: epoch seconds, and what goes to the API.
export async function bounded(range, signal) {
  if (range.since !== null) return { since: range.since, until: range.until, params: range.params };
  const since = Math.floor(range.until - LONG);
  const answer = await get("/timeline", { since, until: range.params.until }, { signal });
  const first = answer.series.mails.findIndex((mails, i) => mails > 0 || answer.series.notices?.[i] > 0);
  const from = first < 0 ? range.until - 86400 : answer.times[first];
  return { since: from, until: range.until, params: { ...range.params, since: String(from) } };
}
