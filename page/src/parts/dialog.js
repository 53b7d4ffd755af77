// Questions in front of the page. The element <dialog> keeps the focus inside, Esc closes it.

import { button, el } from "../dom.js";

// Shows body (nodes) under a title; resolves to the value of the button pressed, null where it was closed. actions: [{text, value, primary, danger}]; value may be a function, asked on pressing; one that gives undefined keeps it open.
export function dialog(title, body, actions = [{ text: "Close", value: null }], { wide = false } = {}) {
  const before = document.activeElement;
  return new Promise((resolve) => {
    let result = null;
    const box = el("dialog", { class: `dialog ${wide ? "dialog-wide" : ""}`.trim(), "aria-label": title });
    const close = (value) => {
      result = value;
      box.close();
    };
    const form = el("form", { class: "dialog-form", on: { submit: (event) => event.preventDefault() } }, el("h2", { class: "dialog-title" }, title), el("div", { class: "dialog-body" }, body));
    form.append(el("div", { class: "dialog-actions" }, actions.map((action) => actionButton(action, close))));
    box.append(form);
    box.addEventListener("click", (event) => event.target === box && close(null));
    box.addEventListener("close", () => {
      box.remove();
      before?.focus?.();
      resolve(result);
    });
    document.body.append(box);
    box.showModal();
  });
}

function actionButton(action, close) {
  const press = () => {
    const value = typeof action.value === "function" ? action.value() : action.value;
    if (value !== undefined) close(value);
  };
  return el("button", { type: action.primary ? "submit" : "button", class: `button ${action.primary ? "button-primary" : ""} ${action.danger ? "button-danger" : ""}`.trim(), on: { click: press } }, action.text);
}

// true where it was confirmed.
export async function confirmDialog(title, text, word) {
  return (await dialog(title, el("p", {}, text), [{ text: "Cancel", value: false }, { text: word, value: true, primary: true }])) === true;
}

// A small panel under a button: <details>, which closes on Esc and on a click elsewhere. content: nodes, or a function that makes them when it opens.
export function menu(text, content, attributes = {}) {
  const panel = el("div", { class: "menu-panel" });
  const summary = el("summary", { class: "button menu-button", ...attributes }, text);
  const box = el("details", { class: "menu" }, summary, panel);
  const away = (event) => !box.contains(event.target) && shut();
  const shut = () => {
    box.open = false;
  };
  // Before it opens, so that it is never seen empty.
  summary.addEventListener("click", () => box.open || panel.replaceChildren(...[typeof content === "function" ? content(shut) : content].flat()));
  box.addEventListener("toggle", () => {
    document.removeEventListener("click", away, true);
    if (box.open) document.addEventListener("click", away, true);
  });
  box.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !box.open) return;
    event.stopPropagation();
    shut();
    summary.focus();
  });
  return box;
}
