// The map as SVG: each country in the colour of its class, dots for those too small for a shape, a text that follows the pointer.
// In: the world of world.js; kindOf(code) (name of its class: "0" to "5", "few"; null: it has none), text(code), open(code), picked(code or null). Out: what it appends to root; light(code) marks a country from outside.
// It is for the pointer only: the table beside it does the same for the keyboard and for those who do not see it.

import { el, svg } from "../dom.js";

const DOT = 4;
const TIP_OFF = 14;

export function drawMap(root, world, { label, kindOf, text, open, picked }) {
  const marks = new Map();
  const shapes = world.shapes.map(({ code, d }) => mark(code, svg("path", { d })));
  const dots = world.dots.filter(({ code }) => kindOf(code) !== null).map(({ code, x, y }) => mark(code, svg("circle", { cx: x, cy: y, r: DOT })));
  const picture = svg("svg", { class: "map", viewBox: `0 0 ${world.width} ${world.height}`, role: "img", "aria-label": label },
    svg("path", { class: "map-graticule", d: world.graticule }), svg("g", {}, shapes), svg("path", { class: "map-borders", d: world.borders }), svg("g", {}, dots));
  const tip = el("div", { class: "map-tip", "aria-hidden": "true", hidden: true });
  const box = el("div", { class: "map-box" }, picture, tip);
  root.append(box);
  let lit = null;
  let pointer = "mouse";

  function mark(code, element) {
    const kind = kindOf(code);
    element.setAttribute("class", kind !== null ? `map-country map-class-${kind}` : "map-country");
    element.dataset.code = code ?? "";
    if (code) marks.set(code, element);
    return element;
  }

  function light(code) {
    if (lit) marks.get(lit)?.classList.remove("lit");
    lit = code;
    if (code) marks.get(code)?.classList.add("lit");
  }

  function move(event) {
    const code = event.target.dataset?.code || null;
    if (code !== lit) {
      light(code);
      picked(code);
    }
    tip.hidden = !code;
    if (!code) return;
    tip.textContent = text(code);
    const area = box.getBoundingClientRect();
    const x = event.clientX - area.left;
    const left = x + TIP_OFF + tip.offsetWidth > area.width ? Math.max(0, x - TIP_OFF - tip.offsetWidth) : x + TIP_OFF;
    tip.style.transform = `translate(${Math.round(left)}px, ${Math.round(event.clientY - area.top + TIP_OFF)}px)`;
  }

  picture.addEventListener("pointerdown", (event) => (pointer = event.pointerType));
  picture.addEventListener("pointermove", move);
  picture.addEventListener("pointerleave", () => {
    tip.hidden = true;
    if (pointer === "touch") return;
    light(null);
    picked(null);
  });
  // A finger cannot hover: its first touch tells, and what is told has the link.
  picture.addEventListener("click", (event) => {
    const code = event.target.dataset?.code;
    if (code && kindOf(code) !== null && pointer !== "touch") open(code);
    else if (pointer === "touch") move(event);
  });
  return { light };
}
