// The range of time that all views share, kept in the address as since and until. Pure.
// since: 24h (relative, ago) or epoch seconds; until: absent (now) or epoch seconds. "all": no bounds. Without either: a day.
// A store that ended long ago (captures that were read) has its end for now: else every view of it would begin empty. Without either it is shown
// as a whole, where it is short, else its last week.

export const PRESETS = [["15m", "15 minutes"], ["1h", "1 hour"], ["6h", "6 hours"], ["24h", "24 hours"], ["7d", "7 days"], ["30d", "30 days"], ["90d", "90 days"], ["all", "all times"]];
const UNITS = { s: 1, m: 60, h: 3600, d: 86400, w: 604800 };
const LONG_AGO = 86400;
const SHORT = 8 * 86400;

function ago(text) {
  const match = /^(\d{1,9})([smhdw])$/.exec(text ?? "");
  return match ? Number(match[1]) * UNITS[match[2]] : null;
}

function absolute(text) {
  if (text === undefined || text === null || text === "") return null;
  if (/^\d{1,11}(\.\d+)?$/.test(text)) return Number(text);
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? null : ms / 1000;
}

// What now is for a store from first to last (epoch seconds, null: empty): {now, ended, first, bare: it has nothing}.
export function clockOf({ first = null, last = null } = {}, now = Date.now() / 1000) {
  const ended = last !== null && now - last > LONG_AGO;
  return { now: ended ? Math.floor(last) + 1 : now, ended, first, bare: last === null };
}

function standard({ now, ended, first }) {
  if (!ended) return "24h";
  return first !== null && now - first < SHORT ? "all" : "7d";
}

/* {since, until: epoch seconds (since null: no bound), from: since, else where the store begins (null: not known), live: until is now and may become later,
 * ended: until is the store's end, bare: there was nothing in the store when the page was opened, preset: its text or null, params: what goes to the API, query: what goes into addresses of the page} */
export function rangeOf(query, clock = clockOf()) {
  const { now, ended, first, bare } = clock;
  const until = absolute(query.until);
  const text = query.since ?? (until === null ? standard(clock) : undefined);
  const back = ago(text);
  const end = until ?? now;
  const open = text === "all" || (text === undefined && until !== null);
  const since = open ? null : back !== null ? end - back : absolute(text) ?? end - UNITS.d;
  const range = { since, until: end, from: since ?? first, live: until === null && !ended, ended: until === null && ended, bare, preset: until === null && (open ? "all" : back !== null && text), query: keep(query) };
  return { ...range, preset: range.preset || null, params: paramsOf(range, until, back !== null ? text : null) };
}

// Relative times stay so: the server counts them from the time when it is asked. From the end of a store that ended the page counts itself.
function paramsOf(range, until, relative) {
  const params = {};
  if (range.since !== null) params.since = relative && range.live ? relative : String(range.since);
  if (until !== null || range.ended) params.until = String(range.until);
  return params;
}

function keep(query) {
  const kept = {};
  if (query.since) kept.since = query.since;
  if (query.until) kept.until = query.until;
  return kept;
}

// Those of {since, until} (epoch seconds) as what stands in an address.
export function rangeQuery({ since, until }) {
  return { since: since === null || since === undefined ? undefined : String(Math.floor(since)), until: until === null || until === undefined ? undefined : String(Math.ceil(until)) };
}

// As long, right before; or after, not beyond now.
export function shifted(range, direction, now = Date.now() / 1000) {
  if (range.since === null) return range;
  const length = range.until - range.since;
  const until = direction < 0 ? range.since : Math.min(now, range.until + length);
  return { since: until - length, until };
}
