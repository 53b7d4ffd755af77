// How well the tap saw what it was to see, in plain words.
// Pure. In: answer of /health, or one of its sensors. Out: {tone: good|warn|bad|none, headline, lines}. Shares are those of all packets, bytes and sessions of the time.

import { ago, count, percent } from "./format.js";

// Up to the first it is well, from the second on it is bad. One-sided sessions are common where a client's port is scanned, lost packets are not.
const LIMITS = { loss: [0, 0.01], gap_share: [0.0005, 0.01], one_sided: [0.02, 0.1] };

function toneOf(health) {
  const worst = Math.max(...Object.entries(LIMITS).map(([name, [well, bad]]) => ((health[name] ?? 0) <= well ? 0 : (health[name] ?? 0) < bad ? 1 : 2)));
  return ["good", "warn", "bad"][worst];
}

// A sensor that tells nothing of itself for longer than that, or than it misses three of its turns, is silent.
const SILENT = 300;
const TURNS = 3;

// Of a counter, over the whole time.
function sum(health, key) {
  return health.sums ? health.sums[key] ?? 0 : (health.series?.[key] ?? []).reduce((all, value) => all + (value ?? 0), 0);
}

export function judgeHealth(health) {
  const packets = sum(health, "packets");
  if (packets === 0 && !health.last) return { tone: "none", headline: "Not known", lines: ["The capture has not told anything about itself in this time: it was not running, or stream stats is not kept."] };
  const unwritten = sum(health, "records_lost");
  const tone = unwritten > 0 ? "bad" : toneOf(health);
  const lines = [lossLine(health), gapLine(health), sidesLine(health), ...(unwritten > 0 ? [`${count(unwritten)} records could not be written, and are lost.`] : [])];
  return { tone, headline: headline(health, tone), lines };
}

function headline(health, tone) {
  if (tone === "good") return "All is well";
  if (sum(health, "records_lost") > 0) return "Records lost";
  if ((health.loss ?? 0) > LIMITS.loss[0]) return `${percent(health.loss)} lost`;
  if ((health.gap_share ?? 0) > LIMITS.gap_share[0]) return `${percent(health.gap_share)} missing`;
  return `${percent(health.one_sided)} one-sided`;
}

function lossLine(health) {
  const packets = sum(health, "packets");
  const parts = [["kernel_drops", "by the kernel"], ["interface_drops", "by the interface"], ["ring_drops", "between workers"]].map(([key, where]) => [sum(health, key), where]).filter(([many]) => many > 0);
  if (packets === 0) return "No packet was counted in this time.";
  if (!(health.loss > 0)) return `No packet of ${count(packets)} was dropped.`;
  return `${percent(health.loss)} of the packets were dropped${parts.length > 0 ? ` (${parts.map(([many, where]) => `${count(many)} ${where}`).join(", ")})` : ""}: records can lack parts, and mails can be missing.`;
}

function gapLine(health) {
  const gaps = sum(health, "gap_bytes");
  if (gaps === 0) return "No byte of a connection is missing.";
  return `${count(gaps)} bytes of connections were not seen${health.gap_share > 0 ? ` (${percent(health.gap_share)})` : ""}.`;
}

function sidesLine(health) {
  const sessions = sum(health, "sessions");
  const some = sum(health, "one_sided");
  if (!(health.one_sided > 0) && some > 0) return `${count(some)} sessions were seen from one side only.`;
  if (!(health.one_sided > 0)) return sessions > 0 ? "Both sides of all sessions were seen." : "There were no sessions.";
  const hint = health.one_sided >= LIMITS.one_sided[1] ? " Does the mirror port carry both directions?" : "";
  return `${percent(health.one_sided)} of the sessions were seen from one side only.${hint}`;
}

export const sensorName = (name) => name ?? "without a name";

export function isSilent({ last, every }, now) {
  return now - last > Math.max(SILENT, TURNS * (every ?? 0));
}

// Each sensor with its words and tone, the worst first. now: when what is shown ends.
export function judgeSensors(health, now) {
  const rank = { bad: 0, warn: 1, none: 2, good: 3 };
  const rows = (health.sensors ?? []).map((row) => {
    if (isSilent(row, now)) return { ...row, silent: true, tone: "bad", words: "silent" };
    const { tone, headline: words } = judgeHealth(row);
    return { ...row, silent: false, tone, words: tone === "good" ? "all is well" : words };
  });
  return rows.sort((a, b) => rank[a.tone] - rank[b.tone]);
}

// All of them together, or the one that is chosen: as bad as the worst of them, which is named where there are others.
export function judgeAll(health, now, chosen = null) {
  const words = judgeHealth(health);
  const sensors = judgeSensors(health, now).filter((row) => chosen === null || row.sensor === chosen);
  const silent = sensors.filter((row) => row.silent);
  const worst = sensors[0];
  if (silent.length > 0) return { ...words, tone: "bad", silent: true, headline: sensors.length > 1 ? `${silent.length} of ${sensors.length} silent` : "Silent", sensors, lines: [silentLine(silent, sensors.length, now), ...words.lines] };
  if (sensors.length > 1 && ["bad", "warn"].includes(worst.tone) && (words.tone === "good" || worst.tone === "bad")) return { ...words, tone: worst.tone, headline: worst.words, sensors, lines: [`Sensor ${sensorName(worst.sensor)}: ${worst.words}.`, ...words.lines] };
  return { ...words, sensors };
}

const NAMED = 5;

function silentLine(silent, all, now) {
  const named = silent.slice(0, NAMED).map((row) => `${sensorName(row.sensor)} (last word ${ago(row.last, now)})`).join(", ");
  if (all === 1) return `It has fallen silent: what it counts was told last ${ago(silent[0].last, now)}.`;
  return `${silent.length} of ${all} sensors ${silent.length === 1 ? "has" : "have"} fallen silent: ${named}${silent.length > NAMED ? ` and ${silent.length - NAMED} more` : ""}.`;
}
