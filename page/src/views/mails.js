// Mails.
import { empty } from "../parts/states.js";

export const pattern = "/mails";
export const title = "Mails";
export const nav = "Mails";
export const range = true;
export const wide = true;
export async function render(root) {
  root.append(empty("Not there yet."));
}
