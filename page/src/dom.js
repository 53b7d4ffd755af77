// Elements, made without markup: what the wire sent becomes text, never HTML.
// el() takes a tag, attributes (on: listeners; true and false set and leave out) and children: nodes, texts, lists, null.

const SVG = "http://www.w3.org/2000/svg";
const FORBIDDEN = /^(style|on.+|innerhtml|outerhtml|srcdoc)$/i;

function setAttribute(node, name, value) {
  if (name === "on") {
    for (const [event, listener] of Object.entries(value)) node.addEventListener(event, listener);
    return;
  }
  if (FORBIDDEN.test(name)) throw new TypeError(`${name} is not set here: use a class, CSSOM or on: {}`);
  if (value === null || value === undefined || value === false) return;
  if (name === "href" && !/^[/#?](?!\/)/.test(value)) throw new TypeError("links lead only into this page");
  if (name === "dataset") Object.assign(node.dataset, value);
  else if (name === "value" || name === "checked" || name === "disabled") node[name] = value;
  else node.setAttribute(name, value === true ? "" : String(value));
}

export function append(node, ...children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    node.append(child instanceof Node ? child : String(child));
  }
  return node;
}

function make(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) setAttribute(node, name, value);
  return append(node, ...children);
}

export function el(tag, attributes, ...children) {
  return make(document.createElement(tag), attributes, children);
}

export function svg(tag, attributes, ...children) {
  return make(document.createElementNS(SVG, tag), attributes, children);
}

export function clear(node, ...children) {
  node.replaceChildren();
  return append(node, ...children);
}

// A button that never submits a form. attributes may hold class, title, aria-*.
export function button(text, press, attributes) {
  return el("button", { type: "button", ...attributes, on: { click: press } }, text);
}
