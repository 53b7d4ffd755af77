// The table of countries against the map: each shape is a country, each country has a shape or a dot.
import test from "node:test";
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { drawWorld } from "../src/map/world.js";
import { COUNTRIES, countryName, countryOf, shapeCountry } from "../src/map/countries.js";

const world = createRequire(import.meta.url)("world-atlas/countries-110m.json");
const shapes = world.objects.countries.geometries;

test("all 177 shapes of the map are countries", () => {
  assert.equal(shapes.length, 177);
  for (const shape of shapes) {
    const code = shapeCountry(shape);
    assert.ok(code, `${shape.id} ${shape.properties.name}`);
    assert.ok(countryOf(code));
  }
});

test("a country is where its number says", () => {
  const of = (name) => shapeCountry(shapes.find((shape) => shape.properties.name === name));
  assert.deepEqual(["Russia", "Germany", "United States of America", "Kosovo", "N. Cyprus", "Somaliland"].map(of), ["RU", "DE", "US", "XK", "CY", "SO"]);
});

test("each country has a shape or a place on the globe", () => {
  const shaped = new Set(shapes.map(shapeCountry));
  for (const row of COUNTRIES) {
    assert.equal(shaped.has(row.code), row.place === null, row.code);
    if (row.place) assert.ok(Math.abs(row.place[0]) <= 180 && Math.abs(row.place[1]) <= 90, row.code);
  }
});

test("codes and numbers are there once", () => {
  assert.equal(new Set(COUNTRIES.map((row) => row.code)).size, COUNTRIES.length);
  const numbers = COUNTRIES.map((row) => row.numeric).filter(Boolean);
  assert.equal(new Set(numbers).size, numbers.length);
  assert.ok(COUNTRIES.length >= 249);
});

test("names", () => {
  assert.equal(countryName("sg"), "Singapore");
  assert.equal(countryName("ZZ"), "ZZ");
  assert.equal(countryOf(""), null);
});

test("the world is drawn within its frame, each country once, Antarctica not", () => {
  const drawn = drawWorld(world);
  assert.equal(drawn.width, 960);
  assert.ok(drawn.height > 300 && drawn.height < 600);
  assert.equal(new Set(drawn.shapes.map((shape) => shape.code)).size, drawn.shapes.length);
  assert.ok(!drawn.shapes.some((shape) => shape.code === "AQ"));
  for (const { code, d } of drawn.shapes) {
    const numbers = d.match(/-?[\d.]+/g).map(Number);
    assert.ok(d.startsWith("M") && numbers.every((number, i) => number >= -1 && number <= (i % 2 === 0 ? drawn.width : drawn.height) + 1), code);
  }
  for (const { code, x, y } of drawn.dots) assert.ok(x > 0 && x < drawn.width && y > 0 && y < drawn.height, code);
  const of = (code) => drawn.dots.find((dot) => dot.code === code);
  assert.ok(of("SG").x > of("MT").x && of("SG").y > of("MT").y, "Singapore lies east and south of Malta");
});
