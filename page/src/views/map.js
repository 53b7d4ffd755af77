// The map.
import { empty } from "../parts/states.js";

export const pattern = "/map";
export const title = "Map";
export const nav = "Map";
export const range = true;
export async function render(root) {
  root.append(empty("Not there yet."));
}
