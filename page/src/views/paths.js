// Paths.
import { empty } from "../parts/states.js";

export const pattern = "/paths";
export const title = "Paths";
export const nav = "Paths";
export const range = true;
export async function render(root) {
  root.append(empty("Not there yet."));
}
