// Where the viewer is, and going elsewhere: history, links, the place to which a view was scrolled.

import { address, parseQuery } from "./router.js";

let listener = null;
let started = false;
let scroller = null;

export function onNavigate(show) {
  listener = show;
}

function tell(more) {
  if (started) listener({ path: location.pathname, search: location.search, ...more });
}

function keepScroll() {
  if (scroller) history.replaceState({ ...history.state, scroll: scroller.scrollTop }, "");
}

// To an address of the page. depth counts the pages of ours that lie behind, so that Esc knows whether it can go back. To where one is: as
// a link of the browser, it is shown anew and the history stays as it is.
export function go(to, { replace = false } = {}) {
  if (replace || to === location.pathname + location.search) history.replaceState({ depth: history.state?.depth ?? 0 }, "", to);
  else {
    keepScroll();
    history.pushState({ depth: (history.state?.depth ?? 0) + 1 }, "", to);
  }
  tell({ moved: !replace });
}

// The same path with other things in its query; null takes one out.
export function change(patch, { replace = false } = {}) {
  go(address(location.pathname, { ...parseQuery(location.search), ...patch }), { replace });
}

// Back where the viewer came from within the page, else to an address.
export function back(otherwise) {
  if ((history.state?.depth ?? 0) > 0) history.back();
  else go(otherwise, { replace: true });
}

function followed(event) {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const link = event.target.closest?.("a[href]");
  if (!link || link.target || link.hasAttribute("download")) return;
  const url = new URL(link.href);
  if (url.origin !== location.origin || url.pathname.startsWith("/api/") || (url.hash && url.pathname === location.pathname)) return;
  event.preventDefault();
  go(url.pathname + url.search);
}

// From here on changes of the address are told; the present one first. box is what scrolls.
export function startNavigation(box) {
  scroller = box;
  started = true;
  document.addEventListener("click", followed);
  addEventListener("popstate", (event) => tell({ restore: event.state?.scroll ?? 0 }));
  tell({});
}
