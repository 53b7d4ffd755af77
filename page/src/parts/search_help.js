// How to search: the forms of terms, and all fields with an example each.

import { fieldsKnown } from "../api.js";
import { ofStream } from "../complete.js";
import { button, el } from "../dom.js";
import { dialog } from "./dialog.js";
import { failure } from "./states.js";

const FORMS = [
  ["invoice anna", "words side by side: all of them, in subjects, people, files, URLs"],
  ["from:anna", "a word in one field"],
  ['subject:"page proofs"', "a phrase"],
  ["rcpt:*@example.com", "* stands for anything; from:* means that there is one"],
  ["size:>10M  rcpts:>=20", "numbers and sizes: > >= < <="],
  ["ip:192.0.2.0/24", "a network"],
  ["-country:DE", "without; NOT does the same"],
  ["is:rejected OR is:deferred", "either; brackets group"],
];

// take(text) puts an example into the box.
export async function searchHelp(stream, take) {
  let chosen = null;
  const example = (text) => button(text, (event) => {
    chosen = text;
    event.target.closest("dialog").close();
  }, { class: "button-text mono" });
  let fields;
  try {
    const { query } = ofStream(await fieldsKnown(), stream);
    fields = el("div", { class: "table-box" }, el("table", { class: "table" }, el("thead", {}, el("tr", {}, ["Field", "Means", "Example"].map((text) => el("th", { scope: "col" }, text)))),
      el("tbody", {}, query.map((field) => el("tr", {}, el("td", { "data-label": "Field" }, el("div", { class: "td" }, el("strong", { class: "mono" }, field.name), field.aliases.length ? el("div", { class: "dim mono" }, field.aliases.join(", ")) : null)), el("td", { "data-label": "Means" }, el("div", { class: "td" }, field.doc)), el("td", { "data-label": "Example" }, el("div", { class: "td" }, example(field.example))))))));
  } catch (error) {
    fields = failure(error);
  }
  const forms = el("dl", { class: "search-forms" }, FORMS.map(([text, words]) => [el("dt", { class: "mono" }, text), el("dd", {}, words)]));
  await dialog("How to search", [forms, fields], undefined, { wide: true });
  if (chosen) take(chosen);
}
