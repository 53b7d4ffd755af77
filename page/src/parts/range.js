// The control of the time range in the page's head: one for all views.

import { button, clear, el } from "../dom.js";
import { dayTime, span, zoneName, timeZone } from "../format.js";
import { PRESETS, rangeQuery, shifted } from "../range.js";
import { dialog, menu } from "./dialog.js";

// choose({since, until}: texts of the address) is called with what was chosen. Gives {root, update(range)}.
export function rangeControl(choose) {
  const text = el("span", { class: "range-text" });
  let range = null;
  const back = button("‹", () => choose(rangeQuery(shifted(range, -1))), { class: "button range-step", "aria-label": "Earlier", title: "As long, right before" });
  const forth = button("›", () => choose(rangeQuery(shifted(range, 1))), { class: "button range-step", "aria-label": "Later", title: "As long, right after" });
  const list = menu(text, (shut) => choices(range, choose, shut), { class: "button menu-button range-button", "aria-label": "Range of time" });
  const root = el("div", { class: "range", role: "group", "aria-label": "Range of time" }, back, list, forth);
  const update = (next) => {
    range = next;
    const words = textOf(range);
    clear(text, words);
    list.querySelector("summary").setAttribute("aria-label", `Range of time: ${words}`);
    back.disabled = range.since === null;
    forth.disabled = range.live || range.ended || range.since === null;
  };
  return { root, update };
}

function textOf(range) {
  if (range.preset === "all") return "All times";
  if (range.preset) {
    const length = PRESETS.find(([value]) => value === range.preset)?.[1] ?? range.preset;
    return range.ended ? `${length[0].toUpperCase()}${length.slice(1)} to ${dayTime(range.until)}` : `Last ${length}`;
  }
  if (range.since === null) return `Until ${dayTime(range.until)}`;
  if (range.live) return `Since ${dayTime(range.since)}`;
  return span(range.since, range.until);
}

function choices(range, choose, shut) {
  const press = (work) => () => {
    shut();
    work();
  };
  const presets = PRESETS.map(([value, name]) => button(value === "all" ? "All times" : `Last ${name}`, press(() => choose({ since: value, until: undefined })), { class: "menu-item", "aria-current": value === range.preset ? "true" : null }));
  return [...presets, button("From … to …", press(() => ask(range, choose)), { class: "menu-item menu-more" })];
}

const inputText = (ts) => {
  const shift = timeZone() === "UTC" ? 0 : -new Date(ts * 1000).getTimezoneOffset() * 60;
  return new Date((ts + shift) * 1000).toISOString().slice(0, 16);
};

function inputTime(text) {
  if (!text) return null;
  const ms = Date.parse(timeZone() === "UTC" ? `${text}Z` : text);
  return Number.isNaN(ms) ? null : ms / 1000;
}

async function ask(range, choose) {
  const since = el("input", { type: "datetime-local", class: "input", value: range.since === null ? "" : inputText(range.since) });
  const until = el("input", { type: "datetime-local", class: "input", value: inputText(range.until) });
  const wrong = el("p", { class: "wrong-text", role: "alert" });
  const read = () => {
    const [a, b] = [inputTime(since.value), inputTime(until.value)];
    if (a !== null && b !== null && a >= b) {
      wrong.textContent = "The end is not behind the beginning.";
      return undefined;
    }
    return { since: a === null && b === null ? "all" : rangeQuery({ since: a }).since, until: rangeQuery({ until: b }).until };
  };
  const body = [el("label", { class: "field" }, "From", since), el("label", { class: "field" }, "To", until), el("p", { class: "dim" }, `Times in ${zoneName(range.until)}. Empty: without bound; to: now.`), wrong];
  const query = await dialog("Range of time", body, [{ text: "Cancel", value: null }, { text: "Show", value: read, primary: true }]);
  if (query) choose(query);
}
