// A mail.
import { empty } from "../parts/states.js";

export const pattern = "/mails/:id";
export const title = "Mail";

export async function render(root) {
  root.append(empty("Not there yet."));
}
