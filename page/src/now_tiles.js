// The sums at the top of Now.

import { tiles } from "./parts/tiles.js";
import { share } from "./chart_scale.js";
import { mailsHref } from "./dimensions.js";
import { ago, compact, count, percent, plural } from "./format.js";
import { judgeAll } from "./health.js";
import { address } from "./router.js";

const sum = (values) => (values ?? []).reduce((all, value) => all + value, 0);

function rate(mails, seconds) {
  const perHour = (mails * 3600) / Math.max(60, seconds);
  return perHour >= 600 ? `${compact(perHour / 60)} a minute` : `${compact(perHour)} an hour`;
}

function part(label, key, sums, mails, query) {
  return { label, value: percent(share(sums[key], mails)), sub: plural(sums[key], "mail"), tone: key, href: mailsHref(`disposition:${key}`, query), title: `${count(sums[key])} of ${count(mails)} mails` };
}

// data: as Now loads it; time: what is shown; query: the range as it stands in addresses; sensor: the one whose capture is shown.
export function nowTiles({ timeline, kinds, health }, time, query, sensor = null) {
  const sums = Object.fromEntries(Object.entries(timeline.series).map(([key, values]) => [key, sum(values)]));
  const words = judgeAll(health, Math.min(time.until, Date.now() / 1000), sensor);
  const open = kinds.kinds.reduce((all, kind) => all + kind.open, 0);
  const last = Math.max(0, ...kinds.kinds.filter((kind) => kind.open > 0).map((kind) => kind.last));
  return tiles([
    { label: "Mails", value: count(sums.mails), sub: rate(sums.mails, time.until - time.since), href: mailsHref(undefined, query) },
    part("Rejected", "rejected", sums, sums.mails, query),
    part("Deferred", "deferred", sums, sums.mails, query),
    { label: "Under TLS", value: percent(share(sums.tls, sums.mails)), sub: `${count(sums.mails - sums.tls)} in the clear`, href: mailsHref("tls:no", query), title: "Mails that came over an encrypted connection; the link shows those that did not." },
    { label: "Open notices", value: count(open), sub: last > 0 ? `last ${ago(last)}` : "none waits", tone: open > 0 ? "warn" : null, href: address("/notices", query) },
    { label: "Capture", value: words.headline, sub: words.tone === "good" ? "nothing lost" : words.tone === "none" ? "no counts" : "see below", tone: { good: "accepted", warn: "warn", bad: "rejected", none: null }[words.tone] },
  ]).root;
}
