// Counts over time: panels one above the other over the same time, switches for the series, buttons that zoom, a table of the same numbers.
// In: panels of series, then data by update(). Out: onRange({since, until}) where someone drags or presses a button; onHidden(keys) where a series is switched.
// Owns: its plots, until destroy().

import { plotPanel, setSteps } from "./chart_plot.js";
import { earlier, later, stepText, zoomIn, zoomOut } from "./chart_scale.js";
import { chartTable } from "./chart_table.js";
import { clear, el } from "./dom.js";
import { count, dayTime, span } from "./format.js";

function seriesSwitch(row, chart) {
  const value = el("span", { class: "chart-value" });
  const mark = el("span", { class: "chart-mark", "aria-hidden": "true" });
  mark.style.setProperty("--mark", `var(${row.colour})`);
  const press = () => {
    const show = chart.hidden.has(row.key);
    if (show) chart.hidden.delete(row.key);
    else chart.hidden.add(row.key);
    root.setAttribute("aria-pressed", String(show));
    for (const plot of chart.plots) plot.series.forEach((line, i) => line.key === row.key && plot.setSeries(i, { show }));
    chart.options.onHidden?.([...chart.hidden]);
  };
  const root = el("button", { type: "button", class: "chart-switch", "aria-pressed": String(!chart.hidden.has(row.key)), on: { click: press } }, mark, el("span", {}, row.name), value);
  return { root, value };
}

function logSwitch(chart, build) {
  const press = () => {
    chart.log = !chart.log;
    root.setAttribute("aria-pressed", String(chart.log));
    chart.options.onLog(chart.log);
    if (chart.data) build();
  };
  const root = el("button", { type: "button", class: "chart-log", "aria-pressed": String(chart.log), title: "Counts by their logarithm: small ones are seen beside great ones", on: { click: press } }, "log");
  return root;
}

function zoomButtons(chart) {
  const one = (text, label, next) => el("button", { type: "button", class: "chart-zoom", "aria-label": label, title: label, on: { click: () => chart.data && chart.options.onRange(next(chart.data.range, chart.options.now())) } }, text);
  return el("div", { class: "chart-zooms", role: "group", "aria-label": "Time shown" }, one("\u2190", "Earlier", earlier), one("\u2192", "Later", later), one("+", "Zoom in", zoomIn), one("\u2212", "Zoom out", zoomOut));
}

function sum(values) {
  return (values ?? []).reduce((all, value) => all + value, 0);
}

// What a panel says, for those who do not see it.
function summary(panel, data) {
  const parts = panel.series.map((row) => {
    const values = data.series[row.key] ?? [];
    const most = Math.max(0, ...values);
    return `${row.name}: ${count(sum(values))}${most > 0 ? `, most ${count(most)} at ${dayTime(data.times[values.indexOf(most)])}` : ""}`;
  });
  return `${panel.label} per ${stepText(data.step)}, ${span(data.range.since, data.range.until)}. ${parts.join("; ")}. The table below has all numbers.`;
}

// Draws anew when the theme or the width changes. Gives a function that stops it.
function follow(box, chart) {
  const redraw = () => chart.plots.forEach((plot) => plot.redraw(false, true));
  const sizes = new ResizeObserver(() => {
    const width = box.clientWidth;
    for (const plot of chart.plots) if (width > 0 && plot.width !== width) plot.setSize({ width, height: plot.height });
  });
  document.addEventListener("themechange", redraw);
  sizes.observe(box);
  return () => {
    document.removeEventListener("themechange", redraw);
    sizes.disconnect();
  };
}

// options: label, panels [{label, height, series: [{key, name, colour, fill, sparse (often 0)}]}], hidden (keys), onRange, onHidden, log and onLog (without it there is no switch), now (a function), zooms (false: no buttons for it, as another chart has them).
export function timeChart(root, options) {
  const series = options.panels.flatMap((panel) => panel.series);
  const reading = el("span", { class: "chart-time" });
  const chart = { options, data: null, hidden: new Set(options.hidden), plots: [], log: options.log === true, read };
  const switches = new Map(series.map((row) => [row.key, seriesSwitch(row, chart)]));
  const box = el("div", { class: "chart-plots" });
  const table = chartTable(series);
  root.append(el("div", { class: "chart-head" }, el("div", { class: "chart-series", role: "group", "aria-label": "Series" }, [...switches.values()].map((one) => one.root)), reading, options.onLog ? logSwitch(chart, draw) : null, options.zooms === false ? null : zoomButtons(chart)), box, table.root);
  const stop = follow(box, chart);

  // Values at the cursor, or sums over all that is shown.
  function read(index) {
    if (!chart.data) return;
    const { times, step, series: values } = chart.data;
    const at = index === null || index === undefined || index >= times.length ? null : index;
    reading.textContent = at === null ? "in all" : span(times[at], times[at] + step);
    for (const row of series) switches.get(row.key).value.textContent = count(at === null ? sum(values[row.key]) : values[row.key]?.[at] ?? 0);
  }

  function build() {
    for (const plot of chart.plots) plot.destroy();
    clear(box);
    chart.plots = options.panels.map((panel, i) => {
      const place = el("div", { class: "chart-plot", role: "img" });
      box.append(el("p", { class: "chart-unit" }, `${panel.label} per ${stepText(chart.data.step)}`), place);
      return plotPanel(place, panel, i === options.panels.length - 1, chart);
    });
  }

  function draw() {
    build();
    fill();
  }

  function fill() {
    options.panels.forEach((panel, i) => {
      setSteps(chart.plots[i], panel, chart.data);
      chart.plots[i].root.parentElement.setAttribute("aria-label", summary(panel, chart.data));
    });
  }

  return {
    // data: times (begin of each step), step, series {key: values}, range {since, until}.
    update(data) {
      const same = chart.data?.step === data.step;
      chart.data = data;
      if (!same) build();
      fill();
      read(null);
      table.update(data);
    },
    destroy() {
      stop();
      for (const plot of chart.plots) plot.destroy();
    },
  };
}
