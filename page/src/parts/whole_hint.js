// Where nothing was found: a term of a field that is compared as a whole may lack its stars, as list:spamhaus for "Spamhaus ZEN".

import { fieldsKnown } from "../api.js";
import { button, el } from "../dom.js";
import { looserTerm } from "../query.js";

const NAMES = "name";

// search(q) asks anew. Gives an element, which is empty while there is nothing to say.
export function wholeHint(q, search) {
  const root = el("span", { class: "dim", hidden: true });
  fieldsKnown().then(({ query }) => {
    const named = query.filter((field) => field.kind === NAMES && field.name !== "country").flatMap((field) => [field.name, ...field.aliases]);
    const looser = looserTerm(q ?? "", named);
    if (!looser) return;
    root.hidden = false;
    root.append(`${looser.field}: is compared with whole values. `, button(`Search ${looser.term}`, () => search(looser.q), { class: "button-text" }));
  }, () => null);
  return root;
}
