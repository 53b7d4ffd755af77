// A host.
import { empty } from "../parts/states.js";

export const pattern = "/hosts/:host";
export const title = "Host";
export const range = true;
export async function render(root) {
  root.append(empty("Not there yet."));
}
