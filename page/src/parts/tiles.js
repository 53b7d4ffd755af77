// Sums at a glance, and bars that show a share.

import { el } from "../dom.js";
import { percent } from "../format.js";

// rows: [{label, value (text), sub, tone: accepted|rejected|deferred|warn|..., href, title}]. Gives {root, update(rows)}.
export function tiles(rows, { name = "Sums" } = {}) {
  const root = el("dl", { class: "tiles", "aria-label": name });
  const update = (next) => root.replaceChildren(...next.map(tile));
  update(rows);
  return { root, update };
}

function tile(row) {
  const value = el("dd", { class: "tile-value" }, row.href ? el("a", { href: row.href }, row.value) : row.value);
  return el("div", { class: `tile ${row.tone ? `tile-${row.tone}` : ""}`.trim(), title: row.title }, el("dt", { class: "tile-label" }, row.label), value, row.sub ? el("dd", { class: "tile-sub" }, row.sub) : null);
}

// part of whole as a bar; tone as of tiles. The number stands next to it, so it is hidden from those who hear.
export function bar(part, whole, tone) {
  const fill = el("span", { class: `bar-fill ${tone ? `bar-${tone}` : ""}`.trim() });
  fill.style.setProperty("inline-size", `${whole > 0 ? Math.min(100, (100 * part) / whole) : 0}%`);
  return el("span", { class: "bar", "aria-hidden": "true", title: whole > 0 ? percent(part / whole) : null }, fill);
}

// What became of them, as one stacked bar. sums: {mails, accepted, rejected, deferred}
export function outcome(sums) {
  const root = el("span", { class: "bar stacked", role: "img", "aria-label": ["accepted", "rejected", "deferred"].map((key) => `${sums[key] ?? 0} ${key}`).join(", ") });
  for (const key of ["accepted", "rejected", "deferred"]) {
    if (!sums[key] || !sums.mails) continue;
    const fill = el("span", { class: `bar-fill bar-${key}`, title: `${key}: ${sums[key]} (${percent(sums[key] / sums.mails)})` });
    fill.style.setProperty("inline-size", `${(100 * sums[key]) / sums.mails}%`);
    root.append(fill);
  }
  return root;
}

// One of few, as buttons side by side. choices: [[value, text]]. Gives the root; set(value) marks another.
export function segments(choices, value, choose, name) {
  const root = el("div", { class: "segments", role: "group", "aria-label": name });
  for (const [key, text] of choices) {
    const press = () => {
      set(key);
      choose(key);
    };
    root.append(el("button", { type: "button", class: "segment", "aria-pressed": String(key === value), dataset: { key }, on: { click: press } }, text));
  }
  const set = (next) => {
    for (const one of root.children) one.setAttribute("aria-pressed", String(one.dataset.key === String(next)));
  };
  root.set = set;
  return root;
}
