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

/* options: stream (smtp), search(q), values(field, rest of the query) -> promise of [{value, count}], left() on Esc, label, placeholder.
 * Gives {root, set(q), wrong(error or null), value(), focus()}. */
export function searchBox(options) {
  const box = new SearchBox(options);
  return { root: box.root, set: (q) => box.set(q), wrong: (error) => box.wrong(error), value: () => box.input.value, focus: () => (box.input.focus(), box.input.select()) };
}

class SearchBox {
  constructor(options) {
    const id = `search-${++boxes}`;
    Object.assign(this, { options, id, stream: options.stream ?? "smtp", known: null, items: [], place: null, at: -1, turn: 0, asked: new Map() });
    this.input = el("input", { class: "search-input", type: "text", role: "combobox", "aria-expanded": "false", "aria-controls": `${id}-list`, "aria-autocomplete": "list", "aria-label": options.label, placeholder: options.placeholder, autocomplete: "off", autocapitalize: "off", spellcheck: "false", enterkeyhint: "search", "aria-describedby": `${id}-wrong`, maxlength: 8000 });
    this.mirror = el("div", { class: "search-mirror", "aria-hidden": "true" });
    this.list = el("ul", { class: "search-list", id: `${id}-list`, role: "listbox", "aria-label": "Suggestions", hidden: true });
    this.note = el("div", { class: "search-wrong", id: `${id}-wrong`, role: "alert" });
    this.wipe = button("✕", () => this.send(""), { class: "button-icon search-wipe", "aria-label": "Empty the search", title: "Empty the search", hidden: true });
    const help = button("?", () => searchHelp(this.stream, (text) => this.add(text)), { class: "button-icon search-help", "aria-label": "How to search", title: "How to search" });
    this.root = el("div", { class: "search", role: "search" }, el("div", { class: "search-field" }, this.mirror, this.input, el("div", { class: "search-buttons" }, this.wipe, help)), this.note, this.list);
    this.listen();
  }

  listen() {
    const { input } = this;
    input.addEventListener("input", () => {
      this.wipe.hidden = !input.value;
      this.wrong(null);
      this.suggest();
    });
    input.addEventListener("keydown", (event) => {
      if (!this.key(event)) return;
      event.preventDefault();
      event.stopPropagation();
    });
    input.addEventListener("click", () => input.value && this.suggest());
    input.addEventListener("scroll", () => (this.mirror.scrollLeft = input.scrollLeft));
    input.addEventListener("blur", () => setTimeout(() => !this.root.contains(document.activeElement) && this.shut(), 120));
  }

  send(q) {
    this.set(q);
    this.shut();
    this.options.search(q.trim());
  }

  set(q) {
    if (q !== this.input.value) this.input.value = q;
    this.wipe.hidden = !q;
    this.wrong(null);
  }

  add(text) {
    this.set(`${this.input.value} ${text}`.trim());
    this.input.focus();
  }

  wrong(error) {
    const { input, mirror, note } = this;
    clear(note);
    clear(mirror);
    input.removeAttribute("aria-invalid");
    if (!error) return;
    input.setAttribute("aria-invalid", "true");
    note.append(wire(error.message));
    if (error.at === undefined || error.at === null) return;
    const q = input.value;
    const { from, to } = byteRange(q, error.at, error.len ?? 1);
    clear(mirror, q.slice(0, from), el("span", { class: "search-mark" }, q.slice(from, to) || " "), q.slice(to));
    mirror.scrollLeft = input.scrollLeft;
    // The right name, where the server knows one.
    if (error.nearest) note.append(". ", button(["Take ", wire(error.nearest, { class: "mono" })], () => this.send(q.slice(0, from) + error.nearest + q.slice(to)), { class: "button-text" }));
  }

  shut() {
    this.turn++;
    this.items = [];
    this.at = -1;
    this.list.hidden = true;
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
  }

  draw() {
    const { list, input, id } = this;
    list.hidden = !this.items.length;
    input.setAttribute("aria-expanded", String(!list.hidden));
    clear(list, this.items.map((item, i) => suggestion(item, `${id}-${i}`, i === this.at, () => this.take(i))));
    if (this.at < 0) return input.removeAttribute("aria-activedescendant");
    input.setAttribute("aria-activedescendant", `${id}-${this.at}`);
    return list.children[this.at].scrollIntoView({ block: "nearest" });
  }

  take(i) {
    const item = this.items[i];
    if (!item?.insert) return;
    const next = taken(this.input.value, this.place, item);
    this.set(next.text);
    this.input.focus();
    this.input.setSelectionRange(next.caret, next.caret);
    this.suggest();
  }

  // What is known at once, else what has to be asked. An answer that comes after the next key is not shown.
  async suggest() {
    const turn = ++this.turn;
    try {
      this.known ??= ofStream(await fieldsKnown(), this.stream);
    } catch {
      return;
    }
    const text = this.input.value;
    const caret = this.input.selectionStart;
    const place = placeOf(text, caret);
    const field = place.kind === "value" ? fieldNamed(this.known, place.field) : null;
    const values = field && !fixedValues(this.known, field) ? await this.valuesOf(field, text, place) : null;
    if (turn !== this.turn) return;
    Object.assign(this, complete(text, caret, this.known, values), { at: -1 });
    this.draw();
  }

  // Values of a field among what the rest of the query finds.
  valuesOf(field, text, place) {
    const rest = text.slice(0, place.from).replace(/-?[\w.]+:$/, "") + text.slice(place.to);
    const key = `${field.name} ${rest}`;
    if (!this.asked.has(key)) this.asked.set(key, this.options.values?.(field.name, rest).catch(() => []) ?? Promise.resolve([]));
    return this.asked.get(key);
  }

  // Whether the key was for the box.
  key(event) {
    const { key } = event;
    const n = this.list.hidden ? 0 : this.items.length;
    if (key === "ArrowDown" && !n) this.suggest();
    else if ((key === "ArrowDown" || key === "ArrowUp") && n) {
      this.at = key === "ArrowDown" ? (this.at + 1) % n : (this.at + n + (this.at < 0 ? 0 : -1)) % n;
      this.draw();
    } else if (key === "Tab" && n && !event.shiftKey && this.items[Math.max(0, this.at)].insert) this.take(Math.max(0, this.at));
    else if (key === "Enter") n && this.at >= 0 ? this.take(this.at) : this.send(this.input.value);
    else if (key === "Escape" && n) this.shut();
    else if (key === "Escape") {
      this.input.blur();
      this.options.left?.();
    } else return false;
    return true;
  }
}

function suggestion(item, id, selected, take) {
  const node = el("li", { class: `search-item ${item.insert ? "" : "search-example"}`.trim(), id, role: "option", "aria-selected": String(selected) }, wire(item.label, { class: "search-name" }), item.count ? el("span", { class: "search-count" }, compact(item.count)) : null, el("span", { class: "search-hint" }, item.hint));
  // Before the field loses the focus.
  node.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    take();
  });
  return node;
}
