// Hosts.
import { empty } from "../parts/states.js";

export const pattern = "/hosts";
export const title = "Hosts";
export const nav = "Hosts";
export const range = true;
export async function render(root) {
  root.append(empty("Not there yet."));
}
