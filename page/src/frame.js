// The frame: name, navigation, range of time, switches for zone and theme, who is logged in. Gives the nodes and what updates them.

import { button, clear, el, svg } from "./dom.js";
import { logOut } from "./api.js";
import { zoneName, timeZone } from "./format.js";
import { change, go } from "./navigate.js";
import { menu } from "./parts/dialog.js";
import { icon } from "./parts/icons.js";
import { liveRegion, say } from "./parts/live.js";
import { rangeControl } from "./parts/range.js";
import { segments } from "./parts/tiles.js";
import { pref, setPref } from "./prefs.js";
import { address } from "./router.js";

function mark() {
  return svg("svg", { class: "mark", viewBox: "0 0 24 24", "aria-hidden": "true" },
    svg("path", { d: "M3 6.5h18v11H3z", class: "mark-line" }), svg("path", { d: "M3.4 7l8.6 6.4L20.6 7", class: "mark-line" }), svg("circle", { cx: 19, cy: 17, r: 4, class: "mark-tap" }));
}

function navigation(views) {
  const links = views.filter((view) => view.nav).map((view) => ({ view, node: el("a", { class: "nav-link", href: view.pattern }, view.nav) }));
  const update = (route) => {
    for (const { view, node } of links) {
      node.setAttribute("href", address(view.pattern, route.range.query));
      const here = view.pattern === "/" ? route.path === "/" : route.path === view.pattern || route.path.startsWith(`${view.pattern}/`) || (view.pattern === "/mails" && route.path.startsWith("/sessions/"));
      if (here) node.setAttribute("aria-current", "page");
      else node.removeAttribute("aria-current");
    }
  };
  return { root: el("nav", { class: "nav", "aria-label": "Views" }, links.map((link) => link.node)), update };
}

function settings(help) {
  const box = el("div", { class: "settings" });
  const me = { user: null, role: null, log_in: false };
  const draw = (shut) => [
    el("p", { class: "menu-title" }, "Times"),
    segments([["local", `Local (${zoneName(Date.now() / 1000, "local")})`], ["UTC", "UTC"]], timeZone(), (zone) => setPref("zone", zone), "Zone of times"),
    el("p", { class: "menu-title" }, "Colours"),
    segments([["auto", "System"], ["light", "Light"], ["dark", "Dark"]], pref("theme", "auto"), (theme) => setPref("theme", theme), "Colours"),
    button("Keys …", () => {
      shut();
      help();
    }, { class: "menu-item menu-more" }),
    me.user ? el("p", { class: "menu-title" }, `Logged in as ${me.user}${me.role === "redacted" ? ", names and texts hidden" : ""}`) : null,
    me.user ? button("Log out", leave, { class: "menu-item" }) : null,
    el("p", { class: "menu-foot dim" }, `mailtap ${me.version ?? ""}`),
  ].filter(Boolean);
  const list = menu(icon("gear"), draw, { class: "button menu-button settings-button", "aria-label": "Settings" });
  const who = (next) => {
    Object.assign(me, next);
    clear(box, next.role === "redacted" ? el("span", { class: "label label-warn", title: "Local parts of addresses, subjects and names of files are hidden from your user." }, "redacted") : null, list);
  };
  who(me);
  return { root: box, who };
}

async function leave() {
  try {
    await logOut();
    document.dispatchEvent(new Event("whochange"));
    go("/log-in");
  } catch (error) {
    say(error.message);
  }
}

export function frame(views, { help }) {
  const main = el("main", { class: "main", id: "main", tabindex: "-1" });
  const nav = navigation(views);
  const range = rangeControl((query) => change({ since: query.since ?? null, until: query.until ?? null }));
  const menuBox = settings(help);
  const skip = el("a", { class: "skip", href: "#main", on: { click: (event) => {
    event.preventDefault();
    main.focus();
  } } }, "To the content");
  const head = el("header", { class: "head" }, el("a", { class: "brand", href: "/" }, mark(), el("span", {}, "mailtap")), nav.root, el("div", { class: "head-tools" }, range.root, menuBox.root));
  return {
    nodes: [skip, head, main, liveRegion()],
    main,
    who: menuBox.who,
    update(route) {
      nav.update(route);
      range.update(route.range);
      range.root.hidden = !route.view?.range;
      head.classList.toggle("head-bare", route.path === "/log-in");
    },
    arrived() {
      if (!main.contains(document.activeElement)) main.focus({ preventScroll: true });
    },
  };
}
