// Who sends and receives: clients, servers, domains of senders and recipients by volume, and a box that opens any host.
// State in the address: since, until, by, order (mails, rejected, bytes), limit.

import { get } from "../api.js";
import { DIMENSIONS, foundHref, hostHref } from "../dimensions.js";
import { clear, el } from "../dom.js";
import { bytes, compact, count, percent } from "../format.js";
import { share } from "../chart_scale.js";
import { hostBox } from "../host_box.js";
import { keepLoaded } from "../loader.js";
import { change } from "../navigate.js";
import { exportMenu } from "../parts/export.js";
import { partlyNote } from "../partly.js";
import { empty } from "../parts/states.js";
import { table } from "../parts/table.js";
import { wire } from "../parts/text.js";
import { outcome, segments } from "../parts/tiles.js";
import { wholeHours } from "../whole_hours.js";

export const pattern = "/hosts";
export const title = "Hosts";
export const nav = "Hosts";
export const range = true;

const KINDS = ["client", "sender", "recipient", "server", "asn"];
const ORDERS = ["mails", "rejected", "bytes"];
const LIMIT = 100;

const known = (value, list) => (list.includes(value) ? value : list[0]);

function paramsOf(route, time) {
  const limit = Math.min(1000, Math.max(1, Number(route.query.limit) || LIMIT));
  return { by: known(route.query.by, KINDS), order: known(route.query.order, ORDERS), limit, ...time.params };
}

function columnsFor(by, most, rangeQuery) {
  const number = (key, label, cell, title) => ({ key, label, title, number: true, sort: ORDERS.includes(key) ? (row) => row[key] : null, cell });
  const name = (row) => {
    if (row.key === "") return "others";
    const href = DIMENSIONS[by].hosts ? hostHref(row.key, rangeQuery) : foundHref(by, row.key, rangeQuery);
    const text = by === "asn" ? `AS${row.key}` : row.key === "<>" ? "<> (null sender)" : row.key;
    return href ? el("a", { href, class: "mono" }, wire(text)) : wire(text, { class: "mono" });
  };
  const mails = (row) => {
    const found = foundHref(by, row.key, rangeQuery);
    return found ? el("a", { href: found, "aria-label": `${count(row.mails)} mails of ${row.key}` }, count(row.mails)) : count(row.mails);
  };
  const stacked = (row) => {
    const bar = outcome(row);
    bar.classList.add("hosts-bar");
    bar.style.setProperty("inline-size", `${Math.max(1, (100 * row.mails) / most)}%`);
    return bar;
  };
  return [
    { key: "key", label: DIMENSIONS[by].one, cell: name },
    number("mails", "Mails", mails),
    { key: "outcome", label: "Outcome", cell: stacked },
    number("rejected", "Rejected", (row) => count(row.rejected)),
    number("share", "Rejected of all", (row) => percent(share(row.rejected, row.mails))),
    number("deferred", "Deferred", (row) => count(row.deferred)),
    number("tls", "Under TLS", (row) => percent(share(row.tls, row.mails))),
    number("recipients", "Recipients", (row) => count(row.recipients)),
    number("bytes", "Size", (row) => bytes(row.bytes)),
  ];
}

export async function render(root, route) {
  let now = route;
  let time = route.range;
  const box = el("div", { class: "panel hosts" });
  const foot = el("p", { class: "dim hosts-foot" });
  const kinds = segments(KINDS.map((by) => [by, DIMENSIONS[by].title]), known(route.query.by, KINDS), (by) => change({ by: by === KINDS[0] ? null : by, limit: null }), "What is counted by");

  function draw(answer, drawn, shown) {
    now = drawn;
    time = shown;
    const { by, order, limit } = paramsOf(drawn, shown);
    kinds.set(by);
    if (answer.rows.length === 0) {
      clear(box, empty("No mail in this time.", "Another range of time may have some."));
      clear(foot);
      return partlyNote(answer);
    }
    const most = Math.max(1, ...answer.rows.map((row) => row.mails));
    clear(box, table(columnsFor(by, most, drawn.range.query), answer.rows, {
      caption: `${DIMENSIONS[by].title}, by ${order}`,
      sort: { key: order, descending: true },
      onSort: (sort) => change({ order: sort.key === ORDERS[0] ? null : sort.key }),
    }).root);
    const others = answer.others?.mails > 0;
    clear(foot, others ? `${count(answer.rows.length)} are shown; all others have ${count(answer.others.mails)} mails. ` : `All ${count(answer.rows.length)} are shown; ${compact(answer.total.mails)} mails. `,
      others && limit < 1000 ? el("button", { type: "button", class: "button-text", on: { click: () => change({ limit: 1000 }) } }, "Show up to 1,000") : null, " ", wholeHours(answer, shown));
    return partlyNote(answer);
  }

  root.append(
    el("div", { class: "view-head" }, el("h1", {}, "Hosts"), hostBox(() => now.range.query), el("div", { class: "view-tools" }, exportMenu(() => ({ path: "/top", params: paramsOf(now, time) })))),
    kinds, box, foot,
  );
  return keepLoaded(root, route, { load: (loaded, signal, bounds) => get("/top", paramsOf(loaded, bounds), { signal }), draw });
}
