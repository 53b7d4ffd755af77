// One host, an address or a domain: how much it sent and got, what became of that, who lists it, what it runs, with whom it talks.
// State in the address: since, until, hide, scale=log.

import { get } from "../api.js";
import { timeChart } from "../chart.js";
import { mailsHref } from "../dimensions.js";
import { clear, el } from "../dom.js";
import { plural } from "../format.js";
import { hostBox } from "../host_box.js";
import { aboutHost, countriesCard, listingsCard, noticesCard, peersCards, softwareCard, waysCards } from "../host_cards.js";
import { hostTiles } from "../host_tiles.js";
import { keepLoaded } from "../loader.js";
import { change } from "../navigate.js";
import { exportMenu } from "../parts/export.js";
import { partlyNote } from "../partly.js";
import { empty } from "../parts/states.js";
import { copyButton, time, wire } from "../parts/text.js";
import { rangeQuery } from "../range.js";
import { address } from "../router.js";
import { quoted } from "../query.js";
import { wholeHours } from "../whole_hours.js";

export const pattern = "/hosts/:host";
export const title = (route) => route.params.host;
export const range = true;

const WAYS = 200;
const LISTINGS = 1000;
const TABLES = [listingsCard, softwareCard];
const LISTS = [peersCards, waysCards, noticesCard, countriesCard];
const PANELS = [{ label: "Mails", height: 180, series: [{ key: "out", name: "Sent", colour: "--c-mails", fill: true }, { key: "in", name: "Received", colour: "--c-in", fill: true }, { key: "rejected", name: "Refused", colour: "--c-rejected", fill: true, sparse: true }] }];

// The query that finds all mails of it.
function queryOf(answer) {
  return answer.kind === "domain" ? `domain:${quoted(answer.host)}` : `host:${quoted(answer.host)}`;
}

// A name that neither sends nor gets in its own name may still be a relay: then its ways are told, and how many mails took them.
async function load(route, signal, shown) {
  const { host } = route.params;
  const ask = (path, params) => get(path, { ...shown.params, ...params }, { signal });
  const [answer, ways] = await Promise.all([ask(`/hosts/${encodeURIComponent(host)}`), ask("/paths", { host, limit: WAYS })]);
  // The view's answer has the newest notices only: too few to tell since when it is listed.
  const listings = answer.notices.some((notice) => notice.list) ? await ask("/notices", { q: `${aboutHost(answer)} list:*`, state: "all", limit: LISTINGS, fields: "ts,list,removal,retired,folded" }) : { notices: [], next: null };
  const passed = answer.out.mails + answer.in.mails > 0 ? null : await ask("/count", { q: `host:${quoted(host)}` });
  return { ...answer, listings, edges: ways.edges, passed: passed?.count ?? null };
}

function links(answer, rangeOf) {
  const host = quoted(answer.host);
  const rows = answer.kind === "domain"
    ? [["Mails from it", `from:${quoted(`*@${answer.host}`)}`], ["Mails to it", `rcpt:${quoted(`*@${answer.host}`)}`], ["All mails that name it", queryOf(answer)], ["Mails that passed it", `host:${host}`]]
    : [["Mails it sent", `ip:${host}`], ["Mails it took", `server:${host}`], ["All mails that passed it", queryOf(answer)], ["Refused ones", `host:${host} disposition:rejected`]];
  return el("nav", { class: "host-links", "aria-label": "Mails and paths of this host" }, rows.map(([text, q]) => el("a", { class: "button", href: mailsHref(q, rangeOf) }, text)),
    el("a", { class: "button", href: address("/paths", { host: answer.host, ...rangeOf }) }, "Its paths"), el("a", { class: "button", href: address("/notices", { q: aboutHost(answer), state: "all", ...rangeOf }) }, "Its notices"));
}

function nothing({ host, passed }) {
  if (passed > 0) return el("p", { class: "host-relay" }, `No mail from or to ${host} itself in this time; ${plural(passed, "mail")} passed it on the way.`);
  return empty(`No mail of ${host} in this time.`, "Another range of time may have some. Domains are found by the addresses of senders and recipients.");
}

function seen(answer) {
  if (!answer.first_seen) return answer.passed > 0 ? null : el("p", { class: "dim" }, "Never seen.");
  return el("p", { class: "dim" }, "First seen ", time(answer.first_seen), ", last ", time(answer.last_seen));
}

export async function render(root, route) {
  let now = route;
  let params = route.range.params;
  const host = route.params.host;
  const head = el("div");
  const tiles = el("div");
  const chartBox = el("div", { class: "panel-body" });
  const chartPanel = el("section", { class: "panel", "aria-label": "Mails over time" }, chartBox);
  const cards = el("div", { class: "host-cards" });
  const source = () => [
    { title: "Mails of this host", path: "/export", params: { stream: "smtp", q: head.dataset.query, ...params } },
    { title: "Notices about it", path: "/export", params: { stream: "notice", q: head.dataset.about, ...params } },
  ];
  const chart = timeChart(chartBox, {
    label: "host",
    panels: PANELS,
    hidden: (route.query.hide ?? "").split(",").filter(Boolean),
    now: () => Date.now() / 1000,
    onRange: (next) => change(rangeQuery(next)),
    log: route.query.scale === "log",
    onLog: (on) => change({ scale: on ? "log" : null }, { replace: true }),
    onHidden: (keys) => change({ hide: keys.join(",") || null }, { replace: true }),
  });

  function draw(answer, drawn, shown) {
    now = drawn;
    params = shown.params;
    const hours = wholeHours(answer, shown);
    head.dataset.query = queryOf(answer);
    head.dataset.about = aboutHost(answer);
    clear(head, seen(answer), hours ? el("p", { class: "dim" }, hours) : null, links(answer, drawn.range.query));
    clear(tiles, hostTiles(answer));
    const any = answer.out.mails + answer.in.mails > 0;
    chartPanel.hidden = !any;
    if (any) chart.update({ ...answer.timeline, range: { since: answer.timeline.times[0], until: answer.timeline.times.at(-1) + answer.timeline.step } });
    const rows = (kinds) => kinds.flatMap((card) => card(answer, drawn.range.query)).filter(Boolean);
    clear(cards, any ? null : nothing(answer), rows(TABLES), el("div", { class: "host-columns" }, rows(LISTS)));
    return partlyNote(answer, answer.listings);
  }

  root.append(
    el("div", { class: "view-head" }, el("h1", { class: "host-name" }, wire(host, { class: "mono" }), copyButton(host, "host")), el("div", { class: "view-tools" }, hostBox(() => now.range.query), exportMenu(source))),
    head, tiles, chartPanel, cards,
  );
  const kept = await keepLoaded(root, route, { load, draw, refresh: (loaded) => loaded.range.live });
  return {
    update: kept.update,
    stop() {
      kept.stop();
      chart.destroy();
    },
  };
}
