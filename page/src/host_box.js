// A box that opens the view of any host: an address, or a domain; of a mail address or a URL that is pasted its host.

import { el } from "./dom.js";
import { hostHref } from "./dimensions.js";
import { hostIn } from "./host_in.js";
import { go } from "./navigate.js";

// rangeQuery: a function that gives the range as it stands in addresses.
export function hostBox(rangeQuery) {
  const input = el("input", { type: "search", class: "input", name: "host", placeholder: "192.0.2.1 or example.org", "aria-label": "Open an address or domain", autocomplete: "off", spellcheck: "false", autocapitalize: "none" });
  const open = (event) => {
    event.preventDefault();
    const host = hostIn(input.value);
    if (host) go(hostHref(host, rangeQuery()));
    else input.focus();
  };
  return el("form", { class: "host-box", role: "search", on: { submit: open } }, input, el("button", { type: "submit", class: "button" }, "Open"));
}
