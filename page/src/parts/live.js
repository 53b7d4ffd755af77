// What changes by itself: words for those who hear the page, and for a moment on the screen; work that is done again and again.

import { el } from "../dom.js";

let region = null;
let fading = null;

export function liveRegion() {
  region ??= el("div", { class: "toast", role: "status", "aria-live": "polite" });
  return region;
}

// Says it once; what comes next takes its place.
export function say(text) {
  const box = liveRegion();
  box.textContent = text;
  box.classList.add("shown");
  clearTimeout(fading);
  fading = setTimeout(() => {
    box.classList.remove("shown");
    box.textContent = "";
  }, 3500);
}

// Calls work (async) every so many ms, never twice at once, not while the page is hidden; at once when it is seen again, if one was due. Gives a function that stops it.
export function poll(work, ms) {
  let timer = null;
  let stopped = false;
  let due = false;
  const next = () => {
    clearTimeout(timer);
    if (!stopped) timer = setTimeout(run, ms);
  };
  const run = async () => {
    if (stopped) return;
    if (document.hidden) {
      due = true;
      return;
    }
    due = false;
    try {
      await work();
    } finally {
      next();
    }
  };
  const seen = () => !document.hidden && due && run();
  document.addEventListener("visibilitychange", seen);
  next();
  return () => {
    stopped = true;
    clearTimeout(timer);
    document.removeEventListener("visibilitychange", seen);
  };
}
