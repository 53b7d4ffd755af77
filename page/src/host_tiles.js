// The sums at the top of a host's view.

import { share } from "./chart_scale.js";
import { bytes, count, percent, plural } from "./format.js";
import { tiles } from "./parts/tiles.js";

function side(label, sums) {
  return { label, value: count(sums.mails), sub: sums.mails > 0 ? `${plural(sums.recipients ?? 0, "recipient")}, ${bytes(sums.bytes ?? 0)}` : "none" };
}

function part(label, key, out, into) {
  const [sent, got] = [out[key] ?? 0, into[key] ?? 0];
  return { label, value: percent(share(sent + got, out.mails + into.mails)), sub: `${count(sent)} sent, ${count(got)} received`, tone: key === "tls" ? null : key };
}

export function hostTiles({ out, in: into, notices }) {
  const lists = new Set(notices.map((notice) => notice.list).filter(Boolean));
  return tiles([
    side("Sent", out),
    side("Received", into),
    part("Rejected", "rejected", out, into),
    part("Deferred", "deferred", out, into),
    part("Under TLS", "tls", out, into),
    { label: "Block lists", value: count(lists.size), sub: lists.size > 0 ? "named in replies" : "none named", tone: lists.size > 0 ? "bad" : null },
  ]).root;
}
