// Small pieces that every view shows: texts of the wire, times, badges, links to hosts, buttons that copy.

import { button, el } from "../dom.js";
import { country, dateTime, defang, fullTime } from "../format.js";
import { pieces } from "../visible.js";
import { icon } from "./icons.js";
import { say } from "./live.js";

// A text from the wire: apart from the writing direction around it, with hidden characters to be seen.
export function wire(text, attributes) {
  const node = el("bdi", attributes);
  for (const piece of pieces(String(text ?? ""))) node.append(piece.text ?? el("span", { class: "hidden-char", title: piece.what }, piece.sign));
  return node;
}

export const mono = (text, attributes) => wire(text, { ...attributes, class: `mono ${attributes?.class ?? ""}`.trim() });

// Another form of the time, and its milliseconds, on pointing at it.
export function time(ts, form = dateTime) {
  if (!Number.isFinite(ts)) return el("span", { class: "dim" }, "–");
  return el("time", { class: "time", datetime: new Date(ts * 1000).toISOString(), title: fullTime(ts) }, form(ts));
}

export function hostLink(host, attributes) {
  return el("a", { href: `/hosts/${encodeURIComponent(host)}`, ...attributes, class: `mono host ${attributes?.class ?? ""}`.trim() }, wire(host));
}

export function countryName(code) {
  return code ? el("abbr", { class: "country", title: country(code) }, wire(code)) : null;
}

const DISPOSITIONS = { accepted: ["✓", "The server took it."], rejected: ["✕", "The server refused it for good."], deferred: ["↻", "The server asked to try again."], aborted: ["⊘", "The client gave up, or the connection ended."], unknown: ["?", "The tap did not see what became of it."] };

// A sign, a word and a colour.
export function badge(disposition) {
  const [sign, title] = DISPOSITIONS[disposition] ?? ["?", ""];
  return el("span", { class: `badge badge-${DISPOSITIONS[disposition] ? disposition : "unknown"}`, title }, el("span", { "aria-hidden": "true", class: "badge-sign" }, sign), disposition ?? "unknown");
}

// tone: good, warn, bad, info or nothing.
export function label(text, tone, title) {
  return el("span", { class: `label ${tone ? `label-${tone}` : ""}`.trim(), title }, wire(text));
}

export async function copy(text, what = "Copied") {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // No clipboard without TLS: the old way, by a selection.
    const area = el("textarea", { class: "off-screen", readonly: true, value: text });
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    if (!done) return say("This browser did not let the page copy.");
  }
  return say(what);
}

export function copyButton(text, what = "text") {
  return button(icon("copy"), (event) => { event.stopPropagation(); copy(text, `${what[0].toUpperCase()}${what.slice(1)} copied`); }, { class: "button-icon copy", title: `Copy ${what}`, "aria-label": `Copy ${what}` });
}

// As text that leads nowhere, with a button that copies the real one.
export function urlText(url) {
  return el("span", { class: "url" }, mono(defang(url)), copyButton(url, "URL"));
}
