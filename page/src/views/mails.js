// Mails: the query's box, the commonest values at the side, mails over time, and the list.
// Owns: what it asked last; the last list stays kept, so that one comes back from a mail to where one was.

import { get, isAbort } from "../api.js";
import { button, clear, el } from "../dom.js";
import { keys } from "../keys.js";
import { chosenColumns, fieldsOf } from "../mails/columns.js";
import { MailList } from "../mails/list.js";
import { remember, remembered } from "../mails/memory.js";
import { Pages } from "../mails/pages.js";
import { mailSums } from "../mails/sums.js";
import { columnMenu, liveButton, sideButton } from "../mails/tools.js";
import { change, go } from "../navigate.js";
import { exportMenu } from "../parts/export.js";
import { poll } from "../parts/live.js";
import { searchBox } from "../parts/search.js";
import { BARE, empty, failure, loading } from "../parts/states.js";
import { wholeHint } from "../parts/whole_hint.js";
import { toggledTerm } from "../query.js";
import { rangeQuery } from "../range.js";

export const pattern = "/mails";
export const title = (route) => (route.query.q ? `${route.query.q} · Mails` : "Mails");
export const nav = "Mails";
export const range = true;
export const wide = true;

const SIZE = 100;
const LIVE_MS = 5000;
const SUMS_EVERY = 6;

const search = (q) => change({ q: q || null });

// All parts of the view and what they share; draws nothing yet.
function parts(first) {
  const view = { route: first, columns: chosenColumns(first.query), asked: new AbortController(), polls: 0, broken: false, left: false };
  const known = remembered(first);
  view.params = () => ({ q: view.route.query.q ?? "", ...view.route.range.params });
  const fetchPage = (more) => get("/mails", { ...view.params(), fields: fieldsOf(view.columns), ...more }, { signal: view.left ? undefined : view.asked.signal });
  view.known = known;
  view.pages = known?.pages ?? new Pages({ fetch: fetchPage, size: SIZE });
  view.pages.fetch = fetchPage;
  view.list = new MailList({ pages: view.pages, open: (mail) => go(`/mails/${mail.id}`), moved: () => moved(view), settled: () => told(view) });
  view.search = searchBox({ label: "Search mails", placeholder: "Search: from:anna subject:invoice country:RU is:rejected …", search: (q) => {
    view.toList = true;
    search(q);
  }, values: (field, rest) => valuesOf(view, field, rest), left: () => view.list.focus() });
  view.sums = mailSums({ onTerm: (field, value, negated) => search(toggledTerm(view.route.query.q ?? "", field, value, negated)), onRange: (chosen) => change(rangeQuery(chosen)) });
  view.live = liveButton(() => refresh(view));
  view.newest = button("↑ Newest", () => (view.list.root.scrollTop = 0), { class: "button newest", hidden: true });
  view.message = el("div", { class: "mails-message", hidden: true });
  return view;
}

function build(root, view) {
  const side = el("aside", { class: "mails-side", "aria-label": "Commonest values" }, view.sums.side);
  root.append(
    el("h1", { class: "off-screen" }, "Mails"),
    el("div", { class: "mails-bar" }, view.search.root, el("div", { class: "mails-tools" }, sideButton(side), view.live.root, columnMenu(() => view.columns), exportMenu(() => exported(view)))),
    el("div", { class: "mails-sums" }, view.sums.told, view.sums.strip),
    el("div", { class: "mails-body" }, side, el("div", { class: "mails-list" }, view.list.root, view.newest, view.message)),
  );
}

function exported(view) {
  const params = { stream: "smtp", ...view.params() };
  return [{ title: "Columns shown", path: "/export", params: { ...params, fields: fieldsOf(view.columns) } }, { title: "Whole records", path: "/export", params }];
}

async function valuesOf(view, field, rest) {
  const answer = await get("/facets", { q: rest.trim(), ...view.route.range.params, fields: field, limit: 50 });
  return answer.facets[0]?.values ?? [];
}

function moved(view) {
  const top = view.list.atTop();
  view.newest.hidden = top;
  view.live.draw({ can: view.route.range.live, top });
}

function say(view, ...nodes) {
  view.message.hidden = !nodes.length;
  clear(view.message, nodes);
}

