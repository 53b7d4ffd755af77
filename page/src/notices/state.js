// The state of a notice as a word and a colour.

import { label } from "../parts/text.js";

const STATES = { open: ["open", "warn", "Nobody has decided on it yet."], acknowledged: ["acknowledged", "good", "Somebody has seen to it."], muted: ["muted", null, "A mute covers it."] };

export function stateLabel(notice) {
  const [text, tone, title] = STATES[notice.state] ?? STATES.open;
  return label(text, tone, title);
}
