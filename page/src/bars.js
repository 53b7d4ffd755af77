// Who has most: a list of keys with a bar and a number each. The key leads to its host's view, where it is a host, the number to the mails.
// In: answer of /top, which dimension, the range for addresses. Rejected and deferred mails are parts of the bar, so that who is rejected is seen at once.

import { el } from "./dom.js";
import { DIMENSIONS, foundHref, hostHref } from "./dimensions.js";
import { hostIn } from "./host_in.js";
import { compact, count, country, percent } from "./format.js";
import { wire } from "./parts/text.js";
import { reasonText } from "./reasons.js";

// "tlsv13", "none", "unknown" as people read them.
function tlsName(key) {
  const match = /^(tls|ssl)v?(\d)\.?(\d)?$/i.exec(key);
  return match ? `${match[1].toUpperCase()} ${match[2]}.${match[3] ?? 0}` : { none: "in the clear", unknown: "not seen" }[key] ?? key;
}

function name(by, key) {
  if (key === "") return "others";
  if (by === "country") return [wire(key, { class: "mono" }), " ", country(key)];
  if (by === "asn") return `AS${key}`;
  if (by === "reason") return [wire(key), el("span", { class: "dim" }, ` ${reasonText(key) ?? ""}`)];
  if (by === "tls_version") return wire(tlsName(key));
  if (key === "<>") return "<> (null sender)";
  return wire(key);
}

function part(row, key, most) {
  const fill = el("span", { class: `bar-fill ${key === "mails" ? "" : `bar-${key}`}`.trim() });
  fill.style.setProperty("inline-size", `${most > 0 ? (100 * row[key]) / most : 0}%`);
  return fill;
}

function barOf(row, most, plain) {
  const rest = { ...row, mails: row.mails - (plain ? 0 : (row.rejected ?? 0) + (row.deferred ?? 0)) };
  return el("span", { class: "bar stacked", "aria-hidden": "true" }, part(rest, "mails", most), plain ? null : [part(row, "deferred", most), part(row, "rejected", most)]);
}

function title(row, total, plain) {
  const share = total > 0 ? `, ${percent(row.mails / total)} of all` : "";
  return `${count(row.mails)}${share}${plain ? "" : `; rejected ${count(row.rejected)}, deferred ${count(row.deferred)}`}`;
}

// plain: only a number counts (notices, sessions), not what became of mails. more: address of the whole list. find(key): where the number leads, if not to all mails of the key. note: what stands below.
export function barList({ by, answer, rangeQuery, plain = false, more = null, text = null, heading = null, find = null, note = null }) {
  const rows = answer.rows.filter((row) => row.mails > 0);
  const others = answer.others?.mails > 0 ? answer.others : null;
  const most = Math.max(1, ...rows.map((row) => row.mails));
  const total = answer.total?.mails ?? 0;
  const line = (row) => {
    const host = DIMENSIONS[by].hosts ? hostHref(hostIn(row.key), rangeQuery) : null;
    const found = find ? find(row.key) : foundHref(by, row.key, rangeQuery);
    const label = host ? el("a", { href: host, class: "bars-key" }, name(by, row.key)) : el("span", { class: "bars-key" }, name(by, row.key));
    const number = compact(row.mails);
    const said = `${number} of ${row.key}`;
    return el("li", { class: "bars-row", title: title(row, total, plain) }, label, found ? el("a", { href: found, class: "bars-number", "aria-label": said }, number) : el("span", { class: "bars-number" }, number), barOf(row, most, plain));
  };
  return el("section", { class: "panel" },
    el("div", { class: "panel-head" }, el("h2", {}, heading ?? DIMENSIONS[by].title), more ? el("a", { href: more, class: "panel-tools", "aria-label": `All ${DIMENSIONS[by].title.toLowerCase()}` }, "All") : null),
    el("div", { class: "panel-body" },
      rows.length > 0 ? el("ol", { class: "bars" }, rows.map(line)) : el("p", { class: "dim" }, text ?? "None in this time."),
      others && rows.length > 0 ? el("p", { class: "dim bars-others" }, `All others: ${count(others.mails)}`) : null,
      note ? el("p", { class: "dim bars-others" }, note) : null));
}

// What the parts of the bars stand for.
export function barLegend() {
  return el("p", { class: "bars-legend" }, [["", "accepted or not known"], ["is-deferred", "deferred"], ["is-rejected", "rejected"]].map(([kind, text]) => el("span", {}, el("i", { class: kind || null, "aria-hidden": "true" }), text)));
}
