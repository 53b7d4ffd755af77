// Logging in; then back to where one was.

import { logIn, me } from "../api.js";
import { el } from "../dom.js";
import { go } from "../navigate.js";
import { safeBack } from "../router.js";

export const pattern = "/log-in";
export const title = "Log in";

export async function render(root, route) {
  const there = safeBack(route.query.back);
  const who = await me({ fresh: true });
  if (!who.log_in || who.user) return go(there, { replace: true });
  const user = el("input", { class: "input", name: "user", autocomplete: "username", autocapitalize: "off", spellcheck: "false", required: true, maxlength: 200 });
  const password = el("input", { class: "input", name: "password", type: "password", autocomplete: "current-password", required: true, maxlength: 1000 });
  const wrong = el("p", { class: "wrong-text", role: "alert" });
  const press = el("button", { type: "submit", class: "button button-primary login-button" }, "Log in");
  const state = { timer: null };

  function waitFor(seconds) {
    const end = Date.now() + seconds * 1000;
    press.disabled = true;
    const tick = () => {
      const left = Math.ceil((end - Date.now()) / 1000);
      press.textContent = left > 0 ? `Wait ${left} s` : "Log in";
      if (left <= 0) {
        press.disabled = false;
        clearInterval(state.timer);
      }
    };
    clearInterval(state.timer);
    state.timer = setInterval(tick, 500);
    tick();
  }

  async function submit(event) {
    event.preventDefault();
    wrong.textContent = "";
    press.disabled = true;
    try {
      await logIn(user.value, password.value);
      document.dispatchEvent(new Event("whochange"));
      go(there, { replace: true });
    } catch (error) {
      press.disabled = false;
      wrong.textContent = error.status === 429 ? "Too many attempts." : error.message;
      if (error.status === 429) waitFor(error.retryAfter ?? 30);
      password.value = "";
      password.focus();
    }
  }

  root.append(el("form", { class: "panel login", on: { submit } }, el("h1", {}, "Log in"), el("label", { class: "field" }, "User", user), el("label", { class: "field" }, "Password", password), wrong, press));
  user.focus();
  return () => clearInterval(state.timer);
}
