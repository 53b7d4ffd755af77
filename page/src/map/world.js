// The map of the world as paths of SVG, without a page: shapes by country, dots for those too small to have one.
// In: a topology (world-atlas, countries). Out: {width, height, shapes: [{code, d}], dots: [{code, x, y}], outline}. Antarctica is left out, as it sends no mail and takes room.

import { geoGraticule10, geoNaturalEarth1, geoPath } from "d3-geo";
import { feature, mesh } from "topojson-client";
import { COUNTRIES, shapeCountry } from "./countries.js";

export const WIDTH = 960;
const MARGIN = 4;
const ICE = "AQ";

export function drawWorld(topology) {
  const all = feature(topology, topology.objects.countries);
  const land = { type: "FeatureCollection", features: all.features.filter((shape) => shapeCountry(shape) !== ICE) };
  const projection = geoNaturalEarth1().fitWidth(WIDTH - 2 * MARGIN, land);
  const [[left, top], [, bottom]] = geoPath(projection).bounds(land);
  const [x, y] = projection.translate();
  projection.translate([x - left + MARGIN, y - top + MARGIN]).precision(0.5);
  const path = geoPath(projection).digits(1);
  const byCode = new Map();
  for (const shape of land.features) {
    const code = shapeCountry(shape);
    byCode.set(code, (byCode.get(code) ?? "") + path(shape));
  }
  const dots = COUNTRIES.filter((row) => row.place).map((row) => {
    const at = projection(row.place);
    return { code: row.code, x: Math.round(at[0] * 10) / 10, y: Math.round(at[1] * 10) / 10 };
  });
  return {
    width: WIDTH,
    height: Math.ceil(bottom - top + 2 * MARGIN),
    shapes: [...byCode].map(([code, d]) => ({ code, d })),
    dots,
    borders: path(mesh(topology, topology.objects.countries, (a, b) => a !== b && shapeCountry(a) !== ICE && shapeCountry(b) !== ICE)),
    graticule: path(geoGraticule10()),
  };
}
