// What is told about all mails of a query, beside the list: how many there are, the commonest values, mails over time.

import { get, isAbort } from "../api.js";
import { clear, el } from "../dom.js";
import { count } from "../format.js";
import { facets } from "../parts/facets.js";
import { stepFor, timeStrip } from "./strip.js";

const FACETS = "disposition,country,client,sender,recipient,agent,tls,anomaly,code,sensor";

// onTerm(field, value, negated), onRange({since, until}): what was pressed. Gives the nodes and load(params, route, signal), add(n), broken().
export function mailSums({ onTerm, onRange }) {
  const state = { counted: null };
  const side = facets(onTerm);
  const strip = timeStrip(onRange);
  const told = el("p", { class: "mails-count", role: "status" });

  function draw() {
    const { counted } = state;
    clear(told, counted === null ? el("span", { class: "dim" }, "Counting …") : [el("strong", {}, `${counted.complete ? "" : "at least "}${count(counted.count)}`), counted.count === 1 && counted.complete ? " mail" : " mails"]);
  }

  // What fails here is not worth more than a line in the console; of a query that is refused the list tells.
  const quiet = (promise, signal, use) => promise.then((answer) => signal.aborted || use(answer), (error) => {
    if (!isAbort(error) && ![400, 401, 403].includes(error.status)) console.warn(error.message);
  });

  async function load(params, route, signal, { again = false } = {}) {
    // What changes by itself is not read out.
    told.setAttribute("aria-live", again ? "off" : "polite");
    if (!again) {
      state.counted = null;
      draw();
    }
    const { range } = route;
    if (range.from === null) strip.hide();
    await Promise.all([
      quiet(get("/count", params, { signal }), signal, (answer) => {
        state.counted = answer;
        draw();
      }),
      quiet(get("/facets", { ...params, fields: FACETS, limit: 8 }, { signal }), signal, (answer) => side.update(answer, route.query.q ?? "")),
      range.from === null ? null : quiet(get("/timeline", { ...params, since: params.since ?? String(Math.floor(range.from)), step: stepFor({ since: range.from, until: range.until }) }, { signal }), signal, strip.update),
    ]);
  }

  return {
    side: side.root,
    strip: strip.root,
    told,
    load,
    add(n) {
      if (!state.counted) return;
      told.setAttribute("aria-live", "off");
      state.counted = { ...state.counted, count: state.counted.count + n };
      draw();
    },
    broken() {
      clear(told);
      strip.hide();
    },
  };
}
