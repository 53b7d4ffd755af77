// Mails: the query's box, the commonest values at the side, mails over time, and the list.
// Owns: what it asked last; the last list stays kept, so that one comes back from a mail to where one was.

import { get, isAbort } from "../api.js";
import { button, clear, el } from "../dom.js";
import { count } from "../format.js";
import { keys } from "../keys.js";
import { chosenColumns, COLUMNS, fieldsOf, keepColumns } from "../mails/columns.js";
import { mailList } from "../mails/list.js";
import { remember, remembered } from "../mails/memory.js";
import { Pages } from "../mails/pages.js";
import { stepFor, timeStrip } from "../mails/strip.js";
import { change, go } from "../navigate.js";
import { menu } from "../parts/dialog.js";
import { exportMenu } from "../parts/export.js";
import { facets } from "../parts/facets.js";
import { poll } from "../parts/live.js";
import { searchBox } from "../parts/search.js";
import { empty, failure, loading } from "../parts/states.js";
import { pref, setPref } from "../prefs.js";
import { rangeQuery } from "../range.js";
import { toggledTerm } from "../query.js";

export const pattern = "/mails";
export const title = (route) => (route.query.q ? `${route.query.q} · Mails` : "Mails");
export const nav = "Mails";
export const range = true;
export const wide = true;

const SIZE = 100;
const FACETS = "disposition,country,client,sender,recipient,agent,tls,anomaly,code";
const LIVE_MS = 5000;
const SUMS_EVERY = 6;

