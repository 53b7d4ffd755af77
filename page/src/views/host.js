// One host, an address or a domain: how much it sent and got, what became of that, who lists it, what it runs, with whom it talks.
// State in the address: since, until, hide, scale=log.

import { get, isAbort } from "../api.js";
import { timeChart } from "../chart.js";
import { mailsHref } from "../dimensions.js";
import { clear, el } from "../dom.js";
import { plural } from "../format.js";
import { hostBox } from "../host_box.js";
import { aboutHost, countriesCard, listingsCard, noticesCard, peersCards, softwareCard, waysCards } from "../host_cards.js";
import { hostTiles } from "../host_tiles.js";
import { keepFocus, keepLoaded } from "../loader.js";
import { change } from "../navigate.js";
import { exportMenu } from "../parts/export.js";
import { partlyNote } from "../partly.js";
import { empty, failure, loading } from "../parts/states.js";
import { copyButton, time, wire } from "../parts/text.js";
import { rangeQuery } from "../range.js";
import { address } from "../router.js";
import { quoted } from "../query.js";
import { wholeHours } from "../whole_hours.js";

export const pattern = "/hosts/:host";
export const title = (route) => route.params.host;
export const range = true;

const NOTHING = { listings: { notices: [], next: null }, edges: [], passed: null };
const EVERY = 120000;
const WAYS = 200;
const LISTINGS = 1000;
const TABLES = [listingsCard, softwareCard];
const LISTS = [peersCards, waysCards, noticesCard, countriesCard];
const PANELS = [{ label: "Mails", height: 180, series: [{ key: "out", name: "Sent", colour: "--c-mails", fill: true }, { key: "in", name: "Received", colour: "--c-in", fill: true }, { key: "rejected", name: "Rejected", colour: "--c-rejected", fill: true, sparse: true }] }];

// The query that finds all mails of it.
function queryOf(answer) {
  return answer.kind === "domain" ? `domain:${quoted(answer.host)}` : `host:${quoted(answer.host)}`;
}

// The sums first; what else is known of it may take longer, and comes behind.
async function load(route, signal, shown) {
  const { host } = route.params;
  const ask = (path, params) => get(path, { ...shown.params, ...params }, { signal });
  const answer = await ask(`/hosts/${encodeURIComponent(host)}`);
  return { ...answer, more: loadMore(answer, ask) };
}

// A name that neither sends nor gets in its own name may still be a relay: then its ways are told, and how many mails took them.
async function loadMore(answer, ask) {
  const { host, notices } = answer;
  const [ways, listings, passed] = await Promise.all([
    ask("/paths", { host, limit: WAYS }),
    // The view's answer has the newest notices only: too few to tell since when it is listed.
    notices.some((notice) => notice.list) ? ask("/notices", { q: `${aboutHost(answer)} list:*`, state: "all", limit: LISTINGS, fields: "ts,list,removal,retired,folded" }) : NOTHING.listings,
    isSilent(answer) ? ask("/count", { q: `host:${quoted(host)}` }) : null,
  ]);
  return { edges: ways.edges, listings, passed: passed?.count ?? null };
}

function links(answer, rangeOf) {
  const host = quoted(answer.host);
  const rows = answer.kind === "domain"
    ? [["Mails from it", `from:${quoted(`*@${answer.host}`)}`], ["Mails to it", `rcpt:${quoted(`*@${answer.host}`)}`], ["All mails that name it", queryOf(answer)], ["Mails that passed it", `host:${host}`]]
    : [["Mails it sent", `ip:${host}`], ["Mails it took", `server:${host}`], ["All mails that passed it", queryOf(answer)], ["Rejected ones", `host:${host} disposition:rejected`]];
  return el("nav", { class: "host-links", "aria-label": "Mails and paths of this host" }, rows.map(([text, q]) => el("a", { class: "button", href: mailsHref(q, rangeOf) }, text)),
    el("a", { class: "button", href: address("/paths", { host: answer.host, ...rangeOf }) }, "Its paths"), el("a", { class: "button", href: address("/notices", { q: aboutHost(answer), state: "all", ...rangeOf }) }, "Its notices"));
}

