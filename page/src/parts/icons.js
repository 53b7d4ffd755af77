// Small pictures, drawn here because fonts differ in which signs they have. All take the colour of the text.

import { svg } from "../dom.js";

const SHAPES = {
  clip: "M10.6 4.6 5.5 9.7a1.8 1.8 0 0 0 2.6 2.6l5.2-5.3a3.2 3.2 0 0 0-4.5-4.5L3.4 7.9a4.6 4.6 0 0 0 6.4 6.5l4.4-4.4",
  copy: "M5.5 5.5V3a1 1 0 0 1 1-1H13a1 1 0 0 1 1 1v6.500a1 1 0 0 1-1 1h-2.500M3 5.500h6.500a1 1 0 0 1 1 1V13a1 1 0 0 1-1 1H3a1 1 0 0 1-1-1V6.500a1 1 0 0 1 1-1z",
  warn: "M8 2.200 14.600 13.600H1.400zM8 6.500v3.500M8 11.600v.4",
  gear: "M8 5.600a2.400 2.400 0 1 0 0 4.800 2.400 2.400 0 0 0 0-4.800zM8 1.400v2M8 12.600v2M1.400 8h2M12.600 8h2M3.300 3.300l1.500 1.500M11.200 11.200l1.500 1.500M3.300 12.700l1.500-1.500M11.200 4.800l1.500-1.500",
  lock: "M4 7.500h8V14H4zM5.500 7.500V5a2.500 2.500 0 0 1 5 0v2.500",
  open: "M4 7.500h8V14H4zM5.500 7.500V4.500A2.500 2.500 0 0 1 10 3",
  server: "M2 2.500h12v4.500H2zM2 9h12v4.500H2zM4.300 4.700h.4M4.300 11.200h.4",
  person: "M8 2.200a2.700 2.700 0 1 0 0 5.400 2.700 2.700 0 0 0 0-5.400zM2.500 14c.4-3 2.700-4.600 5.500-4.600s5.100 1.600 5.500 4.600",
};

export function icon(name, attributes) {
  return svg("svg", { viewBox: "0 0 16 16", "aria-hidden": "true", ...attributes, class: `icon ${attributes?.class ?? ""}`.trim() }, svg("path", { d: SHAPES[name] }));
}
