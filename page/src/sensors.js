// The sensors that fill a store: which of them is shown, and how each of them fares.

import { clear, el } from "./dom.js";
import { ago, compact, percent } from "./format.js";
import { judgeSensors, sensorName } from "./health.js";
import { table } from "./parts/table.js";
import { label, wire } from "./parts/text.js";

// One of them, or all. names: those that have one; choose(name, or null for all). Gives {root, update(names, value)}; it is hidden where there is no choice.
export function sensorPicker(choose) {
  const select = el("select", { class: "input", "aria-label": "Sensor" });
  const root = el("span", { class: "sensor-picker", hidden: true }, select);
  select.addEventListener("change", () => choose(select.value || null));
  return {
    root,
    update(names, value) {
      // The one in the address stands there too, even if it has seen nothing in this time.
      const known = value && !names.some((name) => name.toLowerCase() === value.toLowerCase()) ? [...names, value] : names;
      root.hidden = known.length < 2 && !value;
      // A list that is open is not pulled away.
      if (select.dataset.names !== JSON.stringify(known)) clear(select, el("option", { value: "" }, "All sensors"), known.map((name) => el("option", { value: name }, name)));
      select.dataset.names = JSON.stringify(known);
      select.value = known.find((name) => name.toLowerCase() === value?.toLowerCase()) ?? "";
    },
  };
}

const WORDS = { good: "good", warn: "warn", bad: "bad", none: null };

// The worst first. href(name): what shows it alone.
export function sensorTable(health, now, href) {
  const share = (key) => (row) => (Number.isFinite(row[key]) ? percent(row[key]) : "\u2013");
  const number = (key, text, title, cell) => ({ key, label: text, title, number: true, cell });
  const columns = [
    { key: "sensor", label: "Sensor", cell: (row) => (row.sensor ? el("a", { href: href(row.sensor) }, wire(row.sensor)) : el("span", { class: "dim" }, sensorName(null))) },
    { key: "state", label: "State", cell: (row) => label(row.words, WORDS[row.tone]) },
    { key: "last", label: "Last word", title: "When it told of itself last", cell: (row) => ago(row.last, now) },
    number("packets", "Packets", null, (row) => compact(row.sums.packets)),
    number("mails", "Mails", null, (row) => compact(row.sums.mails)),
    number("loss", "Dropped", "Packets that were dropped", share("loss")),
    number("gap_share", "Missing", "Bytes of connections that were not seen", share("gap_share")),
    number("one_sided", "One-sided", "Connections seen from one side only", share("one_sided")),
  ];
  return table(columns, judgeSensors(health, now), { caption: "Sensors, the worst first" }).root;
}
