// What a viewer decides on notices: acknowledge, mute, undo. Each asks by a dialog, tells the server, says what came of it; true where something changed.

import { get, post, remove } from "../api.js";
import { el } from "../dom.js";
import { plural } from "../format.js";
import { dialog } from "../parts/dialog.js";
import { say } from "../parts/live.js";
import { wire } from "../parts/text.js";
import { MUTE_TIMES, muteScopes, titleOf } from "./state.js";

const idPath = (id) => `/notices/${encodeURIComponent(id)}`;

async function tell(work, done) {
  try {
    await work();
    say(done);
    return true;
  } catch (error) {
    say(error.status === 403 ? `Not allowed: ${error.message}` : error.message);
    return false;
  }
}

function remarkField() {
  const input = el("textarea", { class: "input", rows: "3", maxlength: "1000", name: "remark" });
  return { input, root: el("label", { class: "field" }, "Remark", input) };
}

export async function acknowledge(notice) {
  const remark = remarkField();
  const text = await dialog("Acknowledge", [el("p", {}, wire(titleOf(notice))), remark.root], [{ text: "Cancel", value: null }, { text: "Acknowledge", value: () => remark.input.value.trim(), primary: true }]);
  if (text === null) return false;
  return tell(() => post(`${idPath(notice.id)}/acknowledge`, { remark: text }), "Acknowledged");
}

// All of a list, one after the other, with one remark; stops at the first that fails.
export async function acknowledgeAll(notices) {
  const remark = remarkField();
  const text = await dialog("Acknowledge all that are shown", [el("p", {}, `${plural(notices.length, "open notice")}.`), remark.root], [{ text: "Cancel", value: null }, { text: `Acknowledge ${notices.length}`, value: () => remark.input.value.trim(), primary: true }]);
  if (text === null) return false;
  let done = 0;
  const all = await tell(async () => {
    for (const notice of notices) {
      await post(`${idPath(notice.id)}/acknowledge`, { remark: text });
      done++;
    }
  }, `${plural(notices.length, "notice")} acknowledged`);
  return all || done > 0;
}

export function reopen(notice) {
  return tell(() => remove(`${idPath(notice.id)}/acknowledge`), "Open again");
}

export async function mute(notice) {
  const scopes = muteScopes(notice);
  const options = scopes.map((scope, i) => el("label", { class: "choice" }, el("input", { type: "radio", name: "scope", value: scope.key, checked: i === 0 }), wire(scope.text)));
  const until = el("select", { class: "input", name: "until" }, MUTE_TIMES.map(([value, text]) => el("option", { value }, text)));
  until.value = MUTE_TIMES[1][0];
  const remark = remarkField();
  const body = [el("p", { class: "dim" }, "What is muted is kept, but counts as open no more; that holds for what is still to come, too."),
    el("fieldset", { class: "choices" }, el("legend", {}, "What"), options), el("label", { class: "field" }, "How long", until), remark.root];
  const read = () => {
    const key = options.map((option) => option.querySelector("input")).find((input) => input.checked).value;
    return { ...scopes.find((scope) => scope.key === key).body, until: until.value ? Math.floor(Date.now() / 1000) + Number(until.value) : null, remark: remark.input.value.trim() };
  };
  const chosen = await dialog("Mute", body, [{ text: "Cancel", value: null }, { text: "Mute", value: read, primary: true }]);
  if (!chosen) return false;
  return tell(() => post("/mutes", chosen), "Muted");
}

export function unmute(id) {
  return tell(() => remove(`/mutes/${encodeURIComponent(id)}`), "Mute ended");
}

// The mute that covers a notice, by its id where the answer has one, else by what it covers.
async function coveringMute(notice) {
  if (notice.mute !== undefined && notice.mute !== null) return notice.mute;
  const { mutes } = await get("/mutes");
  const covers = (mute) => (!mute.note || mute.note === notice.note) && (!mute.host || mute.host === notice.host) && (!mute.identifier || mute.identifier === notice.identifier);
  return mutes.find(covers)?.id ?? null;
}

export async function unmuteNotice(notice) {
  try {
    const id = await coveringMute(notice);
    if (id !== null) return unmute(id);
    say("The mute that covers it is not known");
  } catch (error) {
    say(error.message);
  }
  return false;
}
