// Links from a value to the mails that share it.

import { el } from "../dom.js";
import { mono, wire } from "../parts/text.js";
import { quoted } from "../query.js";
import { address } from "../router.js";

const SINCE = "30d";

export function searchAddress(q, since = SINCE) {
  return address("/mails", { q, since });
}

// The text leads to mails with field:value.
export function pivot(field, value, { text = value, code = false } = {}) {
  return el("a", { class: "pivot", href: searchAddress(`${field}:${quoted(String(value))}`), title: `Mails with ${field}: this one` }, code ? mono(text) : wire(text));
}

// A mailbox of addresses.from and so on: name and address apart.
export function mailbox(box, field) {
  const addr = box.addr ? pivot(field, box.addr) : null;
  const other = box.domain_unicode && box.domain_unicode !== box.domain ? el("span", { class: "dim" }, " (", wire(box.domain_unicode), ")") : null;
  return el("span", { class: "mailbox" }, box.group ? el("span", { class: "dim" }, wire(box.group), ": ") : null, box.name ? [wire(box.name, { class: "mailbox-name" }), " "] : null, addr ? ["<", addr, ">"] : null, other);
}
