// Mails over time as a strip of bars above the list: what became of them; dragging over it chooses a range. The same can be done by the range in the head.

import { clear, el, svg } from "../dom.js";
import { count, span } from "../format.js";

const PARTS = ["accepted", "rejected", "deferred", "other"];
const BARS = 200;
// The server counts by whole minutes.
const STEPS = [60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 604800];

export function stepFor(range) {
  const length = range.until - range.since;
  return STEPS.find((step) => length / step <= BARS) ?? Math.ceil(length / BARS / 604800) * 604800;
}

// choose({since, until}) on dragging. Gives {root, update(answer of /timeline)}.
export function timeStrip(choose) {
  const picture = svg("svg", { class: "strip-picture", preserveAspectRatio: "none", "aria-hidden": "true" });
  const words = el("span", { class: "strip-words" });
  const root = el("div", { class: "strip", role: "img", hidden: true }, picture, words);
  const state = { times: [], step: 60, totals: [], from: null };

  function update(answer) {
    const { times, step, series } = answer;
    const sum = series.mails.reduce((a, b) => a + b, 0);
    root.hidden = times.length < 2 || sum === 0;
    Object.assign(state, { times, step, series });
    const other = times.map((_, i) => Math.max(0, series.mails[i] - series.accepted[i] - series.rejected[i] - series.deferred[i]));
    state.values = { ...series, other };
    const most = Math.max(1, ...series.mails);
    picture.setAttribute("viewBox", `0 0 ${times.length} 100`);
    clear(picture, times.map((_, i) => stack(i, most)), svg("rect", { class: "strip-chosen", y: 0, height: 100, width: 0 }));
    root.setAttribute("aria-label", `Mails over time: ${count(sum)}, most ${count(most)} in one step`);
    words.textContent = "";
  }

  function stack(i, most) {
    let y = 100;
    return PARTS.map((part) => {
      const n = state.values[part][i];
      if (!n) return null;
      const height = Math.max(1.5, (96 * n) / most);
      y -= height;
      return svg("rect", { class: `strip-${part}`, x: i + 0.08, width: 0.84, y, height });
    });
  }

  const at = (event) => {
    const box = picture.getBoundingClientRect();
    return Math.max(0, Math.min(state.times.length - 1, Math.floor(((event.clientX - box.left) / box.width) * state.times.length)));
  };

  function point(event) {
    if (!state.times.length) return;
    const i = at(event);
    const [a, b] = state.from === null ? [i, i] : [Math.min(i, state.from), Math.max(i, state.from)];
    const sum = (key) => state.values[key].slice(a, b + 1).reduce((x, y) => x + y, 0);
    words.textContent = `${span(state.times[a], state.times[b] + state.step)}: ${count(sum("mails"))} mails, ${count(sum("rejected"))} rejected, ${count(sum("deferred"))} deferred`;
    if (state.from !== null) mark(a, b + 1);
  }

  function mark(from, to) {
    const box = picture.querySelector(".strip-chosen");
    box?.setAttribute("x", from);
    box?.setAttribute("width", to - from);
  }

  picture.addEventListener("pointermove", point);
  picture.addEventListener("pointerleave", () => state.from === null && (words.textContent = ""));
  picture.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    state.from = at(event);
    picture.setPointerCapture(event.pointerId);
    event.preventDefault();
  });
  picture.addEventListener("pointerup", (event) => {
    if (state.from === null) return;
    const [a, b] = [Math.min(at(event), state.from), Math.max(at(event), state.from) + 1];
    state.from = null;
    mark(0, 0);
    choose({ since: state.times[a], until: state.times[b - 1] + state.step });
  });
  picture.addEventListener("pointercancel", () => {
    state.from = null;
    mark(0, 0);
  });
  return { root, update, hide: () => (root.hidden = true) };
}
