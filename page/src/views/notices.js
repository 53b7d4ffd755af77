// Notices.
import { empty } from "../parts/states.js";

export const pattern = "/notices";
export const title = "Notices";
export const nav = "Notices";
export const range = true;
export async function render(root) {
  root.append(empty("Not there yet."));
}
