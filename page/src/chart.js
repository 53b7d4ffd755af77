// Counts over time, drawn by uPlot: panels one above the other over the same time, switches for the series, buttons that zoom, a table of the same numbers.
// In: panels of series, then data by update(). Out: onRange({since, until}) where someone drags or presses a button; onHidden(keys) where a series is switched.
// Owns: its canvases, until destroy(). Colours are custom properties of the style sheet, read again when the theme changes.

import uPlot from "uplot";
import { axisTexts } from "./chart_axis.js";
import { draggedRange, earlier, later, stepText, zoomIn, zoomOut } from "./chart_scale.js";
import { clear, el } from "./dom.js";
import { chartTable } from "./chart_table.js";
import { compact, count, dayTime, span, timeZone } from "./format.js";

const AXIS_FONT = "12px system-ui, sans-serif";
const AXIS_WIDTH = 52;

function property(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

// options: label, panels [{label, height, series: [{key, name, colour, fill}]}], hidden (keys), onRange, onHidden, now (a function), zooms (false: no buttons for it, as another chart has them).
export function timeChart(root, options) {
  const state = { data: null, hidden: new Set(options.hidden), plots: [], dragged: false };
  const series = options.panels.flatMap((panel) => panel.series);
  const reading = el("span", { class: "chart-time" });
  const switches = new Map(series.map((row) => [row.key, seriesSwitch(row)]));
  const plotsBox = el("div", { class: "chart-plots" });
  const table = chartTable(series);
  root.append(
    el("div", { class: "chart-head" }, el("div", { class: "chart-series", role: "group", "aria-label": "Series" }, [...switches.values()].map((one) => one.button)), reading, options.zooms === false ? null : zoomButtons()),
    plotsBox,
    table.root,
  );

  function seriesSwitch(row) {
    const value = el("span", { class: "chart-value" });
    const mark = el("span", { class: "chart-mark", "aria-hidden": "true" });
    mark.style.setProperty("--mark", `var(${row.colour})`);
    const button = el("button", { type: "button", class: "chart-switch", "aria-pressed": String(!state.hidden.has(row.key)) }, mark, el("span", {}, row.name), value);
    button.addEventListener("click", () => {
      if (state.hidden.has(row.key)) state.hidden.delete(row.key);
      else state.hidden.add(row.key);
      button.setAttribute("aria-pressed", String(!state.hidden.has(row.key)));
      for (const plot of state.plots) plot.series.forEach((line, i) => line.key === row.key && plot.setSeries(i, { show: !state.hidden.has(row.key) }));
      options.onHidden?.([...state.hidden]);
    });
    return { button, value };
  }

  function zoomButtons() {
    const button = (text, label, next) => {
      const one = el("button", { type: "button", class: "chart-zoom", "aria-label": label, title: label }, text);
      one.addEventListener("click", () => state.data && options.onRange(next(state.data.range, options.now())));
      return one;
    };
    return el("div", { class: "chart-zooms", role: "group", "aria-label": "Time shown" },
      button("\u2190", "Earlier", earlier), button("\u2192", "Later", later), button("+", "Zoom in", zoomIn), button("\u2212", "Zoom out", zoomOut));
  }

  // Values at the cursor, or sums over all that is shown.
  function read(index) {
    if (!state.data) return;
    const { times, step, series: values } = state.data;
    const at = index === null || index === undefined || index >= times.length ? null : index;
    reading.textContent = at === null ? "in all" : span(times[at], times[at] + step);
    for (const row of series) switches.get(row.key).value.textContent = count(at === null ? sum(values[row.key]) : values[row.key]?.[at] ?? 0);
  }

  function build(panel, number, last) {
    const box = el("div", { class: "chart-plot", role: "img" });
    plotsBox.append(box);
    const plot = new uPlot(plotOptions(panel, number, last, box), [[], ...panel.series.map(() => [])], box);
    return plot;
  }

  function plotOptions(panel, number, last, box) {
    const grid = { stroke: () => property("--chart-grid"), width: 1 };
    return {
      width: Math.max(200, box.clientWidth || plotsBox.clientWidth || 600),
      height: panel.height + (last ? 46 : 6),
      padding: [10, 20, last ? 0 : 4, 0],
      legend: { show: false },
      tzDate: (seconds) => (timeZone() === "UTC" ? uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC") : new Date(seconds * 1000)),
      cursor: {
        // Panels share the cursor, not what is dragged: one drag is one range.
        sync: { key: options.label, setSeries: false, filters: { pub: (type) => type === "mousemove" || type === "mouseleave" } },
        y: false,
        points: { size: 6 },
        drag: { x: true, y: false, setScale: false },
        bind: { dblclick: () => () => options.onRange(zoomOut(state.data.range, options.now())) },
      },
      scales: {
        x: { time: true, range: () => [state.data?.range.since ?? 0, state.data?.range.until ?? 1] },
        y: { range: (_, low, high) => [0, Math.max(2, (high ?? 0) * 1.08)] },
      },
      axes: [
        { show: last, stroke: () => property("--chart-text"), font: AXIS_FONT, grid, ticks: { ...grid, size: 4 }, size: 46, space: 64, values: (_, marks, _axis, _space, distance) => axisTexts(marks, distance, timeZone() === "UTC") },
        { stroke: () => property("--chart-text"), font: AXIS_FONT, grid, ticks: { show: false }, size: AXIS_WIDTH, space: panel.height < 100 ? 18 : 30, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 2e5, 5e5, 1e6, 1e7, 1e8, 1e9], values: (_, splits) => splits.map(compact) },
      ],
      series: [{}, ...panel.series.map((row) => ({
        key: row.key,
        show: !state.hidden.has(row.key),
        stroke: () => property(row.colour),
        fill: row.fill ? () => property(`${row.colour}-soft`) : undefined,
        width: 1.5,
        points: { show: false },
        paths: uPlot.paths.stepped({ align: 1 }),
      }))],
      hooks: {
        setCursor: [(plot) => read(plot.cursor.left >= 0 ? plot.cursor.idx : null)],
        setSelect: [(plot) => {
          if (plot.select.width <= 0) return;
          const from = plot.posToVal(plot.select.left, "x");
          const to = plot.posToVal(plot.select.left + plot.select.width, "x");
          const range = draggedRange(from, to, state.data.step, plot.select.width);
          plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          if (range) options.onRange(range);
        }],
        drawClear: [shadeUnfinished],
      },
    };
  }

  // The step that now is in has not all its mails yet.
  function shadeUnfinished(plot) {
    const { times, step } = state.data ?? { times: [] };
    const last = times.at(-1);
    if (last === undefined || last + step <= options.now()) return;
    const left = Math.max(plot.bbox.left, plot.valToPos(last, "x", true));
    const right = Math.min(plot.bbox.left + plot.bbox.width, plot.valToPos(last + step, "x", true));
    if (right <= left) return;
    plot.ctx.save();
    plot.ctx.fillStyle = property("--chart-grid");
    plot.ctx.fillRect(left, plot.bbox.top, right - left, plot.bbox.height);
    plot.ctx.restore();
  }

  function rebuild() {
    for (const plot of state.plots) plot.destroy();
    clear(plotsBox);
    options.panels.forEach((panel, i) => {
      plotsBox.append(el("p", { class: "chart-unit" }, panel.label, state.data ? ` per ${stepText(state.data.step)}` : ""));
      state.plots[i] = build(panel, i, i === options.panels.length - 1);
    });
  }

  const colours = matchMedia("(prefers-color-scheme: dark)");
  const redraw = () => state.plots.forEach((plot) => plot.redraw(false, true));
  colours.addEventListener("change", redraw);
  const themes = new MutationObserver(redraw);
  themes.observe(document.documentElement, { attributes: true, attributeFilter: ["class", "data-theme"] });
  const sizes = new ResizeObserver(() => {
    for (const plot of state.plots) if (plotsBox.clientWidth > 0 && plot.width !== plotsBox.clientWidth) plot.setSize({ width: plotsBox.clientWidth, height: plot.height });
  });
  sizes.observe(plotsBox);

  return {
    // data: times (begin of each step), step, series {key: values}, range {since, until}.
    update(data) {
      const first = !state.data || state.data.step !== data.step;
      state.data = data;
      if (first) rebuild();
      const end = data.times.length > 0 ? [data.times.at(-1) + data.step] : [];
      options.panels.forEach((panel, i) => {
        const columns = panel.series.map((row) => [...(data.series[row.key] ?? data.times.map(() => 0)), ...end.map(() => null)]);
        state.plots[i].setData([[...data.times, ...end], ...columns.map((column) => (end.length > 0 ? [...column.slice(0, -1), column.at(-2)] : column))]);
        state.plots[i].root.parentElement.setAttribute("aria-label", summary(panel, data));
      });
      read(null);
      table.update(data);
    },
    destroy() {
      colours.removeEventListener("change", redraw);
      themes.disconnect();
      sizes.disconnect();
      for (const plot of state.plots) plot.destroy();
    },
  };
}

function sum(values) {
  return (values ?? []).reduce((all, value) => all + value, 0);
}

// What a chart says, for those who do not see it.
function summary(panel, data) {
  const parts = panel.series.map((row) => {
    const values = data.series[row.key] ?? [];
    const most = Math.max(0, ...values);
    return `${row.name}: ${count(sum(values))}${most > 0 ? `, most ${count(most)} at ${dayTime(data.times[values.indexOf(most)])}` : ""}`;
  });
  return `${panel.label} per ${stepText(data.step)}, ${span(data.range.since, data.range.until)}. ${parts.join("; ")}. The table below has all numbers.`;
}
