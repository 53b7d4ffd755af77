// Numbers, times and texts as people read them. Pure but for the viewer's zone, which is a preference.
// Times are epoch seconds. English alone: the page's words are, and mixed forms of numbers mislead.

import { pref } from "./prefs.js";

const WHOLE = new Intl.NumberFormat("en");

export function count(n) {
  return n === null || n === undefined ? "–" : WHOLE.format(n);
}

// At most four characters and a unit: 999, 1.2k, 34k, 5.6M.
export function compact(n) {
  for (const [unit, sign] of [[1e9, "G"], [1e6, "M"], [1e3, "k"]]) {
    if (Math.abs(n) >= unit * 0.9995) return `${rounded(n / unit)}${sign}`;
  }
  return String(Math.round(n * 10) / 10);
}

function rounded(x) {
  return Math.abs(x) < 9.95 ? x.toFixed(1) : x.toFixed(0);
}

export function bytes(n) {
  if (n === null || n === undefined) return "–";
  for (const [unit, sign] of [[2 ** 40, "TiB"], [2 ** 30, "GiB"], [2 ** 20, "MiB"], [2 ** 10, "KiB"]]) {
    if (n >= unit * 0.9995) return `${rounded(n / unit)} ${sign}`;
  }
  return `${n} B`;
}

export function percent(part) {
  if (part === null || part === undefined || Number.isNaN(part)) return "–";
  const x = part * 100;
  return `${x === 0 || Math.abs(x) >= 9.95 ? x.toFixed(0) : x.toFixed(Math.abs(x) < 0.1 ? 2 : 1)} %`;
}

// A length of time, in the two units that matter: 3 ms, 1.2 s, 2 min 5 s, 3 h 20 min, 2 d 4 h.
export function duration(seconds) {
  if (seconds === null || seconds === undefined) return "–";
  const sign = seconds < 0 ? "−" : "";
  const s = Math.abs(seconds);
  if (s === 0) return "0 s";
  if (s < 0.001) return `${sign}${Math.max(1, Math.round(s * 1e6))} µs`;
  if (s < 1) return `${sign}${Math.round(s * 1000)} ms`;
  if (s < 60) return `${sign}${s < 10 ? Math.round(s * 10) / 10 : Math.round(s)} s`;
  for (const [unit, name, part, of] of [[86400, "d", 3600, "h"], [3600, "h", 60, "min"], [60, "min", 1, "s"]]) {
    if (s >= unit) {
      const rest = Math.floor((s % unit) / part);
      return `${sign}${Math.floor(s / unit)} ${name}${rest ? ` ${rest} ${of}` : ""}`;
    }
  }
  return "";
}

// "UTC" or "local".
export function timeZone() {
  return pref("zone", "local") === "UTC" ? "UTC" : "local";
}

const two = (n) => String(n).padStart(2, "0");

function fields(ts, zone) {
  const d = new Date(ts * 1000);
  if (zone === "UTC") return [d.getUTCFullYear(), d.getUTCMonth() + 1, d.getUTCDate(), d.getUTCHours(), d.getUTCMinutes(), d.getUTCSeconds()];
  return [d.getFullYear(), d.getMonth() + 1, d.getDate(), d.getHours(), d.getMinutes(), d.getSeconds()];
}

export function date(ts, zone = timeZone()) {
  const [y, m, d] = fields(ts, zone);
  return `${y}-${two(m)}-${two(d)}`;
}

export function clock(ts, zone = timeZone()) {
  const [, , , h, m, s] = fields(ts, zone);
  return `${two(h)}:${two(m)}:${two(s)}`;
}

// 2026-11-30 08:15:02
export function dateTime(ts, zone = timeZone()) {
  return Number.isFinite(ts) ? `${date(ts, zone)} ${clock(ts, zone)}` : "–";
}

// 11-30 08:15
export function dayTime(ts, zone = timeZone()) {
  return `${date(ts, zone).slice(5)} ${clock(ts, zone).slice(0, 5)}`;
}

// "UTC", "UTC+1", "UTC-3:30"
export function zoneName(ts, zone = timeZone()) {
  if (zone === "UTC") return "UTC";
  const minutes = -new Date(ts * 1000).getTimezoneOffset();
  if (minutes === 0) return "UTC";
  const abs = Math.abs(minutes);
  return `UTC${minutes < 0 ? "−" : "+"}${Math.floor(abs / 60)}${abs % 60 ? `:${two(abs % 60)}` : ""}`;
}

// With its zone and, to the millisecond, what a <time> says when one points at it.
export function fullTime(ts) {
  const ms = two(Math.floor((ts % 1) * 1000 + 0.5)).padStart(3, "0").slice(0, 3);
  const other = timeZone() === "UTC" ? "local" : "UTC";
  return `${dateTime(ts)}.${ms} ${zoneName(ts)}\n${dateTime(ts, other)} ${zoneName(ts, other)}`;
}

// A range, without what both ends share: "11-30 08:00 – 09:00".
export function span(since, until) {
  if (date(since) === date(until)) return `${dayTime(since)} – ${clock(until).slice(0, 5)}`;
  return `${dayTime(since)} – ${dayTime(until)}`;
}

export function ago(ts, now = Date.now() / 1000) {
  const s = now - ts;
  if (s < 0) return "ahead of now";
  if (s < 5) return "just now";
  for (const [unit, name] of [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]]) if (s >= unit) return `${Math.floor(s / unit)} ${name} ago`;
  return "just now";
}

let regions = null;

// "Germany", or the code itself.
export function country(code) {
  if (!/^[A-Za-z]{2}$/.test(code ?? "")) return code ?? "";
  try {
    regions ??= new Intl.DisplayNames("en", { type: "region" });
    return regions.of(code.toUpperCase());
  } catch {
    return code;
  }
}

// hxxps://example[.]org/path: reads as the URL, leads nowhere.
export function defang(url) {
  const [, scheme, rest] = /^([a-z][a-z0-9+.-]*:\/\/)?(.*)$/is.exec(url);
  const end = rest.search(/[/?#]/);
  const host = end < 0 ? rest : rest.slice(0, end);
  return (scheme ?? "").replace(/^http/i, "hxxp").replace(/^ftp/i, "fxp") + host.replaceAll(".", "[.]") + (end < 0 ? "" : rest.slice(end));
}

export function plural(n, one, many = `${one}s`) {
  return `${count(n)} ${n === 1 ? one : many}`;
}