const isSilent = (answer) => answer.out.mails + answer.in.mails === 0;

function chartOptions({ query }) {
  return {
    label: "host",
    panels: PANELS,
    hidden: (query.hide ?? "").split(",").filter(Boolean),
    now: () => Date.now() / 1000,
    onRange: (next) => change(rangeQuery(next)),
    log: query.scale === "log",
    onLog: (on) => change({ scale: on ? "log" : null }, { replace: true }),
    onHidden: (keys) => change({ hide: keys.join(",") || null }, { replace: true }),
  };
}

function nothing({ host, passed }) {
  if (passed > 0) return el("p", { class: "host-relay" }, `No mail from or to ${host} itself in this time; ${plural(passed, "mail")} passed it on the way.`);
  return empty(`No mail of ${host} in this time.`, "Another range of time may have some. Domains are found by the addresses of senders and recipients.");
}

function seen(answer) {
  if (!answer.first_seen) return isSilent(answer) ? null : el("p", { class: "dim" }, "Never seen.");
  return el("p", { class: "dim" }, "First seen ", time(answer.first_seen), ", last ", time(answer.last_seen));
}

class HostView {
  constructor(root, route) {
    Object.assign(this, { route, params: route.range.params, about: "", all: "", more: null, turn: 0 });
    this.head = el("div");
    this.tiles = el("div");
    this.cards = el("div", { class: "host-cards" });
    const box = el("div", { class: "panel-body" });
    this.chartPanel = el("section", { class: "panel", "aria-label": "Mails over time" }, box);
    this.chart = timeChart(box, chartOptions(route));
    const { host } = route.params;
    root.append(
      el("div", { class: "view-head" }, el("h1", { class: "host-name" }, wire(host, { class: "mono" }), copyButton(host, "host")), el("div", { class: "view-tools" }, hostBox(() => this.route.range.query), exportMenu(() => this.exports()))),
      this.head, this.tiles, this.chartPanel, this.cards,
    );
  }

  exports() {
    return [{ title: "Mails of this host", path: "/export", params: { stream: "smtp", q: this.all, ...this.params } }, { title: "Notices about it", path: "/export", params: { stream: "notice", q: this.about, ...this.params } }];
  }

  draw(answer, route, shown) {
    Object.assign(this, { route, params: shown.params, about: aboutHost(answer), all: queryOf(answer) });
    const hours = wholeHours(answer, shown);
    clear(this.head, seen(answer), hours ? el("p", { class: "dim" }, hours) : null, links(answer, route.range.query));
    clear(this.tiles, hostTiles(answer));
    const { times, step } = answer.timeline;
    this.tiles.hidden = this.chartPanel.hidden = isSilent(answer);
    if (!isSilent(answer)) this.chart.update({ ...answer.timeline, range: { since: times[0], until: times.at(-1) + step } });
    this.drawCards(answer, this.more ? null : loading("More is looked for \u2026"));
    this.follow(answer);
    return partlyNote(answer);
  }

  // What comes behind; until then what was known before stays.
  async follow(answer) {
    const turn = ++this.turn;
    try {
      const more = await answer.more;
      if (turn !== this.turn) return;
      this.more = more;
      keepFocus(this.cards, () => this.drawCards(answer, null));
    } catch (error) {
      if (turn === this.turn && !isAbort(error)) this.drawCards(answer, failure(error));
    }
  }

  drawCards(answer, note) {
    const all = { ...answer, ...(this.more ?? NOTHING) };
    const rows = (kinds) => kinds.flatMap((card) => card(all, this.route.range.query)).filter(Boolean);
    clear(this.cards, isSilent(answer) && !note ? nothing(all) : null, rows(TABLES), el("div", { class: "host-columns" }, rows(LISTS)), note);
  }

  stop() {
    this.turn++;
    this.chart.destroy();
  }
}

export async function render(root, route) {
  const view = new HostView(root, route);
  const kept = await keepLoaded(root, route, { load, draw: (...given) => view.draw(...given), refresh: (loaded) => loaded.range.live, every: EVERY });
  return {
    update: kept.update,
    stop() {
      kept.stop();
      view.stop();
    },
  };
}
