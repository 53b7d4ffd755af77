// A notice.
import { empty } from "../parts/states.js";

export const pattern = "/notices/:id";
export const title = "Notice";

export async function render(root) {
  root.append(empty("Not there yet."));
}
