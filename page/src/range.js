// The range of time that all views share, kept in the address as since and until. Pure.
// since: 24h (relative, ago) or epoch seconds; until: absent (now) or epoch seconds. Without either: a day. "all": no bounds.

export const PRESETS = [["15m", "15 minutes"], ["1h", "1 hour"], ["6h", "6 hours"], ["24h", "24 hours"], ["7d", "7 days"], ["30d", "30 days"], ["90d", "90 days"], ["all", "all times"]];
export const DEFAULT = "24h";
const UNITS = { s: 1, m: 60, h: 3600, d: 86400, w: 604800 };

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

/* {since, until: epoch seconds (since null: no bound), live: until is now, preset: its text or null, params: what goes to the API,
 * query: what goes into addresses of the page} */
export function rangeOf(query, now = Date.now() / 1000) {
  const until = absolute(query.until);
  const text = query.since ?? (until === null ? DEFAULT : undefined);
  const back = ago(text);
  const end = until ?? now;
  if (text === "all" || (text === undefined && until !== null)) {
    return { since: null, until: end, live: until === null, preset: until === null ? "all" : null, params: until === null ? {} : { until: String(end) }, query: keep(query) };
  }
  const since = back !== null ? end - back : absolute(text) ?? end - UNITS.d;
  const params = { since: back !== null && until === null ? text : String(since) };
  if (until !== null) params.until = String(until);
  return { since, until: end, live: until === null, preset: back !== null && until === null ? text : null, params, query: keep(query) };
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
