// What the detections found, to be decided on: by kind, with filters; acknowledge, mute, undo.
// State in the address: since, until, state (open, acknowledged, muted, all), kind, sensor, hosts (ours, others), q.

import { get } from "../api.js";
import { button, clear, el } from "../dom.js";
import { count, dateTime } from "../format.js";
import { keepLoaded } from "../loader.js";
import { change } from "../navigate.js";
import { acknowledgeAll } from "../notices/actions.js";
import { noticeCard } from "../notices/card.js";
import { kindsPanel, mutesPanel } from "../notices/side.js";
import { kindName } from "../notices/state.js";
import { exportMenu } from "../parts/export.js";
import { partlyNote } from "../partly.js";
import { searchBox } from "../parts/search.js";
import { empty, incomplete } from "../parts/states.js";
import { segments } from "../parts/tiles.js";
import { wholeHint } from "../parts/whole_hint.js";
import { quoted } from "../query.js";
import { sensorPicker } from "../sensors.js";

export const pattern = "/notices";
export const title = "Notices";
export const nav = "Notices";
export const range = true;

const LIMIT = 50;
const NARROW = 1000;
const CHOICES = [["open", "Open"], ["acknowledged", "Acknowledged"], ["muted", "Muted"], ["all", "All"]];

// Whom a notice is about: a block list names our own hosts, or a stranger that we refused.
const WHOSE = { ours: "local:yes", others: "local:no" };
const HOSTS = [["all", "All hosts"], ["ours", "Ours"], ["others", "Others"]];

const stateOf = (route) => (CHOICES.some(([key]) => key === route.query.state) ? route.query.state : "open");

// What the API is asked begins with what is chosen beside the search; places in errors count from there.
function chosenTerms({ query }, kind = query.kind) {
  return [query.sensor ? `sensor:${quoted(query.sensor)}` : "", WHOSE[query.hosts], kind ? `note:${quoted(kind)}` : ""].filter(Boolean).join(" ");
}

function questionOf(route, kind = route.query.kind) {
  return [chosenTerms(route, kind), route.query.q ?? ""].filter(Boolean).join(" ") || undefined;
}

function paramsOf(route) {
  return { q: questionOf(route), state: stateOf(route), ...route.range.params };
}

// The kinds are those of the search; which of them is chosen hides no other.
async function load(route, signal, time) {
  const ask = (path, params) => get(path, params, { signal });
  const [list, kinds, sensors, ofOurs, { mutes }] = await Promise.all([ask("/notices", { ...paramsOf(route), limit: LIMIT }), ask("/notices/kinds", { ...time.params, q: questionOf(route, null) }), ask("/top", { ...time.params, by: "sensor", limit: 100 }), ask("/notices", { ...time.params, q: "local:yes", state: "all", limit: 1 }), ask("/mutes")]);
  // Where no notice is about a host of ours there is nothing to tell apart.
  return { ours: ofOurs.notices.length > 0, list, kinds, sensors: sensors.rows.map((row) => row.key).sort(), mutes };
}

function search() {
  const known = { note: [], list: null, sensor: null };
  const box = searchBox({
    stream: "notice",
    label: "Search notices",
    placeholder: "Search: host:192.0.2.1 list:Spamhaus* \u2026",
    search: (q) => change({ q: q || null }),
    values: async (field) => {
      if (field === "sensor") known.sensor ??= (await get("/top", { by: "sensor", limit: 100 })).rows.map((row) => ({ value: row.key, count: row.mails }));
      if (field === "list") known.list ??= (await get("/top", { by: "list", limit: 20 })).rows.map((row) => ({ value: row.key, count: row.mails }));
      return known[field] ?? [];
    },
  });
  return {
    root: el("div", { class: "notice-search" }, box.root),
    update(route, kinds) {
      known.note = kinds.map((kind) => ({ value: kind.note, count: kind.open + kind.acknowledged + kind.muted }));
      if (!box.root.contains(document.activeElement)) box.set(route.query.q ?? "");
    },
    // An error of the query is told in the box.
    failed(error, route) {
      if (error.status !== 400) return false;
      const before = new TextEncoder().encode(chosenTerms(route)).length;
      box.set(route.query.q ?? "");
      box.wrong({ message: error.message, at: error.at === undefined || !before ? error.at : error.at - before - 1, len: error.len });
      return true;
    },
  };
}

