// How well the tap saw what it was to see, in plain words.
// Pure. In: answer of /health. Out: {tone: good|warn|bad|none, headline, lines}. Shares are those of all packets, bytes and sessions of the time.

import { count, percent } from "./format.js";

// Up to the first it is well, from the second on it is bad. One-sided sessions are common where a client's port is scanned, lost packets are not.
const LIMITS = { loss: [0, 0.01], gap_share: [0.0005, 0.01], one_sided: [0.02, 0.1] };

function toneOf(health) {
  const worst = Math.max(...Object.entries(LIMITS).map(([name, [well, bad]]) => ((health[name] ?? 0) <= well ? 0 : (health[name] ?? 0) < bad ? 1 : 2)));
  return ["good", "warn", "bad"][worst];
}

const sum = (values) => (values ?? []).reduce((all, value) => all + (value ?? 0), 0);

export function judgeHealth(health) {
  const packets = sum(health.series?.packets);
  if (packets === 0 && !health.last) return { tone: "none", headline: "Not known", lines: ["The capture has not told anything about itself in this time: it was not running, or stream stats is not kept."] };
  const unwritten = sum(health.series?.records_lost);
  const tone = unwritten > 0 ? "bad" : toneOf(health);
  const lines = [lossLine(health), gapLine(health), sidesLine(health), ...(unwritten > 0 ? [`${count(unwritten)} records could not be written, and are lost.`] : [])];
  return { tone, headline: headline(health, tone), lines };
}

function headline(health, tone) {
  if (tone === "good") return "All is well";
  if (sum(health.series?.records_lost) > 0) return "Records lost";
  if ((health.loss ?? 0) > LIMITS.loss[0]) return `${percent(health.loss)} lost`;
  if ((health.gap_share ?? 0) > LIMITS.gap_share[0]) return `${percent(health.gap_share)} missing`;
  return `${percent(health.one_sided)} one-sided`;
}

function lossLine(health) {
  const packets = sum(health.series?.packets);
  const parts = [["kernel_drops", "by the kernel"], ["interface_drops", "by the interface"], ["ring_drops", "between workers"]].map(([key, where]) => [sum(health.series?.[key]), where]).filter(([many]) => many > 0);
  if (packets === 0) return "No packet was counted in this time.";
  if (!(health.loss > 0)) return `No packet of ${count(packets)} was dropped.`;
  return `${percent(health.loss)} of the packets were dropped${parts.length > 0 ? ` (${parts.map(([many, where]) => `${count(many)} ${where}`).join(", ")})` : ""}: records can lack parts, and mails can be missing.`;
}

function gapLine(health) {
  const gaps = sum(health.series?.gap_bytes);
  if (gaps === 0) return "No byte of a connection is missing.";
  return `${count(gaps)} bytes of connections were not seen${health.gap_share > 0 ? ` (${percent(health.gap_share)})` : ""}.`;
}

function sidesLine(health) {
  const sessions = sum(health.series?.sessions);
  const some = sum(health.series?.one_sided);
  if (!(health.one_sided > 0) && some > 0) return `${count(some)} sessions were seen from one side only.`;
  if (!(health.one_sided > 0)) return sessions > 0 ? "Both sides of all sessions were seen." : "There were no sessions.";
  const hint = health.one_sided >= LIMITS.one_sided[1] ? " Does the mirror port carry both directions?" : "";
  return `${percent(health.one_sided)} of the sessions were seen from one side only.${hint}`;
}
