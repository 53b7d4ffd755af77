// The query's box: a text field with completion of fields and values, and errors that underline the wrong word.
// In: the query by set(q), an error of the API by wrong(error). Out: search(q) on Enter; values(field, rest) asks for values.

import { fieldsKnown } from "../api.js";
import { complete, fieldNamed, fixedValues, ofStream, placeOf, taken } from "../complete.js";
import { button, clear, el } from "../dom.js";
import { compact } from "../format.js";
import { byteRange } from "../query.js";
import { searchHelp } from "./search_help.js";
import { wire } from "./text.js";

let boxes = 0;

// options: stream (smtp), search(q), values(field, rest of the query) -> promise of [{value, count}], label, placeholder. Gives {root, set, wrong, focus}.
export function searchBox(options) {
  const id = `search-${++boxes}`;
  const state = { known: null, items: [], place: null, at: -1, turn: 0, asked: new Map() };
  const input = el("input", { class: "search-input", type: "text", role: "combobox", "aria-expanded": "false", "aria-controls": `${id}-list`, "aria-autocomplete": "list", "aria-label": options.label, placeholder: options.placeholder, autocomplete: "off", autocapitalize: "off", spellcheck: "false", enterkeyhint: "search", "aria-describedby": `${id}-wrong`, maxlength: 8000 });
  const mirror = el("div", { class: "search-mirror", "aria-hidden": "true" });
  const list = el("ul", { class: "search-list", id: `${id}-list`, role: "listbox", "aria-label": "Suggestions", hidden: true });
  const note = el("div", { class: "search-wrong", id: `${id}-wrong`, role: "alert" });
  const wipe = button("✕", () => send(""), { class: "button-icon search-wipe", "aria-label": "Empty the search", title: "Empty the search", hidden: true });
  const help = button("?", () => searchHelp(options.stream ?? "smtp", (text) => {
    set(`${input.value} ${text}`.trim());
    input.focus();
  }), { class: "button-icon search-help", "aria-label": "How to search", title: "How to search" });
  const root = el("div", { class: "search", role: "search" }, el("div", { class: "search-field" }, mirror, input, el("div", { class: "search-buttons" }, wipe, help)), note, list);

  const send = (q) => {
    set(q);
    shut();
    options.search(q.trim());
  };
  function set(q) {
    if (q !== input.value) input.value = q;
    wipe.hidden = !q;
    wrong(null);
  }
  function wrong(error) {
    clear(note);
    clear(mirror);
    input.removeAttribute("aria-invalid");
    if (!error) return;
    input.setAttribute("aria-invalid", "true");
    append(note, error, input.value, send);
    if (error.at === undefined || error.at === null) return;
    const { from, to } = byteRange(input.value, error.at, error.len ?? 1);
    clear(mirror, input.value.slice(0, from), el("span", { class: "search-mark" }, input.value.slice(from, to) || " "), input.value.slice(to));
    mirror.scrollLeft = input.scrollLeft;
  }
  function shut() {
    state.turn++;
    state.items = [];
    state.at = -1;
    list.hidden = true;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  }
  function draw() {
    list.hidden = !state.items.length;
    input.setAttribute("aria-expanded", String(!list.hidden));
    clear(list, state.items.map((item, i) => suggestion(item, i, `${id}-${i}`, i === state.at, take)));
    if (state.at >= 0) {
      input.setAttribute("aria-activedescendant", `${id}-${state.at}`);
      list.children[state.at].scrollIntoView({ block: "nearest" });
    } else input.removeAttribute("aria-activedescendant");
  }
  function take(i) {
    const item = state.items[i];
    if (!item?.insert) return;
    const next = taken(input.value, state.place, item);
    set(next.text);
    input.focus();
    input.setSelectionRange(next.caret, next.caret);
    suggest();
  }
  // What is known at once, then what had to be asked.
  async function suggest() {
    const turn = ++state.turn;
    try {
      state.known ??= ofStream(await fieldsKnown(), options.stream ?? "smtp");
    } catch {
      return;
    }
    const caret = input.selectionStart;
    const place = placeOf(input.value, caret);
    const field = place.kind === "value" ? fieldNamed(state.known, place.field) : null;
    const show = (values) => {
      if (turn !== state.turn) return;
      Object.assign(state, complete(input.value, caret, state.known, values), { at: -1 });
      draw();
    };
    if (!field || fixedValues(state.known, field)) return show(null);
    const rest = input.value.slice(0, place.from).replace(/-?[\w.]+:$/, "") + input.value.slice(place.to);
    const key = `${field.name} ${rest}`;
    if (!state.asked.has(key)) state.asked.set(key, options.values?.(field.name, rest).catch(() => []) ?? Promise.resolve([]));
    return show(await state.asked.get(key));
  }
  function key(event) {
    const open = !list.hidden && state.items.length;
    if (event.key === "ArrowDown" && !open) suggest();
    else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && open) {
      const n = state.items.length;
      state.at = event.key === "ArrowDown" ? (state.at + 1) % n : (state.at + n + (state.at < 0 ? 0 : -1)) % n;
      draw();
    } else if (event.key === "Tab" && open && !event.shiftKey && state.items[Math.max(0, state.at)].insert) take(Math.max(0, state.at));
    else if (event.key === "Enter" && open && state.at >= 0) take(state.at);
    else if (event.key === "Enter") send(input.value);
    else if (event.key === "Escape" && open) shut();
    else if (event.key === "Escape") {
      input.blur();
      options.left?.();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }
  input.addEventListener("input", () => {
    wipe.hidden = !input.value;
    wrong(null);
    suggest();
  });
  input.addEventListener("keydown", key);
  input.addEventListener("click", () => input.value && suggest());
  input.addEventListener("scroll", () => (mirror.scrollLeft = input.scrollLeft));
  input.addEventListener("blur", () => setTimeout(() => !root.contains(document.activeElement) && shut(), 120));
  return { root, set, wrong, value: () => input.value, focus: () => (input.focus(), input.select()) };
}

function suggestion(item, i, id, selected, take) {
  const node = el("li", { class: `search-item ${item.insert ? "" : "search-example"}`.trim(), id, role: "option", "aria-selected": String(selected) }, wire(item.label, { class: "search-name" }), item.count ? el("span", { class: "search-count" }, compact(item.count)) : null, el("span", { class: "search-hint" }, item.hint));
  // Before the field loses the focus.
  node.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    take(i);
  });
  return node;
}

// The sentence, and the right name as a button where the server knows one.
function append(note, error, q, send) {
  note.append(wire(error.message));
  if (!error.nearest || error.at === undefined) return;
  const { from, to } = byteRange(q, error.at, error.len ?? 1);
  note.append(" ", button(["Take ", wire(error.nearest, { class: "mono" })], () => send(q.slice(0, from) + error.nearest + q.slice(to)), { class: "button-text" }));
}
