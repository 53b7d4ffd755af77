// The query language, as much as the page needs to help with it: where its terms stand, adding and taking out one, bytes to characters. Pure.
// What a query means only the server decides.

const TERM = /(-?)(?:([A-Za-z_][\w.]*):)?("(?:[^"\\]|\\.)*"?|[^\s()"]*)/y;

// Terms in order: {at, end, negated, field (null without), value (as written), valueAt, text}; brackets, OR and NOT are {at, end, mark}.
export function terms(q) {
  const out = [];
  let at = 0;
  while (at < q.length) {
    if (/\s/.test(q[at])) {
      at++;
      continue;
    }
    if (q[at] === "(" || q[at] === ")") {
      out.push({ at, end: at + 1, mark: q[at], text: q[at] });
      at++;
      continue;
    }
    TERM.lastIndex = at;
    const match = TERM.exec(q);
    const end = Math.max(at + 1, at + match[0].length);
    const text = q.slice(at, end);
    if (text === "OR" || text === "NOT") out.push({ at, end, mark: text, text });
    else out.push({ at, end, negated: match[1] === "-", field: match[2] ?? null, value: match[3], valueAt: end - match[3].length, text });
    at = end;
  }
  return out;
}

// A value as it is written in a query: in quotes where it must be. One that has a * outside of quotes is a pattern.
export function quoted(value) {
  return /^[^\s()"\\]+$/.test(value) && !/^[<>]/.test(value) ? value : `"${value.replace(/[\\"]/g, "\\$&")}"`;
}

function plain(value) {
  const inner = value.startsWith('"') ? value.slice(1, value.endsWith('"') && value.length > 1 ? -1 : undefined).replace(/\\(.)/g, "$1") : value;
  return inner.toLowerCase();
}

function same(term, field, value, negated) {
  return term.field !== null && term.field !== undefined && term.field.toLowerCase() === field.toLowerCase() && plain(term.value) === value.toLowerCase() && term.negated === negated;
}

export function hasTerm(q, field, value, negated = false) {
  return terms(q).some((term) => same(term, field, value, negated));
}

export function withoutTerm(q, field, value, negated = false) {
  const term = terms(q).find((one) => same(one, field, value, negated));
  return term ? `${q.slice(0, term.at).trimEnd()} ${q.slice(term.end).trimStart()}`.trim() : q;
}

// Adds it; the same one there already is taken out (a second press undoes the first); its opposite gives way to it. A query with OR outside of brackets is put into some.
export function toggledTerm(q, field, value, negated = false) {
  if (hasTerm(q, field, value, negated)) return withoutTerm(q, field, value, negated);
  const rest = withoutTerm(q, field, value, !negated);
  const term = `${negated ? "-" : ""}${field}:${quoted(value)}`;
  if (!rest.trim()) return term;
  return `${hasOuterOr(rest) ? `(${rest.trim()})` : rest.trim()} ${term}`;
}

// The first term of one of these fields without a star, with stars around: {q, field, term}; null where there is none.
export function looserTerm(q, fields) {
  const term = terms(q).find((one) => one.field && !one.negated && fields.includes(one.field.toLowerCase()) && one.value && !/[*"\\]/.test(one.value));
  if (!term) return null;
  const text = `${term.field}:*${term.value}*`;
  return { q: q.slice(0, term.at) + text + q.slice(term.end), field: term.field, term: text };
}

function hasOuterOr(q) {
  let depth = 0;
  for (const { mark } of terms(q)) {
    if (mark === "(") depth++;
    else if (mark === ")") depth--;
    else if (mark === "OR" && depth === 0) return true;
  }
  return false;
}

// A place counted in bytes of UTF-8 as places of a string: {from, to}; cut to what is there.
export function byteRange(text, at, len) {
  const encoder = new TextEncoder();
  let bytes = 0;
  let from = text.length;
  let to = text.length;
  let i = 0;
  for (const character of text) {
    if (bytes >= at && from === text.length) from = i;
    if (bytes >= at + len) {
      to = i;
      break;
    }
    bytes += encoder.encode(character).length;
    i += character.length;
  }
  return { from, to: Math.max(from, to) };
}
