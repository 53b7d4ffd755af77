// The page: which address shows which view, and the frame around them.
// Owns: the view that is shown, until the next one; its clean-up is called before that.

import { isAbort, me, meKnown, onLost } from "./api.js";
import { el } from "./dom.js";
import { frame } from "./frame.js";
import { helpKeys, startKeys, clearKeys } from "./keys.js";
import { go, onNavigate, startNavigation } from "./navigate.js";
import { failure, loading } from "./parts/states.js";
import { keepTheme, onPref } from "./prefs.js";
import { clockOf, rangeOf } from "./range.js";
import { address, find, parseQuery } from "./router.js";
import { views } from "./views/index.js";

const shown = { view: null, path: null, stop: null, update: null, turn: 0 };
const FRESH_MS = 60_000;
let page = null;
let asked = 0;

function routeOf({ path, search, restore }) {
  const found = find(views, path);
  const query = parseQuery(search);
  return { ...(found ?? { view: null, params: {} }), path, query, range: rangeOf(query, clockOf(meKnown() ?? {})), address: path + search, restore };
}

// Who one is, and from when to when the store is, which the ranges of time go by.
async function learn(fresh) {
  asked = Date.now();
  return me({ fresh });
}

function nothing(root) {
  root.append(el("div", { class: "state" }, el("h1", {}, "There is nothing at this address"), el("p", {}, el("a", { href: "/" }, "To the beginning"))));
}

function stopShown() {
  try {
    shown.stop?.();
  } catch (error) {
    console.error(error);
  }
  shown.stop = shown.update = null;
  clearKeys();
}

function titleOf(view, route) {
  const title = typeof view?.title === "function" ? view.title(route) : view?.title;
  return title ? `${title} · mailtap` : "mailtap";
}

async function show(place) {
  if (Date.now() - asked > FRESH_MS) learn(true).catch(() => {});
  const route = routeOf(place);
  page.update(route);
  if (route.view && route.view === shown.view && route.path === shown.path && shown.update && (await shown.update(route)) !== false) return;
  const turn = ++shown.turn;
  stopShown();
  Object.assign(shown, { view: route.view, path: route.path });
  document.title = titleOf(route.view, route);
  const root = el("div", { class: "view" });
  page.main.classList.toggle("main-wide", Boolean(route.view?.wide));
  page.main.replaceChildren(root);
  if (!route.view) return nothing(root);
  const wait = setTimeout(() => !root.hasChildNodes() && root.append(loading()), 150);
  try {
    const result = await route.view.render(root, route);
    if (turn !== shown.turn) return void (typeof result === "function" ? result() : result?.stop?.());
    shown.stop = typeof result === "function" ? result : result?.stop ?? null;
    shown.update = result?.update ?? null;
    if (place.restore !== undefined) page.main.scrollTop = place.restore;
  } catch (error) {
    if (turn === shown.turn && !isAbort(error) && error.status !== 401) root.replaceChildren(failure(error, () => again()));
    if (error.status === undefined && !isAbort(error)) console.error(error);
  } finally {
    clearTimeout(wait);
    for (const state of turn === shown.turn ? root.querySelectorAll(":scope > .state-loading") : []) if (root.children.length > 1) state.remove();
  }
  if (turn === shown.turn && place.moved) page.arrived();
}

function again() {
  shown.update = null;
  show({ path: location.pathname, search: location.search });
}

async function start() {
  keepTheme();
  page = frame(views, { help: helpKeys });
  document.body.replaceChildren(...page.nodes);
  onLost(() => {
    if (location.pathname !== "/log-in") go(address("/log-in", { back: location.pathname + location.search }), { replace: true });
  });
  onPref((name) => name === "zone" && again());
  startKeys();
  onNavigate(show);
  try {
    const who = await learn(false);
    page.who(who);
    if (who.log_in && !who.user && location.pathname !== "/log-in") go(address("/log-in", { back: location.pathname + location.search }), { replace: true });
  } catch (error) {
    page.main.replaceChildren(failure(error, () => location.reload()));
    return;
  }
  startNavigation(page.main);
}

document.addEventListener("whochange", async () => page.who(await learn(false)));
start();
