// What a viewer has chosen, kept in this browser: theme, zone of times, columns. Who wants to know of a change listens by onPref().
// A browser that keeps nothing (private window, storage forbidden) only forgets it at the next load.

const PREFIX = "mailtap.";
const listeners = new Set();
const here = new Map();

export function pref(name, otherwise) {
  if (here.has(name)) return here.get(name);
  try {
    const text = globalThis.localStorage?.getItem(PREFIX + name);
    if (text !== null && text !== undefined) return JSON.parse(text);
  } catch {
    return otherwise;
  }
  return otherwise;
}

export function setPref(name, value) {
  here.set(name, value);
  try {
    globalThis.localStorage?.setItem(PREFIX + name, JSON.stringify(value));
  } catch {
    // Kept for this page alone then.
  }
  for (const listener of listeners) listener(name, value);
}

// Gives a function that stops it.
export function onPref(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

// The theme that shows now: "light" or "dark"; preference theme may be "auto".
export function theme() {
  const wanted = pref("theme", "auto");
  if (wanted !== "auto") return wanted;
  return globalThis.matchMedia?.("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

// Sets data-theme of the document now and whenever preference or system change, then tells by event "themechange" of the document.
export function keepTheme() {
  const set = () => {
    document.documentElement.dataset.theme = theme();
    document.dispatchEvent(new Event("themechange"));
  };
  set();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", set);
  onPref((name) => name === "theme" && set());
}
