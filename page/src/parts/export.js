// A menu of downloads. They are links to the API, which the browser saves by itself.

import { el } from "../dom.js";
import { apiAddress } from "../api.js";
import { menu } from "./dialog.js";

const FORMATS = [["csv", "CSV", "for tables"], ["ndjson", "JSON lines", "one record a line"], ["json", "JSON", "one document"]];

// source() -> {path, params} of a list of the API, asked when the menu opens; several: [{title, path, params}].
export function exportMenu(source) {
  return menu("Export", () => {
    const sources = [source()].flat();
    return sources.map((one) => el("div", { class: "menu-group" }, one.title ? el("p", { class: "menu-title" }, one.title) : null, FORMATS.map(([format, name, hint]) => link(one, format, name, hint))));
  }, { title: "Save what is shown" });
}

function link(one, format, name, hint) {
  const path = one.path.replace(/^.*\//, "");
  return el("a", { class: "menu-item", href: apiAddress(one.path, { ...one.params, format }), download: `mailtap-${path}.${format}` }, name, el("span", { class: "dim" }, ` ${hint}`));
}
