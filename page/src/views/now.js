// What goes on: sums, mails over time, who sends and receives most, why mail is rejected, and how well the tap sees it.
// State in the address: since, until, sensor (whose capture is shown), hide (series of the chart), scale=log, refresh=off.

import { get } from "../api.js";
import { barLegend, barList } from "../bars.js";
import { timeChart } from "../chart.js";
import { stepFor } from "../chart_scale.js";
import { DIMENSIONS } from "../dimensions.js";
import { clear, el } from "../dom.js";
import { dateTime } from "../format.js";
import { healthCard } from "../health_card.js";
import { keepLoaded } from "../loader.js";
import { change } from "../navigate.js";
import { nowTiles } from "../now_tiles.js";
import { exportMenu } from "../parts/export.js";
import { BARE } from "../parts/states.js";
import { partlyNote } from "../partly.js";
import { rangeQuery } from "../range.js";
import { address } from "../router.js";
import { wholeHours } from "../whole_hours.js";

export const pattern = "/";
export const title = "Now";
export const nav = "Now";
export const range = true;

const ROWS = 8;
const STEP_PIXELS = 6;
const MOST_STEPS = 240;
const LISTS = ["client", "sender", "recipient", "server", "reason", "list", "country", "tls_version", "sensor"];
const PANELS = [
  { label: "Mails", height: 210, series: [{ key: "mails", name: "Mails", colour: "--c-mails", fill: true }, { key: "rejected", name: "Rejected", colour: "--c-rejected", fill: true, sparse: true }, { key: "deferred", name: "Deferred", colour: "--c-deferred", fill: true, sparse: true }] },
  { label: "Notices", height: 64, series: [{ key: "notices", name: "Notices", colour: "--c-notices", fill: true }] },
];
const WORDS = {
  list: { heading: "Block lists that servers named", text: "No server named a block list." },
  reason: { text: "Nothing was rejected or deferred." },
  tls_version: { heading: "TLS versions of sessions", text: "There was no session." },
};

async function load(route, signal, time) {
  const ask = (path, params) => get(path, { ...time.params, ...params }, { signal });
  const step = stepFor(time, Math.max(60, Math.min(MOST_STEPS, innerWidth / STEP_PIXELS)));
  const [timeline, kinds, health, ...tops] = await Promise.all([ask("/timeline", { step }), ask("/notices/kinds"), ask("/health", { sensor: route.query.sensor }), ...LISTS.map((by) => ask("/top", { by, limit: ROWS }))]);
  return { timeline, kinds, health, tops };
}

// A store that is written no more, or not yet, is not to be taken for one that sees no mail now.
function endText({ range: shown }, { timeline, health }) {
  if (shown.bare && !health.last && !timeline.series.sessions?.some(Boolean)) return BARE;
  return shown.ended ? `The newest record here is of ${dateTime(shown.until)}${shown.preset === "all" ? "" : ": times count back from there"}.` : null;
}

function moreHref(by, query) {
  if (by === "country") return address("/map", query);
  if (by === "list") return address("/notices", { q: "list:*", state: "all", ...query });
  return DIMENSIONS[by].hosts ? address("/hosts", { by, ...query }) : null;
}

const refreshes = (route) => route.range.live && route.query.refresh !== "off";

function refreshButton() {
  const root = el("button", { type: "button", class: "button", on: { click: () => change({ refresh: root.getAttribute("aria-pressed") === "true" ? "off" : null }, { replace: true }) } });
  return {
    root,
    update(route) {
      root.hidden = !route.range.live;
      root.setAttribute("aria-pressed", String(refreshes(route)));
      root.textContent = refreshes(route) ? "Refreshes every 30 s" : "Refresh is off";
      root.title = refreshes(route) ? "Press to hold what is shown" : "Press to go on";
    },
  };
}

export async function render(root, route) {
  const tiles = el("div");
  const chartBox = el("div", { class: "panel-body" });
  const hours = el("span", { class: "dim" });
  const old = el("p", { class: "incomplete now-old", role: "note" });
  const lists = el("div", { class: "bars-grid" });
  const health = healthCard();
  const refresh = refreshButton();
  refresh.update(route);
  let params = route.range.params;
  const exports = exportMenu(() => [{ title: "Counts over time", path: "/timeline", params }, ...LISTS.map((by) => ({ title: DIMENSIONS[by].title, path: "/top", params: { ...params, by, limit: 1000 } }))]);
  const chart = timeChart(chartBox, {
    label: "now",
    panels: PANELS,
    hidden: (route.query.hide ?? "").split(",").filter(Boolean),
    now: () => Date.now() / 1000,
    onRange: (next) => change(rangeQuery(next)),
    log: route.query.scale === "log",
    onLog: (on) => change({ scale: on ? "log" : null }, { replace: true }),
    onHidden: (keys) => change({ hide: keys.join(",") || null }, { replace: true }),
  });

  function draw(data, now, time) {
    params = time.params;
    clear(old, endText(now, data));
    clear(tiles, nowTiles(data, time, now.range.query, now.query.sensor));
    chart.update({ ...data.timeline, range: time });
    const tops = LISTS.map((by, i) => ({ by, answer: data.tops[i] })).filter(({ by, answer }) => by !== "sensor" || answer.rows.length > 1);
    clear(lists, tops.map(({ by, answer }) => barList({
      by,
      answer,
      rangeQuery: now.range.query,
      plain: DIMENSIONS[by].notices || by === "tls_version",
      more: moreHref(by, now.range.query),
      ...WORDS[by],
    })));
    hours.textContent = wholeHours(data.tops[0], time) ?? "";
    health.update(data.health, time, now.query);
    refresh.update(now);
    return partlyNote(data.timeline, data.kinds, data.health, ...data.tops);
  }

  root.append(
    el("div", { class: "view-head" }, el("h1", {}, "Now"), el("div", { class: "view-tools" }, refresh.root, exports)),
    old,
    tiles,
    el("section", { class: "panel", "aria-label": "Mails over time" }, chartBox),
    el("div", { class: "bars-head" }, el("h2", {}, "Who and why"), barLegend(), hours),
    lists,
    health.root,
  );
  const kept = await keepLoaded(root, route, { load, draw, refresh: refreshes });
  return {
    update: kept.update,
    stop() {
      kept.stop();
      chart.destroy();
      health.destroy();
    },
  };
}
