// One panel of a chart: a plot by uPlot, steps over time.
// In: the panel, and what the whole chart holds (chart.js). Out: the plot; what is dragged or pointed at goes to the chart. Colours are read from the style sheet whenever it draws.

import uPlot from "uplot";
import { axisTexts } from "./chart_axis.js";
import { draggedRange, withoutRests, zoomOut } from "./chart_scale.js";
import { compact, timeZone } from "./format.js";

const FONT = "12px system-ui, sans-serif";
const AXIS_WIDTH = 52;
const TIMES_HEIGHT = 46;
const LOW = 100;
// Counts are whole: an axis has no halves.
const DISTANCES = [1, 2, 5].flatMap((first) => [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map((power) => first * 10 ** power)).sort((a, b) => a - b);

function property(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

// The step that now is in has not all its mails yet.
function shadeUnfinished(plot, data, now) {
  const last = data?.times.at(-1);
  if (last === undefined || last + data.step <= now) return;
  const left = Math.max(plot.bbox.left, plot.valToPos(last, "x", true));
  const right = Math.min(plot.bbox.left + plot.bbox.width, plot.valToPos(last + data.step, "x", true));
  if (right <= left) return;
  plot.ctx.save();
  plot.ctx.fillStyle = property("--chart-grid");
  plot.ctx.fillRect(left, plot.bbox.top, right - left, plot.bbox.height);
  plot.ctx.restore();
}

function takeDrag(plot, chart) {
  const { left, width } = plot.select;
  if (width <= 0) return;
  const range = draggedRange(plot.posToVal(left, "x"), plot.posToVal(left + width, "x"), chart.data.step, width);
  plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  if (range) chart.options.onRange(range);
}

// Counts from 0 on, so that a burst does not press all else to the floor: by the inverse sine, which is the logarithm but for the first few.
const LOG = { distr: 4, asinh: 1, range: (_, low, high) => [0, Math.max(2, (high ?? 0) * 1.3)] };
const LINEAR = { range: (_, low, high) => [0, Math.max(2, (high ?? 0) * 1.08)] };
const LOG_MARKS = [0, ...[0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map((power) => 10 ** power)];

function counts(log, low) {
  if (!log) return { space: low ? 18 : 30, incrs: DISTANCES };
  return { space: 0, splits: (_, _axis, _least, most) => LOG_MARKS.filter((mark) => mark <= most), filter: (_, marks) => marks };
}

function axes(panel, last, log) {
  const grid = { stroke: () => property("--chart-grid"), width: 1 };
  const text = { stroke: () => property("--chart-text"), font: FONT, grid };
  return [
    { ...text, show: last, ticks: { ...grid, size: 4 }, size: TIMES_HEIGHT, space: 64, values: (_, marks, _axis, _space, distance) => axisTexts(marks, distance, timeZone() === "UTC") },
    { ...text, ticks: { show: false }, size: AXIS_WIDTH, values: (_, marks) => marks.map(compact), ...counts(log, panel.height < LOW) },
  ];
}

function line(row, hidden) {
  return {
    key: row.key,
    show: !hidden.has(row.key),
    stroke: () => property(row.colour),
    fill: row.fill ? () => property(`${row.colour}-soft`) : undefined,
    width: 1.5,
    points: { show: false },
    paths: uPlot.paths.stepped({ align: 1 }),
  };
}

// chart: {options, data, hidden, log, read(index)}; last: it has the texts of the times below it.
export function plotPanel(box, panel, last, chart) {
  const options = {
    width: Math.max(200, box.clientWidth || 600),
    height: panel.height + (last ? TIMES_HEIGHT : 6),
    padding: [10, 20, last ? 0 : 4, 0],
    legend: { show: false },
    tzDate: (seconds) => (timeZone() === "UTC" ? uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC") : new Date(seconds * 1000)),
    cursor: {
      // Panels share the cursor, not what is dragged: one drag is one range.
      sync: { key: chart.options.label, setSeries: false, filters: { pub: (type) => type === "mousemove" || type === "mouseleave" } },
      y: false,
      points: { size: 6 },
      drag: { x: true, y: false, setScale: false },
      bind: { dblclick: () => () => chart.options.onRange(zoomOut(chart.data.range, chart.options.now())) },
    },
    scales: {
      x: { time: true, range: () => [chart.data?.range.since ?? 0, chart.data?.range.until ?? 1] },
      y: chart.log ? LOG : LINEAR,
    },
    axes: axes(panel, last, chart.log),
    series: [{}, ...panel.series.map((row) => line(row, chart.hidden))],
    hooks: {
      setCursor: [(plot) => chart.read(plot.cursor.left >= 0 ? plot.cursor.idx : null)],
      setSelect: [(plot) => takeDrag(plot, chart)],
      drawClear: [(plot) => shadeUnfinished(plot, chart.data, chart.options.now())],
    },
  };
  return new uPlot(options, [[], ...panel.series.map(() => [])], box);
}

// Steps as uPlot draws them: the last one gets an end, else it would have no width.
export function setSteps(plot, panel, data) {
  const end = data.times.length > 0 ? [data.times.at(-1) + data.step] : [];
  const column = (key) => {
    const values = data.series[key] ?? data.times.map(() => 0);
    return end.length > 0 ? [...values, values.at(-1)] : values;
  };
  plot.setData([[...data.times, ...end], ...panel.series.map((row) => (row.sparse ? withoutRests(column(row.key)) : column(row.key)))]);
}
