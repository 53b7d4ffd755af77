// A plain table, for up to some hundred rows: columns that sort, rows that become cards on a phone. What is longer is mails' virtual list.

import { clear, el } from "../dom.js";

/* columns: [{key, label, cell(row) -> node or text, number: true (right-aligned), sort: row -> number or text, title}]; options: caption (read out), sort: {key, descending}, rowClass(row),
 * onSort({key, descending}) where the rows are sorted elsewhere. Gives {root, update(rows)}. */
export function table(columns, rows, options = {}) {
  const state = { rows, sort: options.sort ?? null };
  const body = el("tbody");
  const heads = columns.map((column) => el("th", { scope: "col", class: column.number ? "number" : null, title: column.title }, column.sort ? sortButton(column) : column.label));
  const root = el("div", { class: "table-box" }, el("table", { class: "table" }, options.caption ? el("caption", { class: "off-screen" }, options.caption) : null, el("thead", {}, el("tr", {}, heads)), body));

  function sortButton(column) {
    const press = () => {
      const same = state.sort?.key === column.key;
      state.sort = { key: column.key, descending: same ? !state.sort.descending : Boolean(column.number) };
      if (options.onSort) options.onSort(state.sort);
      draw();
    };
    return el("button", { type: "button", class: "sort", on: { click: press } }, column.label, el("span", { class: "sort-sign", "aria-hidden": "true" }));
  }

  function draw() {
    columns.forEach((column, i) => {
      if (state.sort?.key === column.key) heads[i].setAttribute("aria-sort", state.sort.descending ? "descending" : "ascending");
      else heads[i].removeAttribute("aria-sort");
    });
    clear(body, sorted().map((row) => el("tr", { class: options.rowClass?.(row) }, columns.map((column) => el("td", { class: column.number ? "number" : null, "data-label": column.label }, el("div", { class: "td" }, column.cell(row)))))));
  }

  function sorted() {
    const column = columns.find((one) => one.key === state.sort?.key);
    if (!column?.sort || options.onSort) return state.rows;
    const sign = state.sort.descending ? -1 : 1;
    return [...state.rows].sort((a, b) => {
      const [x, y] = [column.sort(a), column.sort(b)];
      return sign * (x < y ? -1 : x > y ? 1 : 0);
    });
  }

  draw();
  return {
    root,
    update(next) {
      state.rows = next;
      draw();
    },
  };
}

// Names and values, one below the other; rows whose value is null, undefined or "" are left out. null where none is left.
export function properties(rows, attributes) {
  const shown = rows.filter(([, value]) => value !== null && value !== undefined && value !== "" && !(Array.isArray(value) && value.length === 0));
  if (!shown.length) return null;
  return el("dl", { class: "properties", ...attributes }, shown.map(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]));
}
