// What goes on now.
import { empty } from "../parts/states.js";

export const pattern = "/";
export const title = "Now";
export const nav = "Now";
export const range = true;
export async function render(root) {
  root.append(empty("Not there yet."));
}
