// Log in.
import { empty } from "../parts/states.js";

export const pattern = "/log-in";
export const title = "Log in";

export async function render(root) {
  root.append(empty("Not there yet."));
}