export async function render(root, first) {
  const view = { route: first, columns: chosenColumns(first.query), asked: null, polls: 0, counted: null, live: pref("live", true) };
  const known = remembered(first);
  const params = () => ({ q: view.route.query.q ?? "", ...view.route.range.params });
  const fetchPage = (more) => get("/mails", { ...params(), fields: fieldsOf(view.columns), ...more }, { signal: view.left ? undefined : view.asked?.signal });
  view.pages = known?.pages ?? new Pages({ fetch: fetchPage, size: SIZE });
  view.pages.fetch = fetchPage;
  const list = mailList({ pages: view.pages, open: (mail) => go(`/mails/${mail.id}`), moved: () => drawLive() });

  const search = searchBox({ label: "Search mails", placeholder: "Search: from:anna subject:invoice country:RU is:rejected …", search: (q) => change({ q: q || null }), values: valuesOf, left: () => list.root.focus() });
  const side = facets((field, value, negated) => change({ q: toggledTerm(view.route.query.q ?? "", field, value, negated) || null }));
  const strip = timeStrip((chosen) => change(rangeQuery(chosen)));
  const told = el("p", { class: "mails-count", role: "status" });
  const live = button("", () => {
    view.live = !view.live;
    setPref("live", view.live);
    drawLive();
    if (view.live) refresh();
  }, { class: "button live" });
  const newest = button("↑ Newest", () => (list.root.scrollTop = 0), { class: "button newest", hidden: true });
  const shownSide = el("aside", { class: "mails-side", "aria-label": "Commonest values" }, side.root);
  const sideButton = button("Facets", () => {
    const open = shownSide.classList.toggle("is-open");
    sideButton.setAttribute("aria-pressed", String(open));
  }, { class: "button side-button", "aria-pressed": "false" });
  const middle = el("div", { class: "mails-list" }, list.root, newest);
  const message = el("div", { class: "mails-message", hidden: true });
  middle.append(message);
  root.append(
    el("h1", { class: "off-screen" }, "Mails"),
    el("div", { class: "mails-bar" }, search.root, el("div", { class: "mails-tools" }, sideButton, live, columnMenu(), exportMenu(exported))),
    el("div", { class: "mails-sums" }, told, strip.root),
    el("div", { class: "mails-body" }, shownSide, middle),
  );

  function exported() {
    return [{ title: "Columns shown", path: "/export", params: { stream: "smtp", ...params(), fields: fieldsOf(view.columns) } }, { title: "Whole records", path: "/export", params: { stream: "smtp", ...params() } }];
  }

  async function valuesOf(field, rest) {
    const answer = await get("/facets", { q: rest.trim(), ...view.route.range.params, fields: field, limit: 50 });
    return answer.facets[0]?.values ?? [];
  }

  function columnMenu() {
    return menu("Columns", () => COLUMNS.map((column) => {
      const box = el("input", { type: "checkbox", checked: view.columns.includes(column) });
      box.addEventListener("change", () => {
        const chosen = view.columns.map((one) => one.key).filter((key) => key !== column.key);
        if (box.checked) chosen.push(column.key);
        if (!chosen.length) box.checked = true;
        else change({ cols: keepColumns(chosen) }, { replace: true });
      });
      return el("label", { class: "menu-item" }, box, column.title ?? column.label);
    }), { "aria-label": "Columns" });
  }

  function drawLive() {
    const can = view.route.range.live;
    const runs = can && view.live && list.atTop();
    live.setAttribute("aria-pressed", String(can && view.live));
    live.disabled = !can;
    live.classList.toggle("is-running", runs);
    live.title = can ? (runs ? "New mails appear by themselves" : view.live ? "Goes on when the top of the list is seen" : "Stopped") : "The range of time has an end";
    clear(live, el("span", { class: "live-dot", "aria-hidden": "true" }), view.live && can && !runs ? "Paused" : "Live");
    newest.hidden = list.atTop();
  }

  function drawCount() {
    const { counted } = view;
    if (view.broken) return clear(told);
    return clear(told, counted === null ? "Counting …" : [el("strong", {}, `${counted.complete ? "" : "at least "}${count(counted.count)}`), counted.count === 1 && counted.complete ? " mail" : " mails"]);
  }

  function say(...nodes) {
    message.hidden = !nodes.length;
    clear(message, nodes);
  }

  // Everything of the query anew; a list that is remembered stays.
  async function load({ kept = false } = {}) {
    view.asked?.abort();
    view.asked = new AbortController();
    const { signal } = view.asked;
    Object.assign(view, { counted: null, broken: false });
    search.set(view.route.query.q ?? "");
    say();
    drawCount();
    const sums = loadSums(signal);
    if (!kept) await loadList(signal);
    remember({ route: view.route, pages: view.pages, list });
    drawLive();
    await sums;
  }

  async function loadList(signal) {
    const wait = setTimeout(() => say(loading()), 250);
    try {
      await view.pages.first();
      clearTimeout(wait);
      if (signal.aborted) return;
      list.reset();
      say(...(view.pages.total ? [] : [nothing()]));
    } catch (error) {
      clearTimeout(wait);
      if (isAbort(error) || signal.aborted || error.status === 401) return;
      view.broken = true;
      if (error.status === 400 || error.status === 403) search.wrong(error);
      drawCount();
      view.pages.list = [];
      view.pages.index();
      list.reset();
      say(error.at === undefined ? failure(error, () => load()) : empty("The search is not understood", "The wrong word is underlined. ? shows the keys; typing shows fields and values."));
    }
  }

  function nothing() {
    const { q } = view.route.query;
    const all = view.route.range.preset === "all";
    return empty(q ? "No mail matches" : "No mails here", all ? (q ? "Take out a term, or look at the words." : "Nothing is stored yet.") : "Not in this range of time.",
      q ? button("Empty the search", () => change({ q: null }), { class: "button" }) : null, all ? null : button("Search all times", () => change({ since: "all", until: null }), { class: "button" }));
  }

  async function loadSums(signal) {
    const quiet = (promise, use) => promise.then((answer) => signal.aborted || use(answer), (error) => {
      if (!isAbort(error) && error.status !== 400 && error.status !== 401) console.warn(error.message);
    });
    const { range: times } = view.route;
    if (times.since === null) strip.hide();
    await Promise.all([
      quiet(get("/count", params(), { signal }), (answer) => {
        view.counted = answer;
        drawCount();
      }),
      quiet(get("/facets", { ...params(), fields: FACETS, limit: 8 }, { signal }), (answer) => side.update(answer, view.route.query.q ?? "")),
      times.since === null ? null : quiet(get("/timeline", { ...params(), step: stepFor(times) }, { signal }), strip.update),
    ]);
  }

  // New mails, while the top is seen; the sums less often.
  async function refresh() {
    if (!view.live || !view.route.range.live || view.broken || !list.atTop()) return;
    const { asked } = view;
    try {
      const n = await view.pages.newer();
      if (asked !== view.asked || asked.signal.aborted) return;
      if (n < 0) list.reset();
      else if (n > 0) {
        list.grown(n);
        view.pages.shorten(5 * SIZE);
        if (view.counted) view.counted = { ...view.counted, count: view.counted.count + n };
        drawCount();
      }
      if (n !== 0) say();
      if (++view.polls % SUMS_EVERY === 0) await loadSums(asked.signal);
    } catch (error) {
      if (!isAbort(error)) console.warn(error.message);
    }
  }

  keys([
    ["/", () => search.focus(), "To the search"],
    [["j", "ArrowDown"], () => list.step(1), "Next mail"],
    [["k", "ArrowUp"], () => list.step(-1), "Mail before"],
    ["PageDown", () => list.page(1), null],
    ["PageUp", () => list.page(-1), null],
    ["Home", () => list.activate(0), "Newest mail"],
    ["End", () => list.activate(view.pages.total - 1), "Last mail loaded"],
    ["Enter", () => list.current() && go(`/mails/${list.current().id}`), "Open the mail"],
    ["Escape", () => (view.route.query.q ? change({ q: null }) : null), "Empty the search"],
    ["r", () => load(), "Search again"],
  ]);
  list.setColumns(view.columns);
  await load({ kept: Boolean(known) });
  if (known) {
    list.state.active = known.active;
    requestAnimationFrame(() => {
      list.renew();
      list.root.scrollTop = known.scroll;
      list.renew();
      drawLive();
    });
  }
  list.root.focus({ preventScroll: true });
  const stopPoll = poll(refresh, LIVE_MS);

  return {
    async update(route) {
      view.route = route;
      document.title = `${title(route)} · mailtap`;
      const columns = chosenColumns(route.query);
      const sameColumns = columns.map((one) => one.key).join() === view.columns.map((one) => one.key).join();
      view.columns = columns;
      if (!sameColumns) list.setColumns(columns);
      await load();
      return true;
    },
    stop() {
      remember({ route: view.route, pages: view.pages, list, left: true });
      view.left = true;
      stopPoll();
      list.stop();
      view.asked?.abort();
    },
  };
}
