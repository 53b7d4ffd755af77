// A session.
import { empty } from "../parts/states.js";

export const pattern = "/sessions/:uid";
export const title = "Session";

export async function render(root) {
  root.append(empty("Not there yet."));
}
