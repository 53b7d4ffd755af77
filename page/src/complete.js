// What can come next in the query's box: names of fields, then values of a field. Pure: the values that are not fixed are handed in.

import { quoted, terms } from "./query.js";

const FIXED = {
  disposition: ["accepted", "rejected", "deferred", "aborted", "unknown"],
  tls: ["yes", "no"],
  has: ["file", "url", "notice", "anomaly", "list", "tag"],
  stage: ["connect", "helo", "mail", "rcpt", "data", "content"],
  flag: ["gap", "one_sided", "midstream", "truncated", "path_cut", "ambiguous", "unfinished"],
  since: ["15m", "1h", "6h", "24h", "7d", "30d"],
  until: ["1h", "24h", "7d"],
  size: [">100K", ">1M", ">10M", "<1K"],
  rcpts: [">1", ">10", ">50"],
};
const MOST = 12;

// Where the caret stands: {kind: "field"|"value"|null, from, to (what is replaced), prefix, field (as written)}
export function placeOf(text, caret) {
  const nowhere = { kind: null, from: caret, to: caret, prefix: "" };
  const term = terms(text).find((one) => one.at < caret && caret <= one.end);
  if (!term || (term.mark && term.mark.length === 1)) return nowhere;
  if (term.mark) return { kind: "field", from: term.at, to: term.end, prefix: term.text };
  const start = term.at + (term.negated ? 1 : 0);
  if (term.field === null) return term.value.startsWith('"') || caret < start ? nowhere : { kind: "field", from: start, to: term.end, prefix: text.slice(start, caret) };
  if (caret < term.valueAt) return { kind: "field", from: start, to: term.valueAt, prefix: text.slice(start, Math.min(caret, term.valueAt - 1)) };
  return { kind: "value", from: term.valueAt, to: term.end, prefix: text.slice(term.valueAt, caret).replace(/^"/, ""), field: term.field };
}

// The real name of a field that may be an alias; null where there is none.
export function fieldNamed(known, name) {
  const low = name.toLowerCase();
  return known.query.find((field) => field.name === low || field.aliases.includes(low)) ?? null;
}

// A field's choices that are fixed, as the server names them, else as the page knows them.
const choicesOf = (field) => (field.choices?.length ? field.choices : FIXED[field.name]);

function fieldItems(known, prefix) {
  const low = prefix.toLowerCase();
  const found = [];
  for (const field of known.query) {
    const name = [field.name, ...field.aliases].find((one) => one.startsWith(low));
    if (name) found.push({ insert: `${name}:`, label: name, hint: field.doc, rank: name === field.name ? 0 : 1 });
  }
  return found.sort((a, b) => a.rank - b.rank).slice(0, MOST);
}

// The values of a field that are known without asking; null where one must ask.
export function fixedValues(known, field) {
  if (field.name === "anomaly") return known.anomalies.map((one) => ({ value: one.name, hint: one.explained }));
  return choicesOf(field)?.map((value) => ({ value })) ?? null;
}

// What is known, for one stream of records alone: fields of others would only be refused.
export function ofStream(known, stream) {
  return { ...known, query: known.query.filter((field) => !field.streams || field.streams.includes(stream)) };
}

/* known: {query, anomalies} of /fields; values: [{value, count, hint}] that were asked for the field, or null.
 * Gives {place, items: [{insert, label, hint}]}. */
export function complete(text, caret, known, values = null) {
  const place = placeOf(text, caret);
  if (place.kind === "field") return { place, items: fieldItems(known, place.prefix) };
  if (place.kind !== "value") return { place, items: [] };
  const field = fieldNamed(known, place.field);
  if (!field) return { place, items: [] };
  const low = place.prefix.toLowerCase();
  const all = fixedValues(known, field) ?? values ?? [];
  const begins = all.filter((one) => one.value.toLowerCase().startsWith(low));
  const holds = all.filter((one) => !one.value.toLowerCase().startsWith(low) && one.value.toLowerCase().includes(low));
  const items = [...begins, ...holds].slice(0, MOST).map((one) => ({ insert: `${/^[<>]/.test(one.value) && FIXED[field.name] ? one.value : quoted(one.value)} `, label: one.value, hint: one.hint ?? "", count: one.count }));
  if (!items.length && field.example && !low) items.push({ insert: null, label: field.example, hint: field.doc });
  return { place, items };
}

// Text and caret after an item was taken.
export function taken(text, place, item) {
  let after = text.slice(place.to);
  if (item.insert.endsWith(" ") && /^\s/.test(after)) after = after.slice(1);
  return { text: text.slice(0, place.from) + item.insert + after, caret: place.from + item.insert.length };
}
