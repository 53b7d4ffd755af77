// A view that loads, shows, and loads again: when only the query changed, and by itself while its range of time ends now.
// A view that has shown something keeps it when a later load fails, and says so above it.

import { isAbort } from "./api.js";
import { bounded } from "./bounds.js";
import { clear, el } from "./dom.js";
import { poll } from "./parts/live.js";
import { failure, loading } from "./parts/states.js";

const REFRESH = 30000;
const PATIENCE = 250;

// Who reads with the keyboard stays where they are, though what they stand on is made anew: found again by where it leads or what it says.
export function keepFocus(root, work) {
  const before = root.contains(document.activeElement) ? document.activeElement : null;
  const sign = (node) => `${node.tagName} ${node.getAttribute("href")} ${node.getAttribute("aria-label")} ${node.className} ${node.textContent}`;
  const wanted = before && sign(before);
  work();
  if (!before || root.contains(before)) return;
  const same = [...root.querySelectorAll(before.tagName)].find((node) => sign(node) === wanted);
  (same ?? root.closest("main"))?.focus({ preventScroll: true });
}

// A question that is open, or a menu, is not pulled away.
const busy = () => document.querySelector("dialog[open], details.menu[open]") !== null;

// load(route, signal, time) -> data; draw(data, route, time) may give a note that stands above; time is the range with a beginning, as bounds.js gives it. refresh(route): whether it shall load again by itself; hold(): whether not just now; failed(error, route): whether the view has told it itself; every: how often, ms. Gives what render() of a view gives.
export async function keepLoaded(root, route, { load, draw, refresh = () => false, hold = () => false, failed = () => false, every = REFRESH }) {
  const note = el("div", { class: "load-note" });
  const state = { route, control: null, stopPoll: null, note };
  root.prepend(note);
  // Nothing of it can be shown yet: neither an empty chart nor headings without numbers.
  root.classList.add("is-waiting");
  const wait = setTimeout(() => clear(note, loading()), PATIENCE);

  async function once() {
    state.control?.abort();
    const control = new AbortController();
    state.control = control;
    root.setAttribute("aria-busy", "true");
    try {
      const time = await bounded(state.route.range, control.signal);
      const data = await load(state.route, control.signal, time);
      if (control.signal.aborted) return;
      root.classList.remove("is-waiting");
      keepFocus(root, () => clear(note, draw(data, state.route, time)));
    } finally {
      clearTimeout(wait);
      if (state.control === control) root.removeAttribute("aria-busy");
    }
  }

  async function again() {
    try {
      await once();
    } catch (error) {
      if (isAbort(error)) return;
      if (error.status === undefined) console.error(error);
      clear(note, failed(error, state.route) ? null : failure(error, again));
    }
  }

  const watch = () => {
    state.stopPoll?.();
    state.stopPoll = refresh(state.route) ? poll(async () => busy() || hold() || again(), every) : null;
  };

  // A query that is wrong is to be mended in the view; whatever else fails at first is the frame's to tell.
  try {
    await once();
  } catch (error) {
    if (error.status !== 400) throw error;
    const told = failed(error, route);
    root.classList.toggle("is-waiting", !told);
    clear(note, told ? null : failure(error));
  }
  watch();
  return {
    again,
    stop: () => [state.control?.abort(), state.stopPoll?.()],
    async update(next) {
      state.route = next;
      await again();
      watch();
    },
  };
}
