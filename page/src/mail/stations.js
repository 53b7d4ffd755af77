// The way of a mail as stations and the steps between them, oldest first, out of its Received lines and the connection that was seen. Pure.

const same = (a, b) => Boolean(a && b) && a.toLowerCase() === b.toLowerCase();

/* Gives {stations: [{name, helo, rdns, ip, private, role: "client"|"server"|null, origin}], steps: [{with, tls, delay, id, time, for, trusted, seen}]},
 * step i leads from station i to i + 1. A station's name is what it wrote itself ("by"); helo, rdns and ip are how the next one saw it. seen: the step that the tap saw. */
export function wayOf(record, session) {
  const hops = [...(record.hops ?? [])].reverse();
  const stations = [];
  const steps = [];
  const seenAs = (hop) => (hop ? { helo: hop.from_helo, rdns: hop.from_rdns, ip: hop.from_ip, private: hop.private } : {});
  if (hops.length) stations.push(seenAs(hops[0]));
  hops.forEach((hop, i) => {
    steps.push({ with: hop.with, tls: hop.tls_version ?? (/^(utf8)?(e?smtp|lmtp)sa?$/i.test(hop.with ?? "") ? "TLS" : null), cipher: hop.tls_cipher, delay: hop.delay, id: hop.id, time: hop.time, for: hop.for, trusted: Boolean(hop.trusted), seen: false });
    stations.push({ name: hop.by, byIp: hop.by_ip, ...seenAs(hops[i + 1]) });
  });
  if (!hops.length) stations.push({});
  Object.assign(stations.at(-1), { helo: record.helo, ip: record["id.orig_h"], role: "client" });
  const ssl = session?.ssl;
  steps.push({ with: "SMTP", tls: record.tls ? ssl?.version ?? "TLS" : null, cipher: ssl?.cipher, seen: true, trusted: true, time: record.ts });
  stations.push({ name: /^[\w-]+(\.[\w-]+)*(?=\s|$)/.exec(session?.banner ?? "")?.[0], ip: record["id.resp_h"], role: "server" });
  for (const station of stations) {
    station.origin = same(station.ip, record.origin?.ip);
    if (station.byIp && !station.ip) station.ip = station.byIp;
    for (const key of ["rdns", "helo"]) if (same(station[key], station.name)) delete station[key];
    if (same(station.rdns, station.helo)) delete station.rdns;
  }
  return { stations, steps };
}

// The step up to which, from the newest on, servers of ours wrote the lines: steps before it may be made up. 0: all are trusted; null: no trust is set up.
export function boundary(steps) {
  if (!steps.some((step) => step.trusted && !step.seen)) return steps.length > 1 ? steps.length - 1 : 0;
  let i = steps.length - 1;
  while (i > 0 && steps[i - 1].trusted) i--;
  return i;
}
