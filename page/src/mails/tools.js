// The buttons beside the query's box: which columns, live or not, the commonest values on a narrow screen.

import { button, clear, el } from "../dom.js";
import { change } from "../navigate.js";
import { menu } from "../parts/dialog.js";
import { pref, setPref } from "../prefs.js";
import { COLUMNS, keepColumns } from "./columns.js";

// shown() gives the columns that are shown now.
export function columnMenu(shown) {
  return menu("Columns", () => COLUMNS.map((column) => {
    const box = el("input", { type: "checkbox", checked: shown().includes(column) });
    box.addEventListener("change", () => {
      const chosen = shown().map((one) => one.key).filter((key) => key !== column.key);
      if (box.checked) chosen.push(column.key);
      if (chosen.length) change({ cols: keepColumns(chosen) }, { replace: true });
      else box.checked = true;
    });
    return el("label", { class: "menu-item" }, box, column.title ?? column.label);
  }), { "aria-label": "Columns" });
}

// Whether new mails appear by themselves: wanted, and possible now. Gives {root, draw({can, top}), offline(whether), wanted()}.
export function liveButton(started) {
  const state = { on: pref("live", true), can: false, top: true, lost: false };
  const root = button("", () => {
    state.on = !state.on;
    setPref("live", state.on);
    draw(state);
    if (state.on) started();
  }, { class: "button live" });

  function draw({ can, top }) {
    Object.assign(state, { can, top });
    const runs = can && state.on && top;
    root.setAttribute("aria-pressed", String(can && state.on));
    root.disabled = !can;
    root.classList.toggle("is-running", runs && !state.lost);
    root.title = state.lost ? "The server does not answer; the page goes on trying" : !can ? "The range of time has an end" : runs ? "New mails appear by themselves" : state.on ? "Goes on when the top of the list is seen" : "Stopped";
    clear(root, el("span", { class: "live-dot", "aria-hidden": "true" }), can && state.on && state.lost ? "Offline" : can && state.on && !top ? "Paused" : "Live");
  }
  function offline(lost) {
    if (lost === state.lost) return;
    state.lost = lost;
    draw(state);
  }
  return { root, draw, offline, wanted: () => state.on };
}

export function sideButton(side) {
  const root = button("Values", () => {
    const open = side.classList.toggle("is-open");
    root.setAttribute("aria-pressed", String(open));
  }, { class: "button side-button", "aria-pressed": "false", title: "The commonest values" });
  return root;
}
