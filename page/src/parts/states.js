// What stands where there is nothing to show: not yet, nothing at all, or because of an error.

import { button, el } from "../dom.js";

export const BARE = "Nothing is stored in this folder yet: mailtap watch eth0 -o sqlite:FOLDER fills it.";

export function loading(text = "Loading …") {
  return el("div", { class: "state state-loading", role: "status" }, el("span", { class: "spinner", "aria-hidden": "true" }), text);
}

export function empty(text, hint, ...actions) {
  return el("div", { class: "state" }, el("p", { class: "state-text" }, text), hint ? el("p", { class: "dim" }, hint) : null, actions.length ? el("p", { class: "state-actions" }, actions) : null);
}

const WHY = { 0: "The server does not answer. The page tries again by itself where it refreshes.", 403: "Your user may not do this.", 429: "Too many requests: wait a moment." };

// error: ApiError or another; retry: a function, or nothing.
export function failure(error, retry) {
  const text = error?.message || String(error);
  const why = WHY[error?.status];
  if (error?.status === 404) retry = null;
  return el("div", { class: "state state-error", role: "alert" }, el("p", { class: "state-text" }, text), why && why !== text ? el("p", { class: "dim" }, why) : null, retry ? el("p", { class: "state-actions" }, button("Try again", retry, { class: "button" })) : null);
}

// Where a time budget ended a search.
export function incomplete(text) {
  return el("p", { class: "incomplete", role: "note" }, text);
}
