// Numbers behind charts and the map: steps of time, ranges that zoom, classes of a logarithmic scale.
// Pure: no page, no clock. Times are epoch seconds.

export const STEPS = [60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800];

// The least step by which a range has at most so many points.
export function stepFor(range, points) {
  return STEPS.find((step) => (range.until - range.since) / step <= points) ?? STEPS.at(-1) * Math.ceil((range.until - range.since) / points / STEPS.at(-1));
}

// A step as a unit: "minute", "5 min", "hour", "day".
export function stepText(step) {
  for (const [seconds, one, many] of [[604800, "week", "weeks"], [86400, "day", "days"], [3600, "hour", "h"], [60, "minute", "min"]]) {
    if (step % seconds === 0) return step === seconds ? one : `${step / seconds} ${many}`;
  }
  return step === 1 ? "second" : `${step} s`;
}

const LEAST = 60;
const MOST = 20 * 366 * 86400;

// Half of it, about its middle.
export function zoomIn({ since, until }) {
  const length = until - since;
  return length <= LEAST ? { since, until } : around((since + until) / 2, Math.max(LEAST, length / 2));
}

// Twice of it; what would lie after now is taken from before.
export function zoomOut({ since, until }, now) {
  return before(around((since + until) / 2, Math.min(MOST, (until - since) * 2)), Math.max(now, until));
}

export function earlier({ since, until }) {
  const by = Math.round((until - since) / 2);
  return { since: since - by, until: until - by };
}

export function later({ since, until }, now) {
  const by = Math.round((until - since) / 2);
  return before({ since: since + by, until: until + by }, Math.max(now, until));
}

function around(middle, length) {
  const since = Math.round(middle - length / 2);
  return { since, until: since + Math.round(length) };
}

function before({ since, until }, end) {
  const over = Math.max(0, Math.round(until - end));
  return { since: since - over, until: until - over };
}

// What a drag over a chart has marked, in whole steps and at least one; null where it was no more than a click.
export function draggedRange(from, to, step, pixels) {
  if (Math.abs(pixels) < 4) return null;
  const since = Math.floor(Math.min(from, to) / step) * step;
  return { since, until: Math.max(since + step, Math.ceil(Math.max(from, to) / step) * step) };
}

// Zeros among zeros left out: a line that rests at nothing would cover the base of those below it.
export function withoutRests(values) {
  return values.map((value, i) => (value === 0 && !values[i - 1] && !values[i + 1] ? null : value));
}

// Lower bounds of at most `count` classes of a logarithmic scale from 1 to max, at round numbers: 1, 10, 100 or 1, 3, 10, 30.
export function logBounds(max, count) {
  const bounds = [];
  for (let power = 1; power <= Math.max(1, max); power *= 10) bounds.push(power, power * 3);
  const fine = bounds.filter((bound) => bound <= Math.max(1, max));
  if (fine.length <= count) return fine;
  const coarse = fine.filter((bound) => /^10*$/.test(String(bound)));
  const skip = Math.ceil(coarse.length / count);
  return coarse.filter((_, i) => i % skip === 0);
}

// Number of the class that a value is in, from 0; -1 below the first.
export function classOf(value, bounds) {
  let found = -1;
  while (found + 1 < bounds.length && value >= bounds[found + 1]) found++;
  return found;
}

// Width of a line for so many, between least and most, by the logarithm.
export function logWidth(value, max, least, most) {
  if (max <= 1) return least;
  return least + (most - least) * (Math.log(Math.max(1, value)) / Math.log(max));
}

// Share of a part in all, null where there is nothing to share.
export function share(part, all) {
  return all > 0 ? part / all : null;
}