// Everything of the query anew; a list that is remembered stays.
async function load(view, { kept = false } = {}) {
  view.asked.abort();
  view.asked = new AbortController();
  const { signal } = view.asked;
  view.broken = false;
  view.search.set(view.route.query.q ?? "");
  say(view);
  const sums = view.sums.load(view.params(), view.route, signal);
  if (!kept) await loadList(view, signal);
  remember(view);
  moved(view);
  await sums;
}

// Where there is no mail, and none can come any more, it is said why.
function told(view) {
  say(view, ...(view.pages.total || !view.pages.done ? [] : [nothing(view.route)]));
}

async function loadList(view, signal) {
  const wait = setTimeout(() => say(view, loading()), 250);
  try {
    await view.pages.first();
    if (signal.aborted) return;
    view.list.reset();
    told(view);
    if (view.toList && view.pages.total) view.list.focus();
    view.toList = false;
  } catch (error) {
    if (!isAbort(error) && !signal.aborted && error.status !== 401) failed(view, error);
  } finally {
    clearTimeout(wait);
  }
}

function failed(view, error) {
  view.broken = true;
  view.pages.empty();
  view.list.reset();
  if (error.status === 400 || error.status === 403) {
    view.search.wrong(error);
    view.sums.broken();
  }
  if (error.at === undefined) say(view, failure(error, () => load(view)));
  else if (error.status === 403) say(view, empty("This search is not open to you", "The underlined word asks for what your user may not see."));
  else say(view, empty("The search is not understood", "The wrong word is underlined. Typing shows which fields and values there are."));
}

function nothing(route) {
  const { q } = route.query;
  if (route.range.bare && !q) return empty("No mails here", BARE);
  const all = route.range.preset === "all";
  const hint = !all ? "Not in this range of time." : q ? "Take out a term, or look at its words." : "The store has none.";
  return empty(q ? "No mail matches" : "No mails here", hint,
    q ? button("Empty the search", () => search(""), { class: "button" }) : null,
    all ? null : button("Search all times", () => change({ since: "all", until: null }), { class: "button" }),
    q ? wholeHint(q, search) : null);
}

// New mails, while the top is seen; the sums less often.
async function refresh(view) {
  if (!view.live.wanted() || !view.route.range.live || view.broken || !view.list.atTop()) return;
  const { asked } = view;
  try {
    const n = await view.pages.newer();
    if (asked.signal.aborted) return;
    if (n < 0) view.list.reset();
    if (n > 0) {
      view.list.grown(n);
      view.pages.shorten(5 * SIZE);
      view.sums.add(n);
    }
    if (n !== 0) told(view);
    view.live.offline(false);
    if (++view.polls % SUMS_EVERY === 0) await view.sums.load(view.params(), view.route, asked.signal, { again: true });
  } catch (error) {
    if (!isAbort(error)) view.live.offline(error.status === 0 || error.status >= 500);
  }
}

function startKeys(view) {
  const { list } = view;
  const open = () => list.current() && go(`/mails/${list.current().id}`);
  keys([
    ["/", () => view.search.focus(), "To the search"],
    [["j", "ArrowDown"], () => list.step(1), "Next mail (older)"],
    [["k", "ArrowUp"], () => list.step(-1), "Mail before (newer)"],
    ["PageDown", () => list.page(1), null],
    ["PageUp", () => list.page(-1), null],
    ["Home", () => list.activate(0), "Newest mail"],
    ["End", () => list.activate(view.pages.total - 1), "Last mail loaded"],
    ["Enter", open, "Open the mail"],
    ["Escape", () => (list.active >= 0 ? list.activate(null) : view.route.query.q && search("")), "Leave the row; empty the search"],
    ["r", () => load(view), "Search again"],
  ]);
}

export async function render(root, first) {
  const view = parts(first);
  build(root, view);
  startKeys(view);
  view.list.setColumns(view.columns);
  const loaded = load(view, { kept: Boolean(view.known) });
  if (view.known) view.list.restore(view.known);
  view.list.focus();
  const stopPoll = poll(() => refresh(view), LIVE_MS);
  loaded.catch(console.error);
  return {
    async update(route) {
      view.route = route;
      document.title = `${title(route)} · mailtap`;
      const columns = chosenColumns(route.query);
      const same = columns.map((one) => one.key).join() === view.columns.map((one) => one.key).join();
      view.columns = columns;
      if (!same) view.list.setColumns(columns);
      await load(view);
    },
    stop() {
      remember(view, { left: true });
      view.left = true;
      stopPoll();
      view.list.stop();
      view.asked.abort();
    },
  };
}
