// What is said where the server's time was over before it had counted all.
// In: answers of the API, each with complete and searched_to where it has them. Out: a note, or null where all is whole.

import { dateTime } from "./format.js";
import { incomplete } from "./parts/states.js";

export function partlyText(...answers) {
  const cut = answers.filter((answer) => answer?.complete === false);
  if (cut.length === 0) return null;
  const back = Math.max(...cut.map((answer) => answer.searched_to ?? -Infinity));
  return `The time for a question was over before all was counted: numbers are too low.${Number.isFinite(back) ? ` What is older than ${dateTime(back)} is missing.` : ""} A shorter range of time, or setting web_seconds, helps.`;
}

export function partlyNote(...answers) {
  const text = partlyText(...answers);
  return text && incomplete(text);
}
