// Capture health: the words, and the counts over time behind them.

import { timeChart } from "./chart.js";
import { clear, el } from "./dom.js";
import { judgeAll } from "./health.js";
import { change } from "./navigate.js";
import { label } from "./parts/text.js";
import { rangeQuery } from "./range.js";
import { address } from "./router.js";
import { sensorPicker, sensorTable } from "./sensors.js";

const PANELS = [
  { label: "Packets", height: 90, series: [{ key: "packets", name: "Packets", colour: "--c-mails", fill: true }] },
  { label: "Dropped packets", height: 70, series: [{ key: "kernel_drops", name: "Dropped by the kernel", colour: "--c-rejected", fill: true, sparse: true }, { key: "ring_drops", name: "Dropped between workers", colour: "--c-deferred", fill: true, sparse: true }] },
  { label: "Sessions", height: 70, series: [{ key: "sessions", name: "Sessions", colour: "--c-mails" }, { key: "one_sided", name: "Seen from one side", colour: "--c-deferred", fill: true, sparse: true }] },
];
const WORDS = { good: ["all is well", "good"], warn: ["not all was seen", "warn"], bad: ["much was not seen", "bad"], none: ["not known", null] };

function stepOf(health) {
  return health.step ?? (health.times.length > 1 ? health.times[1] - health.times[0] : 60);
}

export function healthCard() {
  const mark = el("span");
  const lines = el("ul", { class: "health-lines" });
  const charts = el("div", { class: "health-charts" });
  const each = el("div", { class: "health-sensors" });
  const picker = sensorPicker((sensor) => change({ sensor }, { replace: true }));
  const root = el("section", { class: "panel", "aria-labelledby": "health-title" }, el("div", { class: "panel-head" }, el("h2", { id: "health-title" }, "Capture"), mark, el("div", { class: "panel-tools" }, picker.root)), el("div", { class: "panel-body" }, lines, each, charts));
  let chart = null;

  return {
    root,
    // query: the address's, whose sensor is the one that is shown.
    update(health, time, query) {
      const now = Math.min(time.until, Date.now() / 1000);
      const words = judgeAll(health, now, query.sensor ?? null);
      const names = health.sensors.map((row) => row.sensor).filter(Boolean);
      picker.update(names, query.sensor);
      clear(each, health.sensors.length > 1 ? sensorTable(health, now, (sensor) => address("/", { ...query, sensor: sensor === query.sensor ? null : sensor })) : null);
      clear(mark, words.silent ? label("silent", "bad") : label(...WORDS[words.tone]));
      clear(lines, words.lines.map((line) => el("li", {}, line)));
      charts.hidden = words.tone === "none" || health.times.length === 0;
      if (charts.hidden) return;
      chart ??= timeChart(charts, { label: "health", zooms: false, panels: PANELS, now: () => Date.now() / 1000, onRange: (next) => change(rangeQuery(next)) });
      chart.update({ times: health.times, step: stepOf(health), series: health.series, range: { since: time.since, until: time.until } });
    },
    destroy() {
      chart?.destroy();
    },
  };
}
