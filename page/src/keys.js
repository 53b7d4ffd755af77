// Keys. A view gives its own by keys([[key, does, words]]), which hold until the next view; ? shows all that count now.
// Not while one writes in a field, nor with Ctrl, Alt or Meta; a dialog has its own.

import { el } from "./dom.js";
import { dialog } from "./parts/dialog.js";

const NAMES = { ArrowDown: "↓", ArrowUp: "↑", Escape: "Esc", Enter: "Enter", " ": "Space" };
const common = [["?", () => helpKeys(), "Show the keys"]];
let own = [];

export function keys(rows) {
  own = rows;
}

export function clearKeys() {
  own = [];
}

export function helpKeys() {
  const rows = [...own, ...common].filter(([, , words]) => words);
  const list = el("dl", { class: "keys" }, rows.map(([key, , words]) => [el("dt", {}, [key].flat().map((one) => el("kbd", {}, NAMES[one] ?? one))), el("dd", {}, words)]));
  return dialog("Keys", list);
}

const writes = (node) => node instanceof HTMLElement && (node.isContentEditable || /^(input|textarea|select)$/i.test(node.tagName));

function pressed(event) {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || writes(event.target) || document.querySelector("dialog[open]")) return;
  if (event.key === "Enter" && event.target.closest?.("a, button, summary")) return;
  const row = [...own, ...common].find(([key]) => [key].flat().includes(event.key));
  if (!row) return;
  event.preventDefault();
  row[1](event);
}

export function startKeys() {
  document.addEventListener("keydown", pressed);
}
