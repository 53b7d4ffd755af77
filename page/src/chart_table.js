// The numbers of a chart as a table, made when it is opened: for those who do not see the chart, and for exact reading.
// In: series {key, name}; data as chart.js has it. Steps in which nothing was are left out, and how many these are is said.

import { clear, el } from "./dom.js";
import { count, dayTime } from "./format.js";

export function chartTable(series) {
  const body = el("div", { class: "table-scroll", tabindex: "0", role: "region", "aria-label": "Table of the chart" });
  const root = el("details", { class: "chart-table" }, el("summary", {}, "The numbers as a table"), body);
  let data = null;

  function fill() {
    clear(body);
    if (!data || !root.open) return;
    const rows = data.times.map((time, i) => [time, series.map((row) => data.series[row.key]?.[i] ?? 0)]);
    const some = rows.filter(([, values]) => values.some((value) => value > 0)).reverse();
    body.append(
      el("table", {},
        el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "From"), series.map((row) => el("th", { scope: "col", class: "number" }, row.name)))),
        el("tbody", {}, some.map(([time, values]) => el("tr", {}, el("th", { scope: "row" }, dayTime(time)), values.map((value) => el("td", { class: "number" }, count(value))))))),
    );
    if (some.length < rows.length) body.append(el("p", { class: "quiet" }, `${count(rows.length - some.length)} of ${count(rows.length)} steps, in which nothing was, are left out.`));
  }

  root.addEventListener("toggle", fill);
  return {
    root,
    update(next) {
      data = next;
      fill();
    },
  };
}