function nothing(route) {
  const state = stateOf(route);
  if (route.query.q || route.query.kind || route.query.sensor || route.query.hosts) return empty("No such notice in this time.", "Another state, kind or range of time may have some.", button("Take the filters out", () => change({ q: null, kind: null, sensor: null, hosts: null, state: "all" }), { class: "button" }), wholeHint(route.query.q, (q) => change({ q })));
  return state === "open" ? empty("Nothing is open.", "All notices of this time are acknowledged or muted, or there were none.") : empty(`No notice is ${state === "all" ? "there" : state} in this time.`);
}

export async function render(root, route) {
  let now = route;
  let kept = null;
  let shown = [];
  const box = search();
  const states = segments(CHOICES, stateOf(route), (state) => change({ state: state === "open" ? null : state }), "State");
  const exports = exportMenu(() => [{ title: "Notices shown, with their state", path: "/notices", params: { ...paramsOf(now), limit: 1000 } }, { title: "All notices of the time", path: "/export", params: { stream: "notice", ...now.range.params } }]);
  const head = el("div", { class: "panel-head" });
  const list = el("ul", { class: "notice-list" });
  const more = el("div", { class: "notice-more" });
  const side = el("div", { class: "notice-side" });
  const whose = segments(HOSTS, route.query.hosts ?? "all", (hosts) => change({ hosts: hosts === "all" ? null : hosts }), "Hosts");
  const picker = sensorPicker((sensor) => change({ sensor }));
  const changed = () => kept?.again();

  const cards = (notices) => notices.map((notice) => noticeCard(notice, now.range.query, changed, { sensor: !picker.root.hidden }));

  function drawHead() {
    const open = shown.filter((notice) => notice.state === "open");
    const kind = now.query.kind;
    clear(head, el("h2", {}, kind ? kindName(kind) : "All kinds"), el("span", { class: "dim" }, `${count(shown.length)} shown, newest first`),
      open.length > 1 ? button(`Acknowledge all ${count(open.length)} \u2026`, async () => (await acknowledgeAll(open)) && changed(), { class: "button panel-tools" }) : null);
  }

  function drawMore(answer) {
    clear(more, answer.complete === false ? incomplete(`Searched back to ${dateTime(answer.searched_to)} only: there was no more time.`) : null,
      answer.next ? button("Show older ones", () => older(answer.next), { class: "button" }) : null);
  }

  async function older(before) {
    const answer = await get("/notices", { ...paramsOf(now), limit: LIMIT, before });
    shown = [...shown, ...answer.notices];
    const next = cards(answer.notices);
    list.append(...next);
    next[0]?.querySelector("a")?.focus();
    drawHead();
    drawMore(answer);
  }

  function draw(data, drawn) {
    now = drawn;
    shown = data.list.notices;
    states.set(stateOf(drawn));
    whose.set(drawn.query.hosts ?? "all");
    whose.hidden = !data.ours && !drawn.query.hosts;
    picker.update(data.sensors, drawn.query.sensor);
    box.update(drawn, data.kinds.kinds);
    drawHead();
    head.hidden = shown.length === 0;
    clear(list, shown.length > 0 ? cards(shown) : el("li", {}, nothing(drawn)));
    drawMore(data.list);
    clear(side, kindsPanel(data.kinds.kinds, drawn.query, side.querySelector(".kinds-panel")?.open ?? innerWidth > NARROW), mutesPanel(data.mutes, changed));
    return partlyNote(data.kinds);
  }

  root.append(
    el("div", { class: "view-head" }, el("h1", {}, "Notices"), states, whose, picker.root, el("div", { class: "view-tools" }, exports)),
    box.root,
    el("div", { class: "notice-columns" }, el("section", { class: "panel", "aria-label": "List" }, head, list, more), side),
  );
  // Who has gone on to older ones is not thrown back to the newest.
  kept = await keepLoaded(root, route, { load, draw, refresh: (loaded) => loaded.range.live, hold: () => shown.length > LIMIT, failed: box.failed });
  return kept;
}
