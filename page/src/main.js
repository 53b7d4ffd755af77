import uPlot from "uplot";
import { geoNaturalEarth1 } from "d3-geo";
import { feature } from "topojson-client";
import world from "world-atlas/countries-110m.json";

document.body.append("mailtap ", String([uPlot, geoNaturalEarth1, feature(world, world.objects.countries)].length));
